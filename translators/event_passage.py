"""Server-sent events of a provider with the client's own wire: passed on as they came, and watched.

Watched for: the first real output, errors inside a 200, usage, the end. Bytes are changed only where the model is
renamed, and left out where nobody may see them: lines that are no JSON, keep-alives that look like data.
"""

from abc import ABC, abstractmethod
from typing import Any

from translators.base import AnswerIdentity
from translators.errors import Kind, UpstreamError
from translators.failures import failure_inside_answer, reports_failure
from translators.jsontext import dumps, loads_object, model_replaced, text_in
from translators.openai_answer import error_event
from translators.openai_events import CUT_SHORT, NO_ANSWER, read_usage
from translators.sse import BLANK_LINES, EVENT_STREAM, LineSplitter, data_event, event_name, is_disguised_comment
from translators.types import Usage

OUTPUT_FIELDS = ("delta", "text", "b64_json", "audio", "choices")
"""Members of an event that carry something of the answer."""
LAST_EVENTS = (".done", ".completed")
"""How the types of events end after which an answer is complete: transcript.text.done, image_edit.completed, …"""


class EventPassage(ABC):
    """An AnswerStream, frame by frame: a frame is what a blank line ends. A comment line of its own is one, too."""

    content_type = EVENT_STREAM

    def __init__(self, identity: AnswerIdentity) -> None:
        self._identity = identity
        self._lines = LineSplitter()
        self._frame: list[bytes] = []
        self.is_complete = False
        """Whether nothing is missing if the bytes end here."""
        self.has_output = False
        self.ended = False
        self.failure: UpstreamError | None = None
        self.usage: Usage | None = None

    @abstractmethod
    def read(self, event: dict[str, Any], frame: bytes) -> bytes:
        """An event that is no error: what goes to the client of the bytes that it is."""

    @abstractmethod
    def done(self, frame: bytes) -> bytes:
        """`[DONE]`, as the bytes in `frame` have it."""

    def feed(self, data: bytes) -> bytes:
        return self._pass(self._lines.feed(data))

    def close(self) -> bytes:
        passed = self._pass([line if line.endswith((b"\n", b"\r")) else line + b"\n" for line in self._lines.close()])
        if self._frame:
            passed += self._pass([b"\n"])
        if not (self.ended or self.failure):
            self.ended = self.is_complete
            self.failure = None if self.is_complete else UpstreamError(Kind.CLOSED, CUT_SHORT)
        return passed

    def last_words(self, error: UpstreamError) -> bytes:
        return error_event(error)

    def renamed(self, event: dict[str, Any], frame: bytes) -> bytes:
        """The frame with the client's name of the model in it."""
        if not self._identity.renamed or "model" not in event:
            return frame
        return model_replaced(frame, event, self._identity.model) or data_event(
            dumps(event | {"model": self._identity.model})
        )

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
            return self.done(whole)
        event = loads_object(payload)
        named_error = len(frame) > 1 and any(
            line.startswith(b"event:") and event_name(line) == "error" for line in frame
        )
        if named_error or (event is not None and reports_failure(event)):
            self.failure = failure_inside_answer(event or {"error": payload.decode("utf-8", "replace")})
            return b""
        if event is not None:
            return self.read(event, whole)
        # One bad line must not spoil the answer; a frame without data (an id, a retry time) does no harm.
        return b"" if payload else whole


class TypedEvents(EventPassage):
    """Events that say by their `type` what they are: of pictures, transcripts and speech.

    After the last of them the answer is complete, but not over: there may be another picture, and often `[DONE]`.
    (OpenAI API reference, "Image generation streaming events", "Create transcription", "Create speech".)
    """

    def read(self, event: dict[str, Any], frame: bytes) -> bytes:
        kind = text_in(event.get("type"))
        if kind == "error":
            self.failure = failure_inside_answer(event)
            return b""
        self.has_output = self.has_output or any(event.get(name) for name in OUTPUT_FIELDS)
        self.is_complete = self.is_complete or kind.endswith(LAST_EVENTS)
        self.usage = read_usage(event.get("usage")) or self.usage
        return self.renamed(event, frame)

    def done(self, frame: bytes) -> bytes:
        if not (self.has_output or self.is_complete):
            self.failure = UpstreamError(Kind.EMPTY, NO_ANSWER)
            return b""
        self.ended = True
        return frame
