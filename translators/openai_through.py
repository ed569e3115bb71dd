"""Chat answers of a provider that speaks the client's own wire: passed on as they came, and watched.

As all events are (see event_passage.py); and usage that the client did not ask for is left out.
"""

from typing import Any

from translators.base import AnswerIdentity, WholeAnswer
from translators.errors import Kind, UpstreamError
from translators.event_passage import EventPassage
from translators.jsontext import dumps, is_json, model_replaced, object_in, objects_in
from translators.openai_events import (
    NO_ANSWER,
    SILENT_FIELDS,
    broken_off,
    checked_whole,
    chunk_usage,
    read_usage,
)

WORTH_A_LOOK = (
    *(b'"error"', b'"errors"', b'"insufficient_system_resource"', b'"success"'),
    *(b'"usage":{', b'"usage": {', b'"usage" ', b'"x_groq"'),
    *(b"[DONE]", b"\r"),
)
"""What in a stream that has begun calls for reading it: failures, usage, the end and unusual line ends."""


def through_whole(body: bytes, identity: AnswerIdentity) -> WholeAnswer:
    """A whole answer. Raises UpstreamError for a failure inside a 200."""
    answer = checked_whole(body)
    usage = read_usage(answer.get("usage"))
    if identity.renamed and "model" in answer:
        body = model_replaced(body, answer, identity.model) or dumps(answer | {"model": identity.model})
    return WholeAnswer(body, usage)


class ThroughStream(EventPassage):
    """A stream of chunks. Once it has begun, many of them go by with a single look."""

    def __init__(self, identity: AnswerIdentity) -> None:
        super().__init__(identity)
        self._finished = False

    def feed(self, data: bytes) -> bytes:
        passed: list[bytes] = []
        while data:
            length = self._calm_length(data)
            if length:
                passed.append(data[:length])
            else:
                length = len(data) if self._identity.renamed else data.find(b"\n\n") + 2
                length = length if length > 1 else len(data)
                passed.append(self._pass(self._lines.feed(data[:length])))
            data = data[length:]
        return b"".join(passed)

    def _calm_length(self, data: bytes) -> int:
        """How much of the data passes unread: nothing before the first output, nor in the middle of a frame."""
        if not self.has_output or self._identity.renamed or self._frame or self._lines.is_inside_line:
            return 0
        return 0 if self.ended or self.failure else calm_length(data)

    def done(self, frame: bytes) -> bytes:
        if not self.has_output and not self.usage and not self._finished:
            self.failure = UpstreamError(Kind.EMPTY, NO_ANSWER)
            return b""
        self.ended = True
        return frame

    def read(self, event: dict[str, Any], frame: bytes) -> bytes:
        choices = objects_in(event.get("choices"))
        for choice in choices:
            self.failure = broken_off(choice, event)
            if self.failure:
                return b""
            if not self.has_output:
                self._finished = self._finished or bool(choice.get("finish_reason"))
                self.has_output = self.says_something(choice)
        usage = chunk_usage(event)
        if usage is not None:
            self.usage = usage
            if not choices and not self._identity.include_usage:
                return b""
        return self.renamed(event, frame)

    def says_something(self, choice: dict[str, Any]) -> bool:
        """Whether a choice carries any of the answer: text, reasoning, calls, a refusal, sound, pictures."""
        return any(value for name, value in object_in(choice.get("delta")).items() if name not in SILENT_FIELDS)


def calm_length(data: bytes) -> int:
    """How many bytes at the start are whole frames of one line of JSON each, with nothing in them worth a look.

    All of them are searched and parsed at once, which is several times quicker than one by one.
    """
    end = data.rfind(b"\n\n") + 2
    for mark in WORTH_A_LOOK:
        position = data.find(mark, 0, end)
        if position >= 0:
            end = data.rfind(b"\n\n", 0, position) + 2
    if end < 2 or not data.startswith(b"data: {"):
        return 0
    frames = data.count(b"}\n\n", 0, end)
    shaped = data.count(b"\n", 0, end) == 2 * frames and data.count(b"\n\ndata: {", 0, end) == frames - 1
    return end if shaped and is_json(b"[" + data[6 : end - 2].replace(b"\n\ndata: {", b",{") + b"]") else 0
