"""OpenAI's Chat Completions, the answer read: chunks of a stream, or one body → events.

Tolerant where hosts of this wire differ: reasoning in `reasoning_content` or `reasoning`, content in typed parts
(Mistral), tool arguments as objects (Cloudflare), calls without an index, usage in `x_groq`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from translators.errors import Kind, UpstreamError
from translators.failures import failure_inside_answer
from translators.jsontext import dumps, loads_object
from translators.sse import SseDecoder
from translators.types import (
    Ended,
    Event,
    Extension,
    Failed,
    Finished,
    KeepAlive,
    LogProbs,
    ReasoningDelta,
    RefusalDelta,
    Started,
    TextDelta,
    ThinkingBlock,
    ToolCallDelta,
    ToolCallStart,
    Usage,
    UsageReport,
)

FINISH_REASONS = {
    "stop": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
PLAIN_FIELDS = (
    "role",
    "content",
    "reasoning_content",
    "reasoning",
    "refusal",
    "tool_calls",
    "thinking_blocks",
)
"""Members of a message or a delta that have events of their own."""

CUT_SHORT = "The provider's stream ended before its end marker."


def read_usage(raw: Any) -> Usage | None:
    """OpenAI's `usage` object, with the names that other hosts use; None if it is none."""
    if not isinstance(raw, Mapping):
        return None
    prompt_details = raw.get("prompt_tokens_details") or {}
    completion_details = raw.get("completion_tokens_details") or {}
    cached = (
        prompt_details.get("cached_tokens") or raw.get("prompt_cache_hit_tokens") or raw.get("cached_tokens")
    )
    return Usage(
        prompt=raw.get("prompt_tokens") or 0,
        completion=raw.get("completion_tokens") or 0,
        cached=cached or 0,
        cache_written=prompt_details.get("cache_write_tokens") or 0,
        reasoning=completion_details.get("reasoning_tokens") or raw.get("reasoning_tokens") or 0,
        total=raw.get("total_tokens"),
    )


class ChoiceReader:
    """One choice of an answer: its deltas (or its whole message) → events."""

    def __init__(self, index: int) -> None:
        self._index = index
        self._calls: dict[Any, int] = {}
        self._last_call: Any = None
        self.finished = False

    def events(self, delta: Mapping[str, Any]) -> Iterator[Event]:
        reasoning = delta.get("reasoning_content") or delta.get("reasoning")
        if isinstance(reasoning, str) and reasoning:
            yield ReasoningDelta(reasoning, self._index)
        yield from self._content(delta.get("content"))
        if delta.get("refusal"):
            yield RefusalDelta(delta["refusal"], self._index)
        for position, call in enumerate(delta.get("tool_calls") or ()):
            yield from self._tool_call(call, position)
        for block in delta.get("thinking_blocks") or ():
            yield ThinkingBlock(
                {name: value for name, value in block.items() if name != "index"}, self._index
            )
        for name, value in delta.items():
            if name not in PLAIN_FIELDS and value not in (None, "", [], {}):
                yield Extension(name, value, self._index)

    def _content(self, content: Any) -> Iterator[Event]:
        if isinstance(content, str):
            if content:
                yield TextDelta(content, self._index)
        elif isinstance(content, list):
            for part in content:
                yield from self._content_part(part)
        elif content is not None:
            # Cloudflare answers a JSON schema with an object; clients expect text.
            yield TextDelta(dumps(content).decode(), self._index)

    def _content_part(self, part: Any) -> Iterator[Event]:
        match part:
            case {"type": "text", "text": str(text)} if text:
                yield TextDelta(text, self._index)
            case {"type": "thinking", "thinking": list(pieces)}:
                for piece in pieces:
                    if isinstance(piece, Mapping) and piece.get("text"):
                        yield ReasoningDelta(piece["text"], self._index)
            case {"type": "thinking", "thinking": str(text)} if text:
                yield ReasoningDelta(text, self._index)

    def _tool_call(self, call: Any, position: int) -> Iterator[Event]:
        if not isinstance(call, Mapping):
            return
        function = call.get("function") or {}
        id_, name, arguments = call.get("id"), function.get("name"), function.get("arguments")
        key = call.get("index", position)
        # Some hosts number every call 0; a new id with a name opens a new one all the same.
        if id_ and name and key in self._calls and self._calls[key] is not None and id_ != self._last_call:
            key = id_
        if key not in self._calls:
            if not name:
                return
            self._calls[key] = len(self._calls)
            self._last_call = id_
            extra = {
                field: value
                for field, value in call.items()
                if field not in ("index", "id", "type", "function")
            }
            yield ToolCallStart(self._calls[key], id_ or f"call_{len(self._calls)}", name, self._index, extra)
        if arguments:
            text = arguments if isinstance(arguments, str) else dumps(arguments).decode()
            yield ToolCallDelta(self._calls[key], text, self._index)

    def finish(self, reason: str | None) -> Iterator[Event]:
        if not self.finished:
            self.finished = True
            yield Finished(FINISH_REASONS.get(reason or "stop", "stop"), self._index, reason)


class ChunkReader:
    """The stream: SSE bytes → events. `[DONE]` ends it; without it the stream was cut."""

    def __init__(self) -> None:
        self._decoder = SseDecoder()
        self._choices: dict[int, ChoiceReader] = {}
        self._started = False
        self._over = False
        self._comments = 0

    def feed(self, data: bytes) -> list[Event]:
        return self._events(self._decoder.feed(data))

    def close(self) -> list[Event]:
        events = self._events(self._decoder.close())
        if not self._over:
            self._over = True
            events.append(Failed(UpstreamError(Kind.CLOSED, CUT_SHORT)))
        return events

    def _events(self, server_events: Any) -> list[Event]:
        events: list[Event] = []
        for server_event in server_events:
            if self._over:
                break
            if server_event.data.strip() == b"[DONE]":
                events.extend(self._done())
                continue
            chunk = loads_object(server_event.data)
            if chunk is not None:  # One bad line must not spoil the answer.
                events.extend(self._chunk(chunk))
        if self._decoder.comments > self._comments and not self._over:
            self._comments = self._decoder.comments
            events.append(KeepAlive())
        return events

    def _done(self) -> Iterator[Event]:
        self._over = True
        if not self._choices:
            yield Failed(UpstreamError(Kind.EMPTY, "The provider's stream ended without an answer."))
            return
        for choice in self._choices.values():
            yield from choice.finish(None)
        yield Ended()

    def _chunk(self, chunk: dict[str, Any]) -> Iterator[Event]:
        if chunk.get("error"):
            self._over = True
            yield Failed(failure_inside_answer(chunk))
            return
        if not self._started:
            self._started = True
            yield started(chunk)
        for raw in chunk.get("choices") or ():
            index = raw.get("index") or 0
            choice = self._choices.setdefault(index, ChoiceReader(index))
            yield from choice.events(raw.get("delta") or {})
            if raw.get("logprobs"):
                yield LogProbs(raw["logprobs"], index)
            if raw.get("finish_reason") == "error":
                self._over = True
                yield Failed(failure_inside_answer(raw))
                return
            if raw.get("finish_reason"):
                yield from choice.finish(raw["finish_reason"])
        usage = read_usage(chunk.get("usage") or (chunk.get("x_groq") or {}).get("usage"))
        if usage is not None:
            yield UsageReport(usage)


def started(answer: Mapping[str, Any]) -> Started:
    extra = {name: answer[name] for name in ("system_fingerprint", "service_tier") if answer.get(name)}
    return Started(
        answer.get("id") or None, answer.get("model") or None, answer.get("created") or None, extra
    )


def whole_events(body: bytes) -> list[Event]:
    """A whole answer as events, ended by Ended or Failed."""
    try:
        answer = checked_whole(body)
    except UpstreamError as error:
        return [Failed(error)]
    events: list[Event] = [started(answer)]
    for raw in answer["choices"]:
        index = raw.get("index") or 0
        choice = ChoiceReader(index)
        events.extend(choice.events(raw.get("message") or {}))
        if raw.get("logprobs"):
            events.append(LogProbs(raw["logprobs"], index))
        if raw.get("finish_reason") == "error":
            return [*events, Failed(failure_inside_answer(raw))]
        events.extend(choice.finish(raw.get("finish_reason")))
    usage = read_usage(answer.get("usage"))
    if usage is not None:
        events.append(UsageReport(usage))
    events.append(Ended())
    return events


def checked_whole(body: bytes) -> dict[str, Any]:
    """A whole answer's JSON object. Raises UpstreamError for an error inside a 200, an empty or a broken answer."""
    if not body.strip():
        raise UpstreamError(Kind.EMPTY, "The provider answered with an empty body.")
    answer = loads_object(body)
    if answer is None:
        raise UpstreamError(Kind.MALFORMED, "The provider's answer is not a JSON object.")
    if answer.get("error"):
        raise failure_inside_answer(answer)
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices:
        raise UpstreamError(Kind.EMPTY, "The provider's answer has no choices.")
    return answer
