"""HTTP/2 frames, written and read by hand, so that nothing is mended (RFC 9113)."""

import struct
from collections.abc import Awaitable, Callable, Iterator

import hpack

from tests.e2e.wire_recorder import End

Fields = tuple[tuple[str, str], ...]

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8
FRAME_SIZE = 16_384
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    """Section 4.1."""
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


SETTINGS_FRAME = frame(SETTINGS, payload=struct.pack("!HI", 4, (1 << 31) - 1))
"""SETTINGS_INITIAL_WINDOW_SIZE: all that there can be. What is sent to us need never wait."""
WIDE_OPEN = SETTINGS_FRAME + frame(WINDOW_UPDATE, payload=((1 << 31) - 1 - 65_535).to_bytes(4))
ACKNOWLEDGED = frame(SETTINGS, ACK)


class Writer:
    """Writes the frames of one side."""

    def __init__(self) -> None:
        self._encoder = hpack.Encoder()

    def head(self, stream: int, fields: Fields, *, ends: bool = False) -> bytes:
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
        first, *others = pieces(self._encoder.encode(encoded))
        flags = END_STREAM if ends else 0
        written = frame(HEADERS, flags if others else flags | END_HEADERS, stream, first)
        for number, piece in enumerate(others, 1):
            written += frame(CONTINUATION, END_HEADERS if number == len(others) else 0, stream, piece)
        return written

    def data(self, stream: int, body: bytes, *, ends: bool = True) -> bytes:
        *others, last = pieces(body)
        return b"".join(frame(DATA, 0, stream, each) for each in others) + frame(DATA, int(ends), stream, last)


def pieces(data: bytes) -> list[bytes]:
    return [data[start : start + FRAME_SIZE] for start in range(0, len(data), FRAME_SIZE)] or [b""]


def read_frames(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Kind, flags, stream and payload of each frame that has come whole."""
    position = 0
    while position + 9 <= len(data):
        end = position + 9 + int.from_bytes(data[position : position + 3])
        if end > len(data):
            return
        kind, flags, stream = struct.unpack("!BBI", data[position + 3 : position + 9])
        yield kind, flags, stream, data[position + 9 : end]
        position = end


def streams_of(data: bytes) -> object:
    """What was received, stream by stream: heads with their fields in order, all data, and how it ended.

    Left out is what depends on when bytes arrive: how data are cut into frames, and window updates.
    """
    beginning = beginning_of_frames(data)
    decoder = hpack.Decoder(max_header_list_size=1 << 20)
    streams: dict[int, list[tuple[object, ...]]] = {}
    block = b""
    for kind, flags, stream, payload in read_frames(data[beginning:]):
        if kind == WINDOW_UPDATE:
            continue
        seen = streams.setdefault(stream, [])
        if kind in (HEADERS, CONTINUATION):
            block += payload
            if flags & END_HEADERS:
                seen.append(("head", tuple(decoder.decode(block, raw=True))))
                block = b""
        elif kind == DATA:
            if seen and seen[-1][0] == "data":
                payload = bytes(seen.pop()[1]) + payload  # type: ignore[call-overload]
            seen.append(("data", payload))
        else:
            seen.append((kind, flags, payload))
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            seen.append(("end",))
    return data[:beginning], streams


def beginning_of_frames(data: bytes) -> int:
    """Behind a client's preface, or behind the answer to CONNECT, if there was one."""
    if data.startswith(PREFACE):
        return len(PREFACE)
    return data.find(b"\r\n\r\n") + 4 if data.startswith(b"HTTP/") else 0


def ended_streams(data: bytes) -> int:
    return sum(
        (kind in (DATA, HEADERS) and bool(flags & END_STREAM)) or kind == RST_STREAM
        for kind, flags, _, _ in read_frames(data[beginning_of_frames(data) :])
    )


def until_ended(number: int) -> Callable[[End], Awaitable[None]]:
    """Read until so many streams have ended."""

    async def step(end: End) -> None:
        while ended_streams(bytes(end.received)) < number and await end.more():
            pass

    return step
