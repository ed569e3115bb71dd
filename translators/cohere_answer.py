"""Cohere's Chat, the answer: events of a stream, or a whole message → events of the middle.

Shapes: types of the cohere SDK 7.3 (V2ChatResponse, V2ChatStreamResponse). A whole message is read as the stream that
it would have been, so there is one path for both:

    message-start                              Started
    content-start, content-delta               TextDelta, ReasoningDelta, LogProbs
    tool-plan-delta                            ReasoningDelta
    tool-call-start, tool-call-delta           ToolCallStart, ToolCallDelta
    citation-start                             Extension citations
    message-end                                Finished, UsageReport, Ended, or Failed
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from translators.call_ids import made_call_id
from translators.errors import Kind, UpstreamError
from translators.event_stream import EventStream
from translators.failures import failure_inside_answer
from translators.jsontext import count_in, loads_object, object_in, objects_in, text_in
from translators.sse import ServerEvent
from translators.types import (
    Ended,
    Event,
    Extension,
    Failed,
    Finished,
    LogProbs,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    ToolCallStart,
    Usage,
    UsageReport,
)

JsonObject = Mapping[str, Any]

FINISH_REASONS = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "ERROR_LIMIT": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR_TOXIC": "content_filter",
}
"""finish_reason → OpenAI's; whatever is not here ended by itself."""

BROKEN_OFF = {"ERROR": 500, "TIMEOUT": 504}
"""finish_reason of an answer that is none → the status that it stands for."""

NO_CALL = "null"
"""The arguments of a call without any, in a whole message."""

CUT_SHORT = "The provider's stream ended before its end marker."
NO_MESSAGE = "The provider's answer is not a message of Cohere's API."


class ChatReader:
    """One answer, event by event. `over`: nothing follows.

    `context` is the request's (see cohere_request.Draft).
    """

    def __init__(self, context: Mapping[str, Any]) -> None:
        self._names: Mapping[str, str] = context.get("tools", {})
        self._id = ""
        self._calls = 0
        self.over = False

    def read(self, event: JsonObject) -> list[Event]:
        """What an event of the stream says; nothing if it is of an unknown type."""
        handler = HANDLERS.get(text_in(event.get("type")))
        return handler(self, event) if handler else self._unknown(event)

    def message_start(self, event: JsonObject) -> list[Event]:
        self._id = text_in(event.get("id"))
        return [Started(self._id or None)]

    def content(self, event: JsonObject) -> list[Event]:
        content = object_in(message_in(event).get("content"))
        events: list[Event] = []
        if text_in(content.get("thinking")):
            events.append(ReasoningDelta(content["thinking"]))
        if text_in(content.get("text")):
            events.append(TextDelta(content["text"]))
        if event.get("logprobs"):
            events.append(LogProbs({"content": [token(object_in(event["logprobs"]))], "refusal": None}))
        return events

    def tool_plan(self, event: JsonObject) -> list[Event]:
        plan = text_in(message_in(event).get("tool_plan"))
        return [ReasoningDelta(plan)] if plan else []

    def call_start(self, event: JsonObject) -> list[Event]:
        call = object_in(message_in(event).get("tool_calls"))
        function = object_in(call.get("function"))
        name = text_in(function.get("name"))
        self._calls += 1
        id_ = text_in(call.get("id")) or made_call_id(self._id, self._calls, name, function.get("arguments"))
        return [ToolCallStart(self._calls - 1, id_, self._names.get(name, name)), *self._arguments(function)]

    def call_delta(self, event: JsonObject) -> list[Event]:
        return self._arguments(object_in(object_in(message_in(event).get("tool_calls")).get("function")))

    def citation(self, event: JsonObject) -> list[Event]:
        citation = object_in(message_in(event).get("citations"))
        return [Extension("citations", [citation])] if citation else []

    def message_end(self, event: JsonObject) -> list[Event]:
        self.over = True
        delta = object_in(event.get("delta"))
        reason = text_in(delta.get("finish_reason"))
        if reason in BROKEN_OFF or delta.get("error"):
            error = {
                "message": text_in(delta.get("error")) or f"The provider broke its answer off: {reason}.",
                "code": text_in(delta.get("error_type")).lower() or None,
                "status": BROKEN_OFF.get(reason, 500),
            }
            return [Failed(failure_inside_answer({"error": error}))]
        finish = FINISH_REASONS.get(reason, "stop")
        return [*read_usage(object_in(delta.get("usage"))), Finished(finish, native=reason or None), Ended()]

    def _arguments(self, function: JsonObject) -> list[Event]:
        arguments = text_in(function.get("arguments"))
        return [ToolCallDelta(self._calls - 1, arguments)] if arguments and self._calls else []

    def _unknown(self, event: JsonObject) -> list[Event]:
        """An error has no type: {"id", "message"}, as with a status of 400 and above."""
        if "type" in event or not text_in(event.get("message")):
            return []
        self.over = True
        return [Failed(failure_inside_answer(event))]


HANDLERS: Mapping[str, Callable[[ChatReader, JsonObject], list[Event]]] = {
    "message-start": ChatReader.message_start,
    "content-start": ChatReader.content,
    "content-delta": ChatReader.content,
    "tool-plan-delta": ChatReader.tool_plan,
    "tool-call-start": ChatReader.call_start,
    "tool-call-delta": ChatReader.call_delta,
    "citation-start": ChatReader.citation,
    "message-end": ChatReader.message_end,
}


def message_in(event: JsonObject) -> JsonObject:
    return object_in(object_in(event.get("delta")).get("message"))


def read_usage(usage: JsonObject) -> list[Event]:
    """`tokens` are what the model read and wrote, `billed_units` what it costs; older models say the latter only."""
    tokens = object_in(usage.get("tokens")) or object_in(usage.get("billed_units"))
    if not tokens:
        return []
    billed = object_in(usage.get("billed_units"))
    return [
        UsageReport(
            Usage(
                prompt=whole_number(tokens.get("input_tokens")),
                completion=whole_number(tokens.get("output_tokens")),
                cached=whole_number(usage.get("cached_tokens")),
                reasoning=whole_number(tokens.get("reasoning_tokens")),
                extra={"billed_units": billed} if billed else {},
            )
        )
    ]


def whole_number(value: Any) -> int:
    """Cohere's types call these numbers, so 5.0 may come."""
    return count_in(int(value) if isinstance(value, float) and value.is_integer() else value)


def token(item: JsonObject) -> dict[str, Any]:
    """A piece of text with its probability as OpenAI has it; a piece of several tokens has the sum of theirs."""
    values = item.get("logprobs")
    numbers = [value for value in values if isinstance(value, int | float)] if isinstance(values, list) else []
    text = text_in(item.get("text"))
    return {"token": text, "logprob": sum(numbers), "bytes": list(text.encode("utf-8", "replace")), "top_logprobs": []}


# --- a stream, a whole message --------------------------------------------------------------------------------


class ChatStream(EventStream):
    """The stream: SSE bytes → events. `message-end` ends it; without it the stream was cut."""

    def __init__(self, context: Mapping[str, Any]) -> None:
        super().__init__()
        self._reader = ChatReader(context)

    @property
    def over(self) -> bool:
        return self._reader.over

    def read(self, server_event: ServerEvent) -> Iterable[Event]:
        event = loads_object(server_event.data)
        return [] if event is None else self._reader.read(event)

    def end(self) -> list[Event]:
        if self.over:
            return []
        self._reader.over = True
        return [Failed(UpstreamError(Kind.CLOSED, CUT_SHORT))]


def whole_chat(body: bytes, context: Mapping[str, Any]) -> list[Event]:
    """A whole message as events, the last one Ended or Failed."""
    if not body.strip():
        return [Failed(UpstreamError(Kind.EMPTY, "The provider answered with an empty body."))]
    answer = loads_object(body)
    if answer is None:
        return [Failed(UpstreamError(Kind.MALFORMED, NO_MESSAGE))]
    if text_in(answer.get("message")):
        return [Failed(failure_inside_answer(answer))]
    if not isinstance(answer.get("message"), dict):
        return [Failed(UpstreamError(Kind.MALFORMED, NO_MESSAGE))]
    reader = ChatReader(context)
    events = reader.message_start(answer)
    for event in as_stream(answer["message"], objects_in(answer.get("logprobs"))):
        events += reader.read(event)
    return events + reader.message_end({"delta": answer})


def as_stream(message: JsonObject, logprobs: list[dict[str, Any]]) -> list[JsonObject]:
    """The events between start and end that a message would have been."""
    events: list[JsonObject] = [streamed("tool-plan-delta", "tool_plan", message.get("tool_plan"))]
    for part in objects_in(message.get("content")):
        events.append(streamed("content-start", "content", part))
    events += [{"type": "content-delta", "logprobs": item} for item in logprobs]
    for call in objects_in(message.get("tool_calls")):
        function = object_in(call.get("function"))
        if function.get("arguments") == NO_CALL:
            call = {**call, "function": {**function, "arguments": ""}}
        events.append(streamed("tool-call-start", "tool_calls", call))
    return events + [streamed("citation-start", "citations", item) for item in objects_in(message.get("citations"))]


def streamed(kind: str, name: str, value: Any) -> JsonObject:
    return {"type": kind, "delta": {"message": {name: value}}}
