"""OpenAI's Chat Completions, the answer: events → chunks of a stream, or one body.

Shapes: OpenAI API reference, "The chat completion object" and "The chat completion chunk object". Beyond them:
`reasoning_content` (text) as most hosts of reasoning models send it, and `thinking_blocks`, which a client sends back
so that the model finds its reasoning again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from translators.base import AnswerIdentity
from translators.errors import UpstreamError
from translators.jsontext import dumps, object_in
from translators.sse import DONE, PING, data_event
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


def usage_object(usage: Usage) -> dict[str, Any]:
    """OpenAI's `usage`: prompt_tokens includes cached ones, completion_tokens includes reasoning."""
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion if usage.total is None else usage.total,
        "prompt_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": usage.cache_written},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
        **usage.extra,
    }


def finish_reason(reason: str, *, called: bool) -> str:
    """`tool_calls` if and only if a call was made; a cut or a blocked answer stays what it is."""
    if reason in ("stop", "tool_calls"):
        return "tool_calls" if called else "stop"
    return reason


def error_event(error: UpstreamError) -> bytes:
    """A stream's last words when it breaks: OpenAI's error body in an event, for which its SDKs raise APIError."""
    return b"event: error\n" + data_event(error.body())


def joined_logprobs(before: Any, after: Mapping[str, Any]) -> dict[str, Any]:
    """Two `logprobs` objects of one choice as one."""
    joined = dict(object_in(before))
    for name, value in after.items():
        earlier = joined.get(name)
        joined[name] = [*earlier, *value] if isinstance(earlier, list) and isinstance(value, list) else value
    return joined


class Choice:
    """What has been said in one choice so far, as far as the next event depends on it."""

    __slots__ = ("calls", "positions")

    def __init__(self) -> None:
        self.calls: dict[int, bool] = {}
        """Tool call index → whether arguments have come."""
        self.positions: dict[str, int] = {}
        """Name of a list of objects → how many of them have come."""

    def numbered(self, name: str, items: list[Any]) -> list[Any]:
        """Objects with their `index` in the whole list: by it, and only so, the openai SDK joins lists of objects."""
        start = self.positions.get(name, 0)
        self.positions[name] = start + len(items)
        return [{"index": start + i, **item} if isinstance(item, Mapping) else item for i, item in enumerate(items)]


class ChunkWriter:
    """Events in, `chat.completion.chunk`s out. All chunks of one answer carry the same id, created and model."""

    def __init__(self, identity: AnswerIdentity) -> None:
        self._identity = identity
        self._id = identity.id
        self._created = identity.created
        self._model = identity.model
        self._extra: dict[str, Any] = {}
        self._choices: dict[int, Choice] = {}
        self._opened = 0
        self._usage: Usage | None = None
        self._text_head = b""

    def write(self, events: Sequence[Event]) -> bytes:
        return b"".join([self._event(event) for event in events])

    def error(self, error: UpstreamError) -> bytes:
        return error_event(error)

    def _event(self, event: Event) -> bytes:
        match event:
            case TextDelta(text, 0) if self._text_head:
                return self._text_head + dumps(text) + self._text_tail
            case TextDelta(text, choice):
                chunk = self._delta(choice, {"content": text})
                self._prepare_text_template()
                return chunk
            case ReasoningDelta(text, choice):
                return self._delta(choice, {"reasoning_content": text})
            case ToolCallStart():
                return self._tool_call_start(event)
            case ToolCallDelta(index, arguments, choice):
                if not arguments:
                    return b""
                self._choice(choice).calls[index] = True
                return self._delta(choice, {"tool_calls": [{"index": index, "function": {"arguments": arguments}}]})
            case ThinkingBlock(block, choice):
                return self._delta(
                    choice, {"thinking_blocks": self._choice(choice).numbered("thinking_blocks", [block])}
                )
            case RefusalDelta(text, choice):
                return self._delta(choice, {"refusal": text})
            case Extension(name, value, choice):
                value = self._choice(choice).numbered(name, value) if isinstance(value, list) else value
                return self._delta(choice, {name: value})
            case LogProbs(value, choice):
                return self._open(choice) + self._chunk([choice_object(choice, {}, None) | {"logprobs": value}])
            case Started():
                return self._started(event)
            case Finished(reason, choice):
                return self._finished(reason, choice)
            case UsageReport(usage):
                self._usage = usage
            case KeepAlive():
                return PING
            case Ended():
                return self._ended()
            case Failed():
                pass  # Whoever watches the events decides whether the client hears of it: see error().
        return b""

    def _started(self, event: Started) -> bytes:
        if self._opened:
            return b""  # Too late: what has been written bears another identity.
        self._id = event.id or self._id
        self._created = event.created or self._created
        if event.model and not self._identity.renamed:
            self._model = event.model
        self._extra = dict(event.extra)
        return self._open(0)

    def _choice(self, number: int) -> Choice:
        return self._choices.setdefault(number, Choice())

    def _open(self, number: int) -> bytes:
        """The first chunk of a choice, and of those before it: the openai SDK counts choices as they appear."""
        opened = range(self._opened, number + 1)
        self._opened = max(self._opened, number + 1)
        return b"".join([self._chunk([choice_object(i, {"role": "assistant", "content": ""}, None)]) for i in opened])

    def _tool_call_start(self, event: ToolCallStart) -> bytes:
        self._choice(event.choice).calls[event.index] = False
        function = {"name": event.name, "arguments": ""}
        call = {"index": event.index, "id": event.id, "type": "function", "function": function, **event.extra}
        return self._delta(event.choice, {"tool_calls": [call]})

    def _finished(self, reason: str, number: int) -> bytes:
        calls = self._choice(number).calls
        empty = [
            {"index": index, "function": {"arguments": "{}"}}
            for index, arguments_came in calls.items()
            if not arguments_came
        ]
        completed = self._delta(number, {"tool_calls": empty}) if empty else self._open(number)
        return completed + self._chunk([choice_object(number, {}, finish_reason(reason, called=bool(calls)))])

    def _ended(self) -> bytes:
        if not self._identity.include_usage or self._usage is None:
            return DONE
        return self._chunk([], usage=usage_object(self._usage)) + DONE

    def _delta(self, number: int, delta: dict[str, Any]) -> bytes:
        return self._open(number) + self._chunk([choice_object(number, delta, None)])

    def _chunk(self, choices: list[dict[str, Any]], usage: dict[str, Any] | None = None) -> bytes:
        chunk = {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._model,
            **self._extra,
            "choices": choices,
        }
        if self._identity.include_usage:
            chunk["usage"] = usage
        return data_event(dumps(chunk))

    def _prepare_text_template(self) -> None:
        """Text is by far the most frequent chunk: everything around it is written once per answer."""
        head, content, tail = self._chunk([choice_object(0, {"content": ""}, None)]).rpartition(b'"content":""')
        self._text_head, self._text_tail = head + content[:-2], tail


def choice_object(index: int, delta: dict[str, Any], finish_reason: str | None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def fold(events: Sequence[Event], identity: AnswerIdentity) -> bytes:
    """The events of a whole answer as one `chat.completion` body. Raises UpstreamError if they hold a Failed."""
    started = Started()
    usage: Usage | None = None
    messages: dict[int, FoldedChoice] = {}
    for event in events:
        match event:
            case Started():
                started = event
            case UsageReport(reported):
                usage = reported
            case Failed(error):
                raise error
            case KeepAlive() | Ended():
                pass
            case _:
                messages.setdefault(event.choice, FoldedChoice()).add(event)
    body: dict[str, Any] = {
        "id": started.id or identity.id,
        "object": "chat.completion",
        "created": started.created or identity.created,
        "model": identity.model if identity.renamed or not started.model else started.model,
        **started.extra,
        "choices": [messages[index].choice_object(index) for index in sorted(messages)],
    }
    if usage is not None:
        body["usage"] = usage_object(usage)
    return dumps(body)


class FoldedChoice:
    """One choice of a whole answer, put together from its events."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._refusal: list[str] = []
        self._thinking: list[Any] = []
        self._calls: dict[int, dict[str, Any]] = {}
        self._extensions: dict[str, Any] = {}
        self._logprobs: Any = None
        self._finish = Finished("stop")

    def add(self, event: Event) -> None:
        match event:
            case TextDelta(text):
                self._text.append(text)
            case ReasoningDelta(text):
                self._reasoning.append(text)
            case RefusalDelta(text):
                self._refusal.append(text)
            case ThinkingBlock(block):
                self._thinking.append(block)
            case ToolCallStart(index, id_, name, _, extra):
                function = {"name": name, "arguments": ""}
                self._calls[index] = {"id": id_, "type": "function", "function": function, **extra}
            case ToolCallDelta(index, arguments):
                self._calls[index]["function"]["arguments"] += arguments
            case Extension(name, value):
                self._extend(name, value)
            case LogProbs(value):
                self._logprobs = joined_logprobs(self._logprobs, value)
            case Finished():
                self._finish = event

    def _extend(self, name: str, value: Any) -> None:
        before = self._extensions.get(name)
        if isinstance(before, list) and isinstance(value, list):
            value = [*before, *value]
        elif isinstance(before, str) and isinstance(value, str):
            value = before + value
        self._extensions[name] = value

    def choice_object(self, index: int) -> dict[str, Any]:
        calls = [self._calls[number] for number in sorted(self._calls)]
        for call in calls:
            call["function"]["arguments"] = call["function"]["arguments"] or "{}"
        text = "".join(self._text)
        message: dict[str, Any] = {
            "role": "assistant",
            "content": text or (None if calls or self._refusal else ""),
        }
        message["refusal"] = "".join(self._refusal) or None
        if self._reasoning:
            message["reasoning_content"] = "".join(self._reasoning)
        if self._thinking:
            message["thinking_blocks"] = self._thinking
        if calls:
            message["tool_calls"] = calls
        return {
            "index": index,
            "message": message | self._extensions,
            "logprobs": self._logprobs,
            "finish_reason": finish_reason(self._finish.reason, called=bool(calls)),
        }
