"""Answers of a provider that speaks the client's own wire: passed on as they came, and watched.

Watched for: the first real output, errors inside a 200, usage, the end marker. Bytes are changed only where the model
is renamed, and left out where nobody may see them: usage that the client did not ask for, lines that are no JSON,
keep-alives that look like data.
"""

from typing import Any

from translators.base import AnswerIdentity, WholeAnswer
from translators.errors import Kind, UpstreamError
from translators.failures import failure_inside_answer, reports_failure
from translators.jsontext import dumps, is_json, loads_object, model_replaced, object_in, objects_in
from translators.openai_answer import error_event
from translators.openai_events import (
    CUT_SHORT,
    NO_ANSWER,
    SILENT_FIELDS,
    broken_off,
    checked_whole,
    chunk_usage,
    read_usage,
)
from translators.sse import BLANK_LINES, EVENT_STREAM, LineSplitter, data_event, event_name, is_disguised_comment
from translators.types import Usage

WORTH_A_LOOK = (b'"error"', b'"errors"', b"[DONE]", b'"usage":{', b'"usage": {', b'"x_groq"', b'"success"', b"\r")
"""What in a stream that has begun calls for reading it: failures, the end, usage, unusual line ends."""


def through_whole(body: bytes, identity: AnswerIdentity) -> WholeAnswer:
    """A whole answer. Raises UpstreamError for a failure inside a 200."""
    answer = checked_whole(body)
    usage = read_usage(answer.get("usage"))
    if identity.renamed and "model" in answer:
        body = model_replaced(body, answer, identity.model) or dumps(answer | {"model": identity.model})
    return WholeAnswer(body, usage)


class ThroughStream:
    """A stream, frame by frame: a frame is what a blank line ends. A comment line of its own goes out at once."""

    content_type = EVENT_STREAM

    def __init__(self, identity: AnswerIdentity) -> None:
        self._identity = identity
        self._lines = LineSplitter()
        self._frame: list[bytes] = []
        self._finished = False
        self.has_output = False
        self.ended = False
        self.failure: UpstreamError | None = None
        self.usage: Usage | None = None

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

    def close(self) -> bytes:
        passed = self._pass([line if line.endswith((b"\n", b"\r")) else line + b"\n" for line in self._lines.close()])
        if self._frame:
            passed += self._pass([b"\n"])
        if not (self.ended or self.failure):
            self.failure = UpstreamError(Kind.CLOSED, CUT_SHORT)
        return passed

    def last_words(self, error: UpstreamError) -> bytes:
        return error_event(error)

    def _calm_length(self, data: bytes) -> int:
        """How much of the data passes unread: nothing before the first output, nor in the middle of a frame."""
        if not self.has_output or self._identity.renamed or self._frame or self._lines.is_inside_line:
            return 0
        return 0 if self.ended or self.failure else calm_length(data)

    def _pass(self, lines: list[bytes]) -> bytes:
        passed: list[bytes] = []
        for line in lines:
            if self.ended or self.failure:
                break
            if line in BLANK_LINES:
                frame, self._frame = self._frame, []
                passed.append(self._pass_frame(frame, line) if frame else line)
            elif line.startswith(b":") and not self._frame:
                passed.append(line)
            else:
                self._frame.append(line)
        return b"".join(passed)

    def _pass_frame(self, frame: list[bytes], blank_line: bytes) -> bytes:
        frame = [line for line in frame if not is_disguised_comment(line)]
        if not frame:
            return b""
        whole = b"".join([*frame, blank_line])
        payload = b"".join([line[5:] for line in frame if line.startswith(b"data:")]).strip()
        if payload == b"[DONE]":
            return self._done(whole)
        chunk = loads_object(payload)
        named_error = len(frame) > 1 and any(
            line.startswith(b"event:") and event_name(line) == "error" for line in frame
        )
        if named_error or (chunk is not None and reports_failure(chunk)):
            self.failure = failure_inside_answer(chunk or {"error": payload.decode("utf-8", "replace")})
            return b""
        if chunk is not None:
            return self._chunk(chunk, whole)
        # One bad line must not spoil the answer; a frame without data (an id, a retry time) does no harm.
        return b"" if payload else whole

    def _done(self, frame: bytes) -> bytes:
        if not self.has_output and not self.usage and not self._finished:
            self.failure = UpstreamError(Kind.EMPTY, NO_ANSWER)
            return b""
        self.ended = True
        return frame

    def _chunk(self, chunk: dict[str, Any], frame: bytes) -> bytes:
        choices = objects_in(chunk.get("choices"))
        for choice in choices:
            self.failure = broken_off(choice, chunk)
            if self.failure:
                return b""
            if not self.has_output:
                self._finished = self._finished or bool(choice.get("finish_reason"))
                self.has_output = says_something(object_in(choice.get("delta")))
        usage = chunk_usage(chunk)
        if usage is not None:
            self.usage = usage
            if not choices and not self._identity.include_usage:
                return b""
        if not self._identity.renamed or "model" not in chunk:
            return frame
        return model_replaced(frame, chunk, self._identity.model) or data_event(
            dumps(chunk | {"model": self._identity.model})
        )


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


def says_something(delta: dict[str, Any]) -> bool:
    """Whether a delta carries any of the answer: text, reasoning, calls, a refusal, sound, pictures."""
    return any(value for name, value in delta.items() if name not in SILENT_FIELDS)
