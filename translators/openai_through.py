"""Answers of a provider that speaks the client's own wire: passed on as they came, and watched.

Watched for: the first real output, errors inside a 200, usage, the end marker. Bytes are changed only where the model
is renamed, and where usage comes that the client did not ask for.
"""

import re
from typing import Any

from translators.base import AnswerIdentity, WholeAnswer
from translators.errors import Kind, UpstreamError
from translators.failures import failure_inside_answer
from translators.jsontext import dumps, loads_object
from translators.openai_events import CUT_SHORT, checked_whole, read_usage
from translators.sse import data_event
from translators.types import Usage

FRAME_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
WORTH_A_LOOK = re.compile(rb'"error"|"usage"(?!\s*:\s*null)|\[DONE\]|"finish_reason"\s*:\s*"error"')
"""What in a piece of the stream calls for reading it, once output has begun and nothing is renamed."""
SILENT_FIELDS = ("role",)


def through_whole(body: bytes, identity: AnswerIdentity) -> WholeAnswer:
    """A whole answer. Raises UpstreamError for a failure inside a 200."""
    answer = checked_whole(body)
    if answer["choices"][0].get("finish_reason") == "error":
        raise failure_inside_answer(answer["choices"][0])
    if identity.renamed:
        body = dumps(answer | {"model": identity.model})
    return WholeAnswer(body, read_usage(answer.get("usage")))


class ThroughStream:
    """A stream, frame by frame; after the first output piece by piece, as the bytes arrive."""

    def __init__(self, identity: AnswerIdentity) -> None:
        self._identity = identity
        self._buffer = b""
        self._finished = False
        self.has_output = False
        self.ended = False
        self.failure: UpstreamError | None = None
        self.usage: Usage | None = None

    def feed(self, data: bytes) -> bytes:
        if self.ended or self.failure:
            return b""
        data = self._buffer + data if self._buffer else data
        if data.endswith(b"\n\n"):
            end = len(data)
        else:
            # The last frame's end; a frame is rarely cut, so looking through all of them costs little.
            end = max((match.end() for match in FRAME_END.finditer(data)), default=0)
        self._buffer = data[end:]
        complete = data[:end]
        if self.has_output and not self._identity.renamed and not WORTH_A_LOOK.search(complete):
            return complete
        return b"".join(self._frames(complete))

    def close(self) -> bytes:
        rest = b"".join(self._frames(self._buffer + b"\n\n")) if self._buffer.strip() else b""
        self._buffer = b""
        if not (self.ended or self.failure):
            self.failure = UpstreamError(Kind.CLOSED, CUT_SHORT)
        return rest

    def last_words(self, error: UpstreamError) -> bytes:
        return b"event: error\n" + data_event(error.body())

    def _frames(self, data: bytes) -> list[bytes]:
        passed: list[bytes] = []
        start = 0
        for match in FRAME_END.finditer(data):
            if self.ended or self.failure:
                break
            passed.append(self._frame(data[start : match.end()]))
            start = match.end()
        return passed

    def _frame(self, frame: bytes) -> bytes:
        payload = frame_data(frame)
        if payload is None:
            return frame  # A comment, an id, a retry time.
        if payload.strip() == b"[DONE]":
            return self._done(frame)
        chunk = loads_object(payload)
        if chunk is None:
            return b""  # One bad line must not spoil the answer.
        return self._chunk(chunk, frame)

    def _done(self, frame: bytes) -> bytes:
        if not self.has_output and not self.usage and not self._finished:
            self.failure = UpstreamError(Kind.EMPTY, "The provider's stream ended without an answer.")
            return b""
        self.ended = True
        return frame

    def _chunk(self, chunk: dict[str, Any], frame: bytes) -> bytes:
        choices = chunk.get("choices") or []
        if chunk.get("error"):
            self.failure = failure_inside_answer(chunk)
            return b""
        for choice in choices:
            if choice.get("finish_reason") == "error":
                self.failure = failure_inside_answer(choice if choice.get("error") else chunk)
                return b""
            self._finished = self._finished or bool(choice.get("finish_reason"))
            self.has_output = self.has_output or says_something(choice.get("delta") or {})
        usage = read_usage(chunk.get("usage") or (chunk.get("x_groq") or {}).get("usage"))
        if usage is not None:
            self.usage = usage
            if not choices and not self._identity.include_usage:
                return b""
        if self._identity.renamed and "model" in chunk:
            return data_event(dumps(chunk | {"model": self._identity.model}))
        return frame


def frame_data(frame: bytes) -> bytes | None:
    """The joined data lines of one frame; None if it has none."""
    lines = [line[5:].removeprefix(b" ") for line in frame.splitlines() if line.startswith(b"data:")]
    # Some hosts send keep-alive comments as data (`data: : keepalive`).
    lines = [line for line in lines if not line.lstrip().startswith(b":")]
    return b"\n".join(lines) if lines else None


def says_something(delta: dict[str, Any]) -> bool:
    """Whether a delta carries any of the answer: text, reasoning, calls, a refusal, sound, pictures."""
    return any(value for name, value in delta.items() if name not in SILENT_FIELDS)
