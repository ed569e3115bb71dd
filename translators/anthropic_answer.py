"""Anthropic's Messages, the answer: events of a stream, or a whole message → events of the middle.

Shapes: Claude API reference, "Messages"; Claude documentation, "Streaming Messages", "Stop reasons and fallback".
A whole message is read as the stream that it would have been, so there is one path for both:

    message_start                              Started, UsageReport
    content_block_start, …_delta, …_stop       what the block makes of it, see anthropic_answer_blocks.py
    message_delta                              Finished, UsageReport
    message_stop                               Ended
    ping                                       KeepAlive
    error                                      Failed
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from translators.anthropic_answer_blocks import Block, JsonObject, Progress, open_block
from translators.errors import Kind, UpstreamError
from translators.event_stream import EventStream
from translators.failures import failure_inside_answer, reports_failure
from translators.jsontext import count_in, loads_object, object_in, objects_in, text_in
from translators.sse import ServerEvent
from translators.types import (
    Ended,
    Event,
    Extension,
    Failed,
    Finished,
    KeepAlive,
    RefusalDelta,
    Started,
    Usage,
    UsageReport,
)

FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
    # Not the end of what Claude had to say: the client sends the answer back and lets it go on.
    "pause_turn": "length",
    "compaction": "length",
}
"""stop_reason → finish_reason; whatever is not here ended by itself."""

SERVICE_TIERS = {"standard": "default", "priority": "priority", "batch": "batch"}

CUT_SHORT = "The provider's stream ended before its end marker."
NO_ANSWER = "The provider's stream ended without an answer."
NO_MESSAGE = "The provider's answer is not a message of Anthropic's API."


class UsageReader:
    """Usage comes twice, the second time not always whole: a number is set, never added and never made smaller."""

    __slots__ = ("_completion", "_fresh", "_read", "_thinking", "_tools", "_written")

    def __init__(self) -> None:
        self._fresh = self._read = self._written = self._completion = self._thinking = 0
        self._tools: dict[str, Any] = {}

    def read(self, usage: JsonObject) -> list[Event]:
        """Anthropic's input_tokens leaves out what the cache read and wrote; OpenAI's prompt_tokens includes it."""
        if not usage:
            return []
        self._fresh = max(self._fresh, count_in(usage.get("input_tokens")))
        self._read = max(self._read, count_in(usage.get("cache_read_input_tokens")))
        self._written = max(self._written, count_in(usage.get("cache_creation_input_tokens")))
        self._completion = max(self._completion, count_in(usage.get("output_tokens")))
        details = object_in(usage.get("output_tokens_details"))
        self._thinking = max(self._thinking, count_in(details.get("thinking_tokens")))
        self._tools = object_in(usage.get("server_tool_use")) or self._tools
        return [
            UsageReport(
                Usage(
                    prompt=self._fresh + self._read + self._written,
                    completion=self._completion,
                    cached=self._read,
                    cache_written=self._written,
                    reasoning=self._thinking,
                    extra={"server_tool_use": self._tools} if any(self._tools.values()) else {},
                )
            )
        ]


class MessageReader:
    """One answer, event by event. `over`: nothing follows.

    `context` is the request's (see anthropic_request.Draft): names of tools, the tool that stands for response_format.
    """

    def __init__(self, context: Mapping[str, Any]) -> None:
        self._progress = Progress(context.get("tools", {}), context.get("answer_tool"))
        self._open: dict[int, Block] = {}
        self._usage = UsageReader()
        self._started = False
        self._finished = False
        self.over = False

    def read(self, event: JsonObject) -> list[Event]:
        """What an event of the stream says; nothing if it is of an unknown type."""
        handler = HANDLERS.get(text_in(event.get("type")))
        return handler(self, event) if handler else []

    def message_start(self, event: JsonObject) -> list[Event]:
        self._started = True
        message = object_in(event.get("message"))
        self._progress.answer_id = text_in(message.get("id"))
        usage = object_in(message.get("usage"))
        tier = SERVICE_TIERS.get(text_in(usage.get("service_tier")))
        started = Started(
            text_in(message.get("id")) or None,
            text_in(message.get("model")) or None,
            extra={"service_tier": tier} if tier else {},
        )
        return [started, *self._usage.read(usage)]

    def block_start(self, event: JsonObject) -> list[Event]:
        self._started = True
        events = self.block_stop(event)  # Of a block that stood at this index and was never stopped.
        raw = object_in(event.get("content_block"))
        block = open_block(raw, self._progress)
        self._open[count_in(event.get("index"))] = block
        return events + block.start(raw)

    def block_delta(self, event: JsonObject) -> list[Event]:
        block = self._open.get(count_in(event.get("index")))
        return block.delta(object_in(event.get("delta"))) if block else []

    def block_stop(self, event: JsonObject) -> list[Event]:
        block = self._open.pop(count_in(event.get("index")), None)
        return block.stop() if block else []

    def message_delta(self, event: JsonObject) -> list[Event]:
        delta = object_in(event.get("delta"))
        events: list[Event] = []
        if delta.get("container"):
            events.append(Extension("container", delta["container"]))
        reason = text_in(delta.get("stop_reason"))
        if reason:
            events += self._finish(reason, object_in(delta.get("stop_details")))
        return events + self._usage.read(object_in(event.get("usage")))

    def message_stop(self, event: JsonObject) -> list[Event]:
        self.over = True
        if not self._started:
            return [Failed(UpstreamError(Kind.EMPTY, NO_ANSWER))]
        return [*self._finish("end_turn", {}), Ended()]

    def ping(self, event: JsonObject) -> list[Event]:
        return [KeepAlive()]

    def error(self, event: JsonObject) -> list[Event]:
        self.over = True
        return [Failed(failure_inside_answer(event))]

    def _finish(self, reason: str, details: JsonObject) -> list[Event]:
        if self._finished:
            return []
        self._finished = True
        events: list[Event] = []
        for block in self._open.values():  # Some hosts do not close the last one.
            events += block.stop()
        self._open.clear()
        explanation = text_in(details.get("explanation"))
        if explanation:
            events.append(RefusalDelta(explanation))
        finish = FINISH_REASONS.get(reason, "stop")
        if finish == "tool_calls" and not self._progress.calls:
            finish = "stop"  # Only the tool that stands for response_format was called.
        return [*events, Finished(finish, native=reason)]


HANDLERS: Mapping[str, Callable[[MessageReader, JsonObject], list[Event]]] = {
    "content_block_delta": MessageReader.block_delta,
    "content_block_start": MessageReader.block_start,
    "content_block_stop": MessageReader.block_stop,
    "message_start": MessageReader.message_start,
    "message_delta": MessageReader.message_delta,
    "message_stop": MessageReader.message_stop,
    "ping": MessageReader.ping,
    "error": MessageReader.error,
}


class MessageStream(EventStream):
    """The stream: SSE bytes → events. `message_stop` ends it; without it the stream was cut."""

    def __init__(self, context: Mapping[str, Any]) -> None:
        super().__init__()
        self._reader = MessageReader(context)

    @property
    def over(self) -> bool:
        return self._reader.over

    def read(self, server_event: ServerEvent) -> Iterable[Event]:
        event = loads_object(server_event.data)
        if event is None:
            words = server_event.data.decode("utf-8", "replace")
            return self._reader.error({"error": words}) if server_event.name == "error" else []
        if "type" not in event:
            event["type"] = "error" if reports_failure(event) else server_event.name
        return self._reader.read(event)

    def end(self) -> list[Event]:
        if self.over:
            return []
        self._reader.over = True
        return [Failed(UpstreamError(Kind.CLOSED, CUT_SHORT))]


def whole_message(body: bytes, context: Mapping[str, Any]) -> list[Event]:
    """A whole message as events, the last one Ended or Failed."""
    if not body.strip():
        return [Failed(UpstreamError(Kind.EMPTY, "The provider answered with an empty body."))]
    message = loads_object(body)
    if message is None:
        return [Failed(UpstreamError(Kind.MALFORMED, NO_MESSAGE))]
    if message.get("type") == "error" or reports_failure(message):
        return [Failed(failure_inside_answer(message))]
    if not isinstance(message.get("content"), list):
        return [Failed(UpstreamError(Kind.MALFORMED, NO_MESSAGE))]
    reader = MessageReader(context)
    events = reader.message_start({"message": message})
    for index, block in enumerate(objects_in(message["content"])):
        events += reader.block_start({"index": index, "content_block": block})
        events += reader.block_stop({"index": index})
    events += reader.message_delta({"delta": message, "usage": message.get("usage")})
    return events + reader.message_stop({})
