"""HTTP/2 exchanges that are none of the gateway's, in a tunnel with TLS."""

import gzip
import itertools
from collections.abc import Iterator

from tests.e2e.exchanges import http1
from tests.e2e.exchanges.http1 import BINARY, CHAT, LARGE, ODD, Fields
from tests.e2e.http2_frames import (
    ACKNOWLEDGED,
    DATA,
    END_STREAM,
    GOAWAY,
    PADDED,
    PING,
    PREFACE,
    PRIORITY,
    RST_STREAM,
    WIDE_OPEN,
    Writer,
    frame,
    streams_of,
    until_ended,
)
from tests.e2e.wire_recorder import End, Exchange, Script, Step, hang_up, message, pause, reset

WHOSE = (("/v1/chat/completions", "api.openai.com"), ("/v1/files", "api.openai.com"), ("/v1/models", "other.example"))
"""Path and host of requests with an unknown key: an endpoint of the gateway's, none, another host's. In turn."""
KEY = ("authorization", "Bearer sk-the-apps-own-key")
LOWER = tuple((name.lower(), value) for name, value in ODD)
NO_ERROR, INTERNAL_ERROR, REFUSED_STREAM, CANCEL = (code.to_bytes(4) for code in (0, 2, 7, 8))
Shape = tuple[str, Script, Script]


class Asker:
    """Writes what one client sends."""

    def __init__(self, path: str, host: str) -> None:
        self._path, self._host = path, host
        self._writer = Writer()

    def head(self, fields: Fields = (), *, stream: int = 1, method: str = "POST", ends: bool = False) -> bytes:
        pseudo = ((":method", method), (":scheme", "https"), (":authority", self._host), (":path", self._path))
        return self._writer.head(stream, (*pseudo, KEY, *fields), ends=ends)

    def ask(self, fields: Fields = (), *, stream: int = 1, body: bytes = CHAT, method: str = "POST") -> bytes:
        length = ("content-length", str(len(body)))
        return self.head((*fields, length), stream=stream, method=method) + self._writer.data(stream, body)

    def trailers(self, fields: Fields, *, stream: int = 1) -> bytes:
        return self._writer.head(stream, fields, ends=True)


def status(number: int, fields: Fields = ()) -> Fields:
    return ((":status", str(number)), *fields)


OK = (status(200, (("content-type", "application/json"),)), b'{"ok": true}')
STARTED = WIDE_OPEN + ACKNOWLEDGED


def served(*answers: tuple[Fields, bytes], at_once: bool = False) -> Script:
    """A server that answers streams 1, 3, 5 …, each when it is complete, or all when all are."""
    writer = Writer()
    script: Script = (STARTED,)
    for number, (fields, body) in enumerate(answers):
        answer = writer.head(2 * number + 1, fields) + writer.data(2 * number + 1, body)
        script += (until_ended(len(answers) if at_once else number + 1), answer)
    return script


def whole_requests(whose: tuple[str, str]) -> dict[str, bytes]:
    """Requests that are sent at once and answered plainly."""

    def app() -> Asker:
        return Asker(*whose)

    return {
        "json": app().ask((("content-type", "application/json"),)),
        "large": app().ask(body=LARGE),
        "get": app().head(method="GET", ends=True),
        "delete": app().head(method="DELETE", ends=True),
        "options": app().head((("origin", "https://a.example"),), method="OPTIONS", ends=True),
        "unknown method": app().ask(method="PROPFIND"),
        "empty body": app().ask(body=b""),
        "no length": app().head() + frame(DATA, END_STREAM, 1, CHAT),
        "gzip": app().ask((("content-encoding", "gzip"),), body=gzip.compress(CHAT, mtime=0)),
        "odd fields": app().ask(LOWER),
        "latin-1": app().ask((("x-name", "caf\xe9 \xff"), ("empty", ""))),
        "long field": app().ask((("x-long", "y" * 30_000),)),
        "te": app().ask((("te", "trailers"),)),
        "padding": app().head() + frame(DATA, END_STREAM | PADDED, 1, b"\x05" + CHAT + bytes(5)),
        "upper case": app().ask((("X-Upper", "1"),)),
        "connection field": app().ask((("connection", "close"),)),
        "unknown frame": frame(0xFA, 0, 0, b"grease") + app().ask(),
        "priority": frame(PRIORITY, 0, 3, bytes(5)) + app().ask(),
        "ping": frame(PING, 0, 0, b"12345678") + app().ask(),
    }


def client_shapes(whose: tuple[str, str]) -> Iterator[Shape]:
    """What a client may do."""
    begun = PREFACE + WIDE_OPEN
    for name, sent in whole_requests(whose).items():
        yield name, (begun, sent, until_ended(1)), served(OK)
    app = Asker(*whose)
    whole = app.head() + frame(DATA, 0, 1, CHAT) + app.trailers((("x-sum", "1"),))
    yield "trailers", (begun, whole, until_ended(1)), served(OK)
    app = Asker(*whose)
    three = app.ask() + app.ask(LOWER, stream=3) + app.ask(stream=5)
    yield "three at once", (begun, three, until_ended(3)), served(OK, (status(404), b"none"), OK, at_once=True)
    app = Asker(*whose)
    in_turn: Script = (begun,)
    for number in range(4):
        in_turn += (app.ask(stream=2 * number + 1), until_ended(number + 1))
    yield "four in turn", in_turn, served(OK, OK, OK, OK)
    ask = Asker(*whose).ask()
    yield "in pieces", (PREFACE, pause(0.02), WIDE_OPEN, ask[:9], pause(0.02), ask[9:], until_ended(1)), served(OK)
    half = (begun + Asker(*whose).head(), pause(0.1), frame(RST_STREAM, 0, 1, CANCEL))
    yield "reset in the request", half, served(OK)
    waiting = (STARTED, until_ended(2))
    yield "reset before the answer", (begun + ask, pause(0.2), frame(RST_STREAM, 0, 1, CANCEL), pause(0.2)), waiting
    yield "client hangs up", (begun + ask, pause(0.2), hang_up), waiting
    *heard, answer = served(OK)
    goodbye = frame(GOAWAY, payload=bytes(8))
    yield "client says goodbye", (begun + ask + goodbye, until_ended(1)), (*heard, pause(0.3), answer)


def whole_answers() -> dict[str, tuple[Fields, bytes]]:
    """Answers that are sent at once."""
    return {
        "binary answer": (status(200), BINARY),
        "large answer": (status(200), LARGE),
        "empty answer": (status(200, (("content-length", "0"),)), b""),
        "odd fields in the answer": (status(200, LOWER), b"x"),
        "latin-1 in the answer": (status(200, (("x-name", "caf\xe9"), ("empty", ""))), b"x"),
        "gzip answer": (status(200, (("content-encoding", "gzip"),)), gzip.compress(BINARY, mtime=0)),
        "not found": (status(404), b'{"error": {}}'),
        "server error": (status(500), b""),
        "status 299": (status(299), b"x"),
        "wrong length": (status(200, (("content-length", "5"),)), b"too long"),
        "connection field in the answer": (status(200, (("connection", "close"),)), b"x"),
        "no status": ((("x-a", "1"),), b"x"),
    }


def server_shapes(whose: tuple[str, str]) -> Iterator[Shape]:
    """What a server may do."""
    asks = (PREFACE + WIDE_OPEN + Asker(*whose).ask(), until_ended(1))
    for name, answer in whole_answers().items():
        yield name, asks, served(answer)

    settled = (STARTED, until_ended(1), pause(0.1))
    """The request has come, and so has the acknowledgement of the settings."""

    def does(*script: Step) -> Script:
        return (*settled, *script)

    head = Writer().head(1, status(200))
    writer = Writer()
    hints = writer.head(1, status(103, (("link", "</a>"),))) + writer.head(1, status(200)) + writer.data(1, b"x")
    writer = Writer()
    with_trailers = writer.head(1, status(200)) + frame(DATA, 0, 1, b"x") + writer.head(1, (("x-sum", "1"),), ends=True)
    yield "no content", asks, does(Writer().head(1, status(204), ends=True))
    yield "not modified", asks, does(Writer().head(1, status(304, (("etag", '"1"'),)), ends=True))
    yield "hints first", asks, does(hints)
    yield "trailers in the answer", asks, does(with_trailers)
    for name, code in (("refused", REFUSED_STREAM), ("broken", INTERNAL_ERROR), ("cancelled", CANCEL)):
        yield f"{name} by the server", asks, does(frame(RST_STREAM, 0, 1, code))
    yield "broken in the answer", asks, does(head + frame(DATA, 0, 1, b"x"), frame(RST_STREAM, 0, 1, INTERNAL_ERROR))
    yield "goodbye instead of an answer", asks, does(frame(GOAWAY, payload=bytes(4) + NO_ERROR))
    yield (
        "goodbye with the answer",
        asks,
        does(head + frame(GOAWAY, payload=(1).to_bytes(4) + NO_ERROR) + frame(DATA, END_STREAM, 1, b"x")),
    )
    yield "server hangs up", asks, does(hang_up)
    yield "server hangs up in the answer", asks, does(head, pause(0.1), hang_up)
    yield "server resets the connection", asks, does(reset)
    trickle: Script = (frame(DATA, 0, 1, b"data: x\n\n"), pause(0.02)) * 9
    yield "event stream", asks, does(head, *trickle, frame(DATA, END_STREAM, 1))
    app = Asker(*whose)
    yield (
        "head",
        (PREFACE + WIDE_OPEN + app.head(method="HEAD", ends=True), until_ended(1)),
        does(Writer().head(1, status(200, (("content-length", "99"),)), ends=True)),
    )


async def ask_as_agreed(end: End) -> None:
    """In the protocol that the proxy has chosen of the two."""
    path, host = WHOSE[2]
    if end.protocol == "h2":
        await end.play((PREFACE + WIDE_OPEN + Asker(path, host).ask(), until_ended(1)))
    else:
        asked = http1.Asker(path, (("Host", host), http1.UNKNOWN_KEY)).ask()
        await end.play((asked.replace(b"{origin}", b""), message))


def http2_exchanges() -> list[Exchange]:
    made = []
    for position, whose in enumerate(WHOSE):
        for number, (name, client, server) in enumerate(itertools.chain(client_shapes(whose), server_shapes(whose))):
            if number % len(WHOSE) == position:
                made.append(Exchange(f"{name}, HTTP/2", client, (server,), ("h2",), read=streams_of))
    old_server = (http1.SERVED,)
    made.append(Exchange("either, server without HTTP/2", (ask_as_agreed,), old_server, ("h2", "http/1.1"), False))
    made.append(Exchange("HTTP/2, server without", (ask_as_agreed,), old_server, ("h2",), False, streams_of))
    return made
