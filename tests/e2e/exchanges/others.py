"""WebSockets, and tunnels with something else than HTTP in them."""

import zlib

from tests.e2e.exchanges.http1 import SERVED, UNKNOWN_KEY, Asker, answer, lines
from tests.e2e.wire_recorder import Exchange, Script, Step, bytes_to_come, hang_up, head, message, pause

MASK = bytes([0x37, 0xFA, 0x21, 0x3D])
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
AS_LONG_AS_IT_TAKES = 1.5
"""Seconds after which a connection to the server has been opened for a silent client, in every mode."""
WHOSE = (("/v1/realtime?model=x", "api.openai.com"), ("/v1/chat/completions", "{authority}"))


def ws_frame(
    kind: int, payload: bytes = b"", *, masked: bool = False, last: bool = True, compressed: bool = False
) -> bytes:
    """RFC 6455, section 5.2."""
    first = kind | (0x80 if last else 0) | (0x40 if compressed else 0)
    if len(payload) < 126:
        length = bytes([len(payload)])
    elif len(payload) < 1 << 16:
        length = b"\x7e" + len(payload).to_bytes(2)
    else:
        length = b"\x7f" + len(payload).to_bytes(8)
    if not masked:
        return bytes([first]) + length + payload
    return bytes([first, length[0] | 0x80]) + length[1:] + MASK + apply_mask(payload, MASK)


def apply_mask(payload: bytes, mask: bytes) -> bytes:
    repeated = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload) ^ int.from_bytes(repeated)).to_bytes(len(payload))


def unmasked(data: bytes) -> object:
    """Heads as they are, then frames without their masks, which a sender draws at random."""
    heads, _, rest = data.rpartition(b"\r\n\r\n")
    frames = []
    while len(rest) >= 2:
        size, position = rest[1] & 0x7F, 2
        if size >= 126:
            position += 2 if size == 126 else 8
            size = int.from_bytes(rest[2:position])
        mask = rest[position : position + 4] if rest[1] & 0x80 else b""
        position += len(mask)
        payload = rest[position : position + size]
        frames.append((rest[0], bool(mask), apply_mask(payload, mask) if mask else payload))
        rest = rest[position + size :]
    return heads, frames, rest


def message_pairs() -> dict[str, tuple[bytes, bytes]]:
    """What the client says in frames, and what the server says to it."""

    def ask(kind: int, payload: bytes = b"", *, last: bool = True) -> bytes:
        return ws_frame(kind, payload, masked=True, last=last)

    goodbye = (1000).to_bytes(2) + b"bye"
    return {
        "text": (ask(TEXT, b"hello"), ws_frame(TEXT, "w\xf6rld".encode())),
        "binary": (ask(BINARY, bytes(range(256))), ws_frame(BINARY, bytes(300))),
        "empty messages": (ask(TEXT), ws_frame(BINARY)),
        "large messages": (ask(BINARY, b"x" * 200_000), ws_frame(BINARY, b"y" * 200_000)),
        "fragments": (
            ask(TEXT, b"hel", last=False) + ask(0, b"lo", last=False) + ask(0, b"!"),
            ws_frame(BINARY, b"a", last=False) + ws_frame(0, b"b"),
        ),
        "ping and pong": (ask(PING, b"p1") + ask(TEXT, b"x"), ws_frame(PONG, b"p1") + ws_frame(TEXT, b"x")),
        "many messages": (ask(TEXT, b"x") * 50, ws_frame(TEXT, b"y") * 50),
        "client closes": (ask(TEXT, b"x") + ask(CLOSE, goodbye), b""),
        "server closes": (ask(TEXT, b"x"), ws_frame(CLOSE, (1011).to_bytes(2) + b"broken")),
        "closes without a word": (ask(CLOSE), b""),
    }


def websockets(app: Asker) -> list[tuple[str, Script, Script]]:
    """Upgrades with everything that follows."""
    fields = (
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    )
    accepted = (*fields[:2], ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
    deflate = (("Sec-WebSocket-Extensions", "permessage-deflate"),)
    asked, upgraded = (app.head(fields, method="GET"), head), lines("HTTP/1.1 101 Switching Protocols", accepted)
    found = [
        (name, (*asked, said, bytes_to_come(len(heard))), (head, upgraded, bytes_to_come(len(said)), heard))
        for name, (said, heard) in message_pairs().items()
    ]
    compressor = zlib.compressobj(wbits=-15)
    packed = (compressor.compress(b"hello" * 50) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]
    packed_frames = [ws_frame(TEXT, packed, masked=masked, compressed=True) for masked in (True, False)]
    return [
        *found,
        ("refused", (app.head(fields, method="GET"), message), (head, answer(status="403 Forbidden"))),
        (
            "compressed",
            (app.head((*fields, *deflate), method="GET"), head, packed_frames[0], pause(0.3)),
            (head, lines("HTTP/1.1 101 Switching Protocols", (*accepted, *deflate)), pause(0.1), packed_frames[1]),
        ),
        ("client hangs up", (*asked, pause(0.1), hang_up), (head, upgraded)),
        ("server hangs up", asked, (head, upgraded, pause(0.1), hang_up)),
    ]


def tunnels() -> list[Exchange]:
    """What is said in a tunnel need not be HTTP, nor lead anywhere."""

    def tunnel(name: str, client: Script, *server: Step) -> Exchange:
        return Exchange(f"{name} in a bare tunnel", client, (server,), ())

    whole = Asker("/v1/files", (("Host", "api.openai.com"), UNKNOWN_KEY)).ask().replace(b"{origin}", b"")
    return [
        tunnel("plain http", (whole, message), *SERVED),
        tunnel("client first", (b"\x00\x01hello", bytes_to_come(5)), bytes_to_come(7), b"world"),
        tunnel("server first", (pause(0.3), b"QUIT", bytes_to_come(3)), b"220 \n", bytes_to_come(4), b"bye"),
        tunnel("server first, then gone", (pause(AS_LONG_AS_IT_TAKES),), b"220 \n", pause(0.1), hang_up),
        tunnel("silence", (pause(AS_LONG_AS_IT_TAKES),), pause(0.1)),
        Exchange("tunnel to nowhere", (b"CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n", head), ((),)),
        Exchange("tunnel without a port", (b"CONNECT 127.0.0.1 HTTP/1.1\r\n\r\n", head), ((),)),
        Exchange(
            "request to nowhere", (b"GET http://127.0.0.1:1/v1/models HTTP/1.1\r\nHost: x\r\n\r\n", message), ((),)
        ),
    ]


def other_exchanges() -> list[Exchange]:
    made = tunnels()
    for position, (path, host) in enumerate(WHOSE):
        found = websockets(Asker(path, (("Host", host), UNKNOWN_KEY)))
        for number, (name, client, server) in enumerate(found):
            door = ("http/1.1",) if number % 2 == position else None
            place = "plain" if door is None else "in a tunnel"
            made.append(Exchange(f"WebSocket, {name}, {place}", client, (server,), door, read=unmasked))
    return made
