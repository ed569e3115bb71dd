"""OpenAI's Chat Completions, the answer read: chunks of a stream, or one body → events.

Tolerant where hosts of this wire differ: reasoning in `reasoning_content` or `reasoning`, content in typed parts
(Mistral), tool arguments as objects (Cloudflare), calls without an index, usage in `x_groq`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from translators.call_ids import made_call_id
from translators.errors import Kind, UpstreamError
from translators.event_stream import EventStream
from translators.failures import failure_inside_answer, reports_failure
from translators.jsontext import count_in, dumps, loads_object, object_in, objects_in, text_in
from translators.sse import ServerEvent
from translators.types import (
    Ended,
    Event,
    Extension,
    Failed,
    Finished,
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
    "model_length": "length",  # Mistral
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
SILENT_FIELDS = frozenset({"role", "index", "channel"})
"""Members of a message or a delta that say nothing by themselves: `index` is Mistral's, `channel` Groq's."""
PLAIN_FIELDS = SILENT_FIELDS | {
    "content",
    "reasoning_content",
    "reasoning",
    "refusal",
    "tool_calls",
    "thinking_blocks",
}
"""Members that have events of their own, or none."""
MOST_CHOICES = 128
"""OpenAI's limit of `n` (OpenAI API reference, "Create chat completion")."""

CUT_SHORT = "The provider's stream ended before its end marker."
NO_ANSWER = "The provider's stream ended without an answer."


# --- what both a stream and a whole answer hold -----------------------------------------------------------------


def read_usage(raw: Any) -> Usage | None:
    """OpenAI's `usage` object, with the names that its other endpoints and other hosts use; None if it is none."""
    if not isinstance(raw, Mapping):
        return None
    prompt_details = object_in(raw.get("prompt_tokens_details") or raw.get("input_tokens_details"))
    completion_details = object_in(raw.get("completion_tokens_details") or raw.get("output_tokens_details"))
    prompt = count_in(raw.get("prompt_tokens")) or count_in(raw.get("input_tokens"))
    completion = count_in(raw.get("completion_tokens")) or count_in(raw.get("output_tokens"))
    reasoning = count_in(completion_details.get("reasoning_tokens")) or count_in(raw.get("reasoning_tokens"))
    total = count_in(raw.get("total_tokens")) or None
    if reasoning and total == prompt + completion + reasoning:
        completion += reasoning  # xAI counts reasoning apart, OpenAI within.
    return Usage(
        prompt=prompt,
        completion=completion,
        cached=count_in(prompt_details.get("cached_tokens"))
        or count_in(raw.get("prompt_cache_hit_tokens"))  # DeepSeek
        or count_in(raw.get("num_cached_tokens"))  # Mistral
        or count_in(raw.get("cached_tokens")),  # Moonshot
        cache_written=count_in(prompt_details.get("cache_write_tokens")),
        reasoning=reasoning,
        total=total,
    )


def chunk_usage(chunk: Mapping[str, Any]) -> Usage | None:
    """The usage that a chunk brings: in its place, or where Groq puts it as well."""
    return read_usage(chunk.get("usage") or object_in(chunk.get("x_groq")).get("usage"))


def broken_off(choice: Mapping[str, Any], answer: Mapping[str, Any]) -> UpstreamError | None:
    """The failure that a choice reports as its finish reason, if it does."""
    match choice.get("finish_reason"):
        case "error":  # OpenRouter, Mistral
            return failure_inside_answer({"error": choice.get("error") or answer.get("error")})
        case "insufficient_system_resource":  # DeepSeek API documentation, "Create Chat Completion"
            message = "The provider ran out of resources in the middle of its answer."
            return UpstreamError(Kind.OVERLOADED, message, status=503, code="overloaded")
    return None


def started(answer: Mapping[str, Any]) -> Started:
    extra = {name: answer[name] for name in ("system_fingerprint", "service_tier") if text_in(answer.get(name))}
    return Started(
        text_in(answer.get("id")) or None,
        text_in(answer.get("model")) or None,
        count_in(answer.get("created")) or None,
        extra,
    )


def choice_index(choice: Mapping[str, Any], position: int) -> int:
    """The number of a choice: its own, or its position in the list where it says none that can be."""
    index = count_in(choice.get("index", position))
    return index if index < MOST_CHOICES else position


@dataclass(slots=True)
class OpenCall:
    """A call while it arrives: our number of it, the provider's id, and whether any of its arguments has come."""

    number: int
    id: str
    has_arguments: bool = False


class ChoiceReader:
    """One choice of an answer: its deltas (or its whole message) → events."""

    def __init__(self, index: int, answer_id: str) -> None:
        self._index = index
        self._answer_id = answer_id
        self._open_calls: dict[int, OpenCall] = {}
        """By the provider's index."""
        self._calls = 0
        self._finish_reason = ""
        self.answered = False
        """Whether it has said or ended anything."""

    def events(self, choice: Mapping[str, Any], message: Mapping[str, Any]) -> Iterator[Event]:
        """What `message` (a delta, or the whole of it) says, and what else `choice` holds."""
        for event in self._message(message):
            self.answered = True
            yield event
        logprobs = object_in(choice.get("logprobs"))
        if logprobs:
            yield LogProbs(logprobs, self._index)
        reason = text_in(choice.get("finish_reason"))
        if reason:
            self.answered = True
            self._finish_reason = reason

    def finished(self) -> Finished:
        """How it ended. Said once, at the end of all: some hosts repeat the finish reason, or go on behind it."""
        reason = self._finish_reason or None
        return Finished(FINISH_REASONS.get(reason or "stop", "stop"), self._index, reason)

    def _message(self, message: Mapping[str, Any]) -> Iterator[Event]:
        reasoning = text_in(message.get("reasoning_content")) or text_in(message.get("reasoning"))
        if reasoning:
            yield ReasoningDelta(reasoning, self._index)
        yield from self._content(message.get("content"))
        refusal = text_in(message.get("refusal"))
        if refusal:
            yield RefusalDelta(refusal, self._index)
        for position, call in enumerate(objects_in(message.get("tool_calls"))):
            yield from self._tool_call(call, position)
        for block in objects_in(message.get("thinking_blocks")):
            yield ThinkingBlock({name: value for name, value in block.items() if name != "index"}, self._index)
        for name, value in message.items():
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
                for piece in objects_in(pieces):
                    if text_in(piece.get("text")):
                        yield ReasoningDelta(piece["text"], self._index)
            case {"type": "thinking", "thinking": str(text)} if text:
                yield ReasoningDelta(text, self._index)

    def _tool_call(self, call: Mapping[str, Any], position: int) -> Iterator[Event]:
        function = object_in(call.get("function"))
        id_, name, arguments = text_in(call.get("id")), text_in(function.get("name")), function.get("arguments")
        index = call.get("index")
        key = index if isinstance(index, int) else position
        opened = self._open_calls.get(key)
        opens = opened is None or (
            id_ != opened.id  # Some hosts number every call 0.
            if id_
            else not isinstance(index, int) and opened.has_arguments  # Others give it neither number nor id.
        )
        if name and opens:
            opened = self._open_calls[key] = OpenCall(self._calls, id_)
            self._calls += 1
            extra = {field: value for field, value in call.items() if field not in ("index", "id", "type", "function")}
            id_ = id_ or made_call_id(self._answer_id, self._index, opened.number, name, arguments)
            yield ToolCallStart(opened.number, id_, name, self._index, extra)
        elif opened is None:
            return  # A piece of a call that was never opened.
        if arguments:
            opened.has_arguments = True
            text = arguments if isinstance(arguments, str) else dumps(arguments).decode()
            yield ToolCallDelta(opened.number, text, self._index)


# --- a stream ---------------------------------------------------------------------------------------------------


class ChunkReader(EventStream):
    """The stream: SSE bytes → events. `[DONE]` ends it; without it the stream was cut."""

    def __init__(self) -> None:
        super().__init__()
        self._choices: dict[int, ChoiceReader] = {}
        self._started = False
        self._over = False

    @property
    def over(self) -> bool:
        return self._over

    def read(self, server_event: ServerEvent) -> Iterator[Event]:
        if server_event.data.strip() == b"[DONE]":
            yield from self._done()
            return
        chunk = loads_object(server_event.data)
        if server_event.name == "error" or (chunk is not None and reports_failure(chunk)):
            self._over = True
            yield Failed(failure_inside_answer(chunk or {"error": server_event.data.decode("utf-8", "replace")}))
        elif chunk is not None:  # One bad line must not spoil the answer.
            yield from self._chunk(chunk)

    def end(self) -> list[Event]:
        if self._over:
            return []
        self._over = True
        return [Failed(UpstreamError(Kind.CLOSED, CUT_SHORT))]

    def _done(self) -> Iterator[Event]:
        self._over = True
        if not any(choice.answered for choice in self._choices.values()):
            yield Failed(UpstreamError(Kind.EMPTY, NO_ANSWER))
            return
        for choice in self._choices.values():
            yield choice.finished()
        yield Ended()

    def _chunk(self, chunk: dict[str, Any]) -> Iterator[Event]:
        choices = objects_in(chunk.get("choices"))
        if choices and not self._started:  # Azure's first chunk has no choices, and no name of the model either.
            self._started = True
            yield started(chunk)
        for position, raw in enumerate(choices):
            failure = broken_off(raw, chunk)
            if failure:
                self._over = True
                yield Failed(failure)
                return
            index = choice_index(raw, position)
            choice = self._choices.setdefault(index, ChoiceReader(index, text_in(chunk.get("id"))))
            yield from choice.events(raw, object_in(raw.get("delta")))
        usage = chunk_usage(chunk)
        if usage is not None:
            yield UsageReport(usage)


# --- a whole answer ---------------------------------------------------------------------------------------------


def whole_events(body: bytes) -> list[Event]:
    """A whole answer as events, ended by Ended or Failed."""
    try:
        answer = checked_whole(body)
    except UpstreamError as error:
        return [Failed(error)]
    events: list[Event] = [started(answer)]
    for position, raw in enumerate(answer["choices"]):
        choice = ChoiceReader(choice_index(raw, position), text_in(answer.get("id")))
        events.extend(choice.events(raw, object_in(raw.get("message"))))
        events.append(choice.finished())
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
    if reports_failure(answer):
        raise failure_inside_answer(answer)
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices:
        raise UpstreamError(Kind.EMPTY, "The provider's answer has no choices.")
    if len(objects_in(choices)) < len(choices):
        raise UpstreamError(Kind.MALFORMED, "The provider's answer has a choice that is no object.")
    for choice in choices:
        failure = broken_off(choice, answer)
        if failure:
            raise failure
    return answer
