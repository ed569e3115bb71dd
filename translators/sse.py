"""Server-sent events, read incrementally and written (WHATWG HTML, "Server-sent events", §9.2.6).

Any cut of the bytes gives the same events. CRLF, LF and CR end lines; `data:` may lack its space; several data lines
are joined by LF; a last event without its blank line counts when the stream is closed.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event: `name` from `event:` (empty if none), `data` the joined data lines."""

    name: str
    data: bytes


class SseDecoder:
    """Bytes in, events out. `feed` gives the events that the bytes complete, `close` a last unfinished one."""

    __slots__ = ("_at_start", "_buffer", "_data", "_name", "comments")

    def __init__(self) -> None:
        self._buffer = b""
        self._name = ""
        self._data: list[bytes] = []
        self._at_start = True
        self.comments = 0
        """How many comment lines have been seen: signs of life without an event."""

    def feed(self, data: bytes) -> list[ServerEvent]:
        if self._at_start:
            data = self._without_byte_order_mark(data)
        data = self._buffer + data
        if b"\r" in data:
            # A CR at the very end may be the first half of a CRLF: it waits for the next bytes.
            held = data.endswith(b"\r")
            data = (data[:-1] if held else data).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            lines = data.split(b"\n")
            self._buffer = lines.pop() + (b"\r" if held else b"")
        else:
            lines = data.split(b"\n")
            self._buffer = lines.pop()
        events: list[ServerEvent] = []
        for line in lines:
            self._line(line, events)
        return events

    def close(self) -> list[ServerEvent]:
        events: list[ServerEvent] = []
        if self._buffer:
            self._line(self._buffer.rstrip(b"\r"), events)
            self._buffer = b""
        self._line(b"", events)
        return events

    def _without_byte_order_mark(self, data: bytes) -> bytes:
        data = self._buffer + data
        self._buffer = b""
        if b"\xef\xbb\xbf".startswith(data):
            self._buffer = data if len(data) < 3 else b""
            self._at_start = len(data) < 3
            return b""
        self._at_start = False
        return data.removeprefix(b"\xef\xbb\xbf")

    def _line(self, line: bytes, events: list[ServerEvent]) -> None:
        if not line:
            if self._data:
                events.append(ServerEvent(self._name, b"\n".join(self._data)))
                self._data = []
            self._name = ""
        elif line.startswith(b"data:"):
            value = line[6:] if line.startswith(b"data: ") else line[5:]
            # Some hosts send keep-alive comments as data (`data: : keepalive`).
            if value.lstrip().startswith(b":"):
                self.comments += 1
            else:
                self._data.append(value)
        elif line.startswith(b"event:"):
            self._name = line[6:].strip().decode("utf-8", "replace")
        elif line.startswith(b":"):
            self.comments += 1


def data_event(payload: bytes) -> bytes:
    """One `data:` event; `payload` has no line ends in it (JSON)."""
    return b"data: " + payload + b"\n\n"


DONE = b"data: [DONE]\n\n"
PING = b": ping\n"
"""A comment without a blank line: some clients take the blank line after a comment for an empty event."""
