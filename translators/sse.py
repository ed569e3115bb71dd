"""Server-sent events, read incrementally and written (WHATWG HTML, "Server-sent events", §9.2.6).

Any cut of the bytes gives the same events. CRLF, LF and CR end lines; `data:` may lack its space; several data lines
are joined by LF; a last event without its blank line counts when the stream is closed.
"""

from typing import NamedTuple

EVENT_STREAM = "text/event-stream; charset=utf-8"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BLANK_LINES = (b"\n", b"\r\n", b"\r")


class LineSplitter:
    """Bytes in, whole lines out, each with the CRLF, LF or CR that ends it. Without a byte order mark at the start."""

    __slots__ = ("_at_start", "_pieces")

    def __init__(self) -> None:
        self._at_start = True
        self._pieces: list[bytes] = []
        """The unfinished line: joined only when its end has come, so that a long line costs no more than its length."""

    def feed(self, data: bytes) -> list[bytes]:
        if self._pieces:
            self._pieces.append(data)
            if b"\n" not in data and b"\r" not in data:
                return []
            data = b"".join(self._pieces)
        lines = data.splitlines(keepends=True)
        # A CR at the very end may be the first half of a CRLF: it waits for the next bytes.
        self._pieces = [lines.pop()] if lines and not lines[-1].endswith(b"\n") else []
        return self._without_mark(lines)

    @property
    def is_inside_line(self) -> bool:
        """Whether the beginning of a line has come and its end has not."""
        return bool(self._pieces)

    def close(self) -> list[bytes]:
        """What is left; the last line may lack its end."""
        lines = b"".join(self._pieces).splitlines(keepends=True)
        self._pieces = []
        return self._without_mark(lines)

    def _without_mark(self, lines: list[bytes]) -> list[bytes]:
        if self._at_start and lines:
            self._at_start = False
            lines[0] = lines[0].removeprefix(BYTE_ORDER_MARK)
        return lines


def is_disguised_comment(line: bytes) -> bool:
    """Whether a line is a keep-alive that looks like data, as some hosts send it: `data: : keepalive`."""
    return line.startswith(b"data:") and line[5:].lstrip().startswith(b":")


def event_name(line: bytes) -> str:
    """The value of an `event:` line."""
    return line[6:].strip().decode("utf-8", "replace")


class ServerEvent(NamedTuple):
    """One event: `name` from `event:` (empty if none), `data` the joined data lines."""

    name: str
    data: bytes


class SseDecoder:
    """Bytes in, events out. `feed` gives the events that the bytes complete, `close` a last unfinished one."""

    __slots__ = ("_data", "_lines", "_name", "comments")

    def __init__(self) -> None:
        self._lines = LineSplitter()
        self._name = ""
        self._data: list[bytes] = []
        self.comments = 0
        """How many comment lines have been seen: signs of life without an event."""

    def feed(self, data: bytes) -> list[ServerEvent]:
        return self._events(self._lines.feed(data))

    def close(self) -> list[ServerEvent]:
        return self._events([*self._lines.close(), b"\n"])

    def _events(self, lines: list[bytes]) -> list[ServerEvent]:
        events: list[ServerEvent] = []
        for line in lines:
            if line.startswith(b"data:"):
                value = line[5:].rstrip(b"\r\n").removeprefix(b" ")
                if value.lstrip().startswith(b":"):  # A keep-alive that looks like data.
                    self.comments += 1
                else:
                    self._data.append(value)
            elif line in BLANK_LINES:
                if self._data:
                    data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
                    events.append(ServerEvent(self._name, data))
                    self._data = []
                self._name = ""
            elif line.startswith(b"event:"):
                self._name = event_name(line)
            elif line.startswith(b":"):
                self.comments += 1
        return events


def data_event(payload: bytes) -> bytes:
    """One `data:` event; `payload` has no line ends in it (JSON)."""
    return b"data: " + payload + b"\n\n"


DONE = b"data: [DONE]\n\n"
PING = b": ping\n"
"""A comment without a blank line: some clients take the blank line after a comment for an empty event."""
