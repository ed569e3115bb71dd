"""Gemini's generateContent, the answer: the chunks of a stream, or one whole answer → events of the middle.

Shapes: Gemini API reference, "GenerateContentResponse". A whole answer is a stream of one chunk; a JSON array, which
streams are where nobody asked for SSE, is read as its chunks.

There is no end marker: an answer is complete when its body ended and every candidate in it has a finishReason. Old
models put one on every chunk, so nothing is said to have finished before the end.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from translators.errors import Kind, UpstreamError
from translators.event_stream import EventStream
from translators.failures import failure_inside_answer, reports_failure
from translators.gemini_answer_parts import CandidateReader, JsonObject
from translators.jsontext import count_in, loads, loads_object, object_in, objects_in, text_in
from translators.sse import ServerEvent
from translators.types import Ended, Event, Failed, Started, Usage, UsageReport

SERVICE_TIERS = {"standard": "default", "flex": "flex", "priority": "priority"}
MOST_CANDIDATES = 128
"""More than anybody may ask for (OpenAI API reference, `n`)."""

CUT_SHORT = "The provider's stream ended before its answer was complete."
NO_ANSWER = "The provider's answer has no candidates."
NO_ANSWER_AT_ALL = "The provider's answer is not one of Gemini's API."


class AnswerReader:
    """One answer, chunk by chunk. `over`: nothing follows.

    `context` is the request's (see gemini_request.Draft): names of tools, the format of sound.
    """

    def __init__(self, context: Mapping[str, Any]) -> None:
        self._context = context
        self._candidates: dict[int, CandidateReader] = {}
        self._usage: JsonObject = {}
        self._feedback: JsonObject = {}
        self._id: str | None = None
        self._started = False
        self.over = False

    def read(self, chunk: JsonObject) -> list[Event]:
        """What a chunk says."""
        if reports_failure(chunk):
            self.over = True
            return [Failed(failure_inside_answer(chunk))]
        events: list[Event] = []
        self._feedback = object_in(chunk.get("promptFeedback")) or self._feedback
        candidates = objects_in(chunk.get("candidates"))
        if candidates and not self._started:
            self._started = True
            events.append(self._start(chunk))
        for position, candidate in enumerate(candidates):
            index = count_in(candidate.get("index", position))
            index = index if index < MOST_CANDIDATES else position
            if index not in self._candidates:
                self._candidates[index] = CandidateReader(index, self._id, self._context)
            events += self._candidates[index].read(candidate)
        usage = object_in(chunk.get("usageMetadata"))
        if usage:
            self._usage = self._usage | usage
            events.append(UsageReport(usage_of(self._usage)))
        return events

    def end(self, *, whole: bool) -> list[Event]:
        """The body has ended. `whole`: it was one JSON object, which cannot be half an answer."""
        if self.over:
            return []
        self.over = True
        candidates = [self._candidates[index] for index in sorted(self._candidates)]
        reason = text_in(self._feedback.get("blockReason"))
        if not candidates and reason:
            return [Failed(blocked(reason, text_in(self._feedback.get("blockReasonMessage"))))]
        if not candidates:
            return [Failed(UpstreamError(Kind.EMPTY, NO_ANSWER))]
        if not whole and not all(candidate.finish_reason for candidate in candidates):
            return [Failed(UpstreamError(Kind.CLOSED, CUT_SHORT))]
        events: list[Event] = []
        for candidate in candidates:
            failure = candidate.failure()
            if failure:
                return [*events, Failed(failure)]
            events += candidate.end()
        return [*events, Ended()]

    def _start(self, chunk: JsonObject) -> Started:
        self._id = text_in(chunk.get("responseId")) or None
        tier = SERVICE_TIERS.get(text_in(object_in(chunk.get("usageMetadata")).get("serviceTier")))
        return Started(
            self._id,
            text_in(chunk.get("modelVersion")).removeprefix("models/") or None,
            seconds(text_in(chunk.get("createTime"))),
            {"service_tier": tier} if tier else {},
        )


def seconds(time: str) -> int | None:
    """RFC 3339 → Unix seconds; None if it is no time."""
    try:
        return int(datetime.fromisoformat(time).timestamp()) if time.endswith("Z") else None
    except ValueError:
        return None


def blocked(reason: str, message: str) -> UpstreamError:
    """The prompt was refused: an error for the client at once, as OpenAI's and Azure's own filters make it."""
    return UpstreamError(
        Kind.BLOCKED,
        f"The provider's safety filter blocked the prompt: {reason}." + (f" {message}" if message else ""),
        status=400,
        type="invalid_request_error",
        code="content_filter",
    )


def usage_of(usage: JsonObject) -> Usage:
    """Gemini counts thoughts beside the candidates, and what its own tools read beside the prompt; OpenAI within."""
    thoughts = count_in(usage.get("thoughtsTokenCount"))
    return Usage(
        prompt=count_in(usage.get("promptTokenCount")) + count_in(usage.get("toolUsePromptTokenCount")),
        completion=count_in(usage.get("candidatesTokenCount")) + thoughts,
        cached=count_in(usage.get("cachedContentTokenCount")),
        reasoning=thoughts,
        total=count_in(usage.get("totalTokenCount")) or None,
    )


class AnswerStream(EventStream):
    """The stream: SSE bytes → events."""

    def __init__(self, context: Mapping[str, Any]) -> None:
        super().__init__()
        self._reader = AnswerReader(context)

    @property
    def over(self) -> bool:
        return self._reader.over

    def read(self, server_event: ServerEvent) -> Iterable[Event]:
        chunk = loads_object(server_event.data)
        return [] if chunk is None else self._reader.read(chunk)

    def end(self) -> Iterable[Event]:
        return self._reader.end(whole=False)


def whole_answer(body: bytes, context: Mapping[str, Any]) -> list[Event]:
    """A whole answer as events, the last one Ended or Failed."""
    if not body.strip():
        return [Failed(UpstreamError(Kind.EMPTY, "The provider answered with an empty body."))]
    try:
        answer = loads(body)
    except ValueError:
        return [Failed(UpstreamError(Kind.MALFORMED, NO_ANSWER_AT_ALL))]
    reader = AnswerReader(context)
    events: list[Event] = []
    for chunk in objects_in(answer if isinstance(answer, list) else [answer]):
        if not reader.over:
            events += reader.read(chunk)
    return events + reader.end(whole=not isinstance(answer, list))
