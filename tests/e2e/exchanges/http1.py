"""HTTP/1 exchanges that are none of the gateway's: tables of shapes, and more thrown with a seed.

Each is played plain, as a proxy is asked for http://, and again with TLS inside a tunnel.
"""

import gzip
import itertools
import random
import zlib
from collections.abc import Iterator

from tests.e2e.wire_recorder import Exchange, Script, bytes_to_come, hang_up, head, message, pause, reset

Fields = tuple[tuple[str, str], ...]
Shape = tuple[str, Script, tuple[Script, ...]]
"""A name, what the client does, and what the server does on each connection."""

CHAT = b'{"model": "gpt-4o", "stream": true, "messages": [{"role": "user", "content": "hello"}]}'
BINARY = bytes(range(256)) * 9
LARGE = random.Random(7).randbytes(1_500_000)
JSON = (("Content-Type", "application/json"),)
CHUNKED = (("Transfer-Encoding", "chunked"),)
ODD = (("X-B", "2"), ("x-a", "1"), ("X-B", "3"), ("ACCEPT", "*/*"), ("cookie", "a=1"), ("Cookie", "b=2"))
LATIN_1 = (("X-Name", "caf\xe9 \xff"), ("Empty", ""), ("Spaces", "  a  b  "))

UNKNOWN_KEY = ("Authorization", "Bearer sk-the-apps-own-key")
WHOSE: tuple[tuple[str, Fields], ...] = (
    ("/v1/chat/completions", (("Host", "api.openai.com"), UNKNOWN_KEY)),
    ("/v1/files?purpose=batch", (("Host", "api.openai.com"), UNKNOWN_KEY)),
    ("/v1/chat/completions", (("Host", "{authority}"), UNKNOWN_KEY)),
    ("/v1/models", (("x-api-key", "their-own"), ("HOST", "api.openai.com"))),
)
"""Path and fields by which a request is nobody's but the app's: an endpoint of the gateway's, but a key that it does
not know; no endpoint; another host. The shapes take them in turn."""


def lines(first: str, fields: Fields) -> bytes:
    return "\r\n".join([first, *(f"{name}: {value}" for name, value in fields), "", ""]).encode("latin-1")


def with_length(fields: Fields, body: bytes) -> Fields:
    return (*fields, ("Content-Length", str(len(body))))


def chunks(*pieces: bytes, extension: bytes = b"", trailers: bytes = b"") -> bytes:
    return b"".join(b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces) + b"0\r\n%s\r\n" % trailers


class Asker:
    """Writes the requests of one kind, see WHOSE."""

    def __init__(self, path: str, whose: Fields) -> None:
        self.path = path
        self._whose = whose

    def head(self, fields: Fields = (), *, method: str = "POST", path: str = "", version: str = "HTTP/1.1") -> bytes:
        return lines(f"{method} {{origin}}{path or self.path} {version}", (*self._whose, *fields))

    def ask(self, fields: Fields = (), body: bytes = CHAT, **how: str) -> bytes:
        return self.head(with_length(fields, body), **how) + body

    def ask_in_chunks(self, *pieces: bytes, fields: Fields = (), **how: bytes) -> bytes:
        return self.head((*fields, *CHUNKED)) + chunks(*pieces, **how)


def answer(body: bytes = b'{"ok": true}', fields: Fields = JSON, *, status: str = "200 OK", v: str = "1.1") -> bytes:
    return lines(f"HTTP/{v} {status}", with_length(fields, body)) + body


def answer_in_chunks(*pieces: bytes, fields: Fields = (), **how: bytes) -> bytes:
    return lines("HTTP/1.1 200 OK", (*fields, *CHUNKED)) + chunks(*pieces, **how)


SERVED: Script = (message, answer())


def whole_requests(app: Asker) -> dict[str, bytes]:
    """Requests that are sent at once and answered plainly."""
    return {
        "json": app.ask(JSON),
        "binary": app.ask(body=BINARY),
        "large": app.ask(body=LARGE),
        "without body": app.head(),
        "content-length 0": app.ask(body=b""),
        "gzip": app.ask((("Content-Encoding", "gzip"),), gzip.compress(CHAT, mtime=0)),
        "not really gzip": app.ask((("Content-Encoding", "gzip"),)),
        "odd fields": app.ask(ODD),
        "latin-1": app.ask(LATIN_1),
        "long field": app.ask((("X-Long", "y" * 20_000),)),
        "query": app.ask(path=f"{app.path}?a=%20&b=%C3%A9&&c==;d"),
        "strange path": app.ask(path="//v1/./chat/../%7Efiles%2F/"),
        "proxy fields": app.ask((("Proxy-Connection", "keep-alive"), ("Via", "1.1 else"), ("X-Forwarded-For", "::1"))),
        "hop by hop": app.ask((("TE", "trailers"), ("Keep-Alive", "timeout=5"), ("Connection", "x-a"), ("X-A", "1"))),
        "accept-encoding": app.ask((("Accept-Encoding", "br;q=1.0, gzip;q=0.8, *;q=0.1"),)),
        "connection close": app.ask((("Connection", "close"),)),
        "http/1.0": app.ask(version="HTTP/1.0"),
        "http/1.0 keep-alive": app.ask((("Connection", "keep-alive"),), version="HTTP/1.0"),
        "chunked": app.ask_in_chunks(CHAT[:10], CHAT[10:]),
        "byte by byte in chunks": app.ask_in_chunks(*(bytes([byte]) for byte in CHAT)),
        "large in chunks": app.ask_in_chunks(LARGE[:700_000], LARGE[700_000:]),
        "nothing in chunks": app.ask_in_chunks(),
        "chunk extensions": app.ask_in_chunks(CHAT, extension=b";name=value"),
        "put": app.ask(method="PUT"),
        "patch": app.ask(method="PATCH"),
        "delete": app.head(method="DELETE"),
        "delete with body": app.ask(method="DELETE"),
        "options": app.head((("Origin", "https://a.example"),), method="OPTIONS"),
        "unknown method": app.ask(method="PROPFIND"),
        "get": app.head(method="GET"),
        "get with body": app.ask(method="GET"),
        "body along with expect": app.ask((("Expect", "100-continue"),)),
        "two lengths": app.head((("Content-Length", "5"), *CHUNKED)) + chunks(b"ab"),
        "not http": b"\x00\x01\x02 rubbish\r\n\r\n",
        "bad length": app.head((("Content-Length", "five"),)),
        "line feeds only": app.head().replace(b"\r\n", b"\n"),
        "no host": b"GET {origin}/v1/files HTTP/1.1\r\nAccept: */*\r\n\r\n",
    }


def client_shapes(app: Asker) -> Iterator[Shape]:
    """What a client may do."""
    for name, sent in whole_requests(app).items():
        yield name, (sent, message), (SERVED,)
    expecting = app.head((("Expect", "100-continue"), ("Content-Length", str(len(CHAT)))))
    whole, other = app.ask(JSON), app.ask(ODD)
    late: Script = (message, pause(1), answer())
    trailing = (("Trailer", "X-Sum"),)
    in_the_end = app.ask_in_chunks(CHAT, trailers=b"X-Sum: 1\r\n", fields=trailing)
    yield "trailers", (in_the_end, pause(0.2)), (SERVED,)  # mitmproxy has none in HTTP/1 and falls silent.
    yield "body after expect", (expecting, head, CHAT, message), (SERVED,)
    yield "in pieces", (whole[:3], pause(0.02), whole[3:40], pause(0.02), whole[40:], message), (SERVED,)
    yield "two on a connection", (whole, message, other, message), (SERVED * 2,)
    yield "five on a connection", (whole, message) * 5, (SERVED * 5,)
    yield "pipelined", (whole + other, message, message), (SERVED * 2,)
    yield "leaves before the answer", (whole, pause(0.4), hang_up), (late,)
    yield "resets before the answer", (whole, pause(0.4), reset), (late,)
    yield "leaves in the body", (whole[:-20], pause(0.1), hang_up), (SERVED,)
    yield "leaves in the head", (whole[:30], pause(0.1), hang_up), (SERVED,)
    yield "says nothing", (pause(0.2), hang_up), (SERVED,)


def whole_answers() -> dict[str, bytes]:
    """Answers that are sent at once, after the request."""
    gzipped = gzip.compress(BINARY, mtime=0)
    encoded = {"gzip": gzipped, "deflate": zlib.compress(BINARY), "br": b"not really brotli"}
    events = b"".join(b"data: %d\n\n" % number for number in range(50))
    return {
        "binary answer": answer(BINARY, ()),
        "large answer": answer(LARGE, ()),
        "empty answer": answer(b""),
        "odd fields in the answer": answer(fields=(*ODD, ("Set-Cookie", "a=1"), ("set-cookie", "b=2"))),
        "latin-1 in the answer": answer(fields=LATIN_1),
        "other reason": answer(status="200 Caf\xe9 is open"),
        "no reason": answer(status="200 "),
        "status 299": answer(status="299 Unheard Of"),
        **{f"{name} answer": answer(data, (("Content-Encoding", name),)) for name, data in encoded.items()},
        **{f"{name} in chunks": answer_in_chunks(data, fields=(("Content-Encoding", name),))
           for name, data in encoded.items()},
        "chunked answer": answer_in_chunks(BINARY[:10], BINARY[10:]),
        "large answer in chunks": answer_in_chunks(LARGE[:9], LARGE[9:]),
        "event stream": answer_in_chunks(events, fields=(("Content-Type", "text/event-stream"),)),
        "nothing in chunks in the answer": answer_in_chunks(),
        "chunk extensions in the answer": answer_in_chunks(BINARY, extension=b';a="b"'),
        "created": answer(status="201 Created", fields=(("Location", "/v1/files/1"),)),
        "no content": b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n",
        "not modified": b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n',
        "reset content": answer(b"", status="205 Reset Content"),
        "redirect": answer(status="307 Temporary Redirect", fields=(("Location", "https://api.openai.com/v1/x"),)),
        "unauthorized": answer(status="401 Unauthorized", fields=(("WWW-Authenticate", 'Bearer realm="x"'),)),
        "too many requests": answer(status="429 Too Many Requests", fields=(("Retry-After", "1"),)),
        "server error": answer(status="500 Internal Server Error"),
        "proxy's own status": answer(status="407 Proxy Authentication Required"),
        "not http in the answer": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "bad length in the answer": b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n",
        "two lengths in the answer": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        + chunks(b"ab"),
        "more than the length": answer() + b"and more",
        "folded field": b"HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n",
    }  # fmt: skip


def server_shapes(app: Asker) -> Iterator[Shape]:
    """What a server may do."""
    ask, ask_again = app.ask(JSON), app.ask(ODD)
    for name, sent in whole_answers().items():
        yield name, (ask, message), ((message, sent, *((hang_up,) if b"SSH" in sent else ())),)
    closing = (("Connection", "close"),)
    to_the_end = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + BINARY
    half = lines("HTTP/1.1 200 OK", (("Content-Length", "1000"),)) + b"x" * 500
    half_chunk = lines("HTTP/1.1 200 OK", CHUNKED) + b"3e8\r\n" + b"x" * 500
    of_head = lines("HTTP/1.1 200 OK", (("Content-Length", str(len(BINARY))),))
    again = (ask, message, pause(0.1), ask_again, message)
    yield "head", (app.head(method="HEAD"), head), ((message, of_head),)
    yield "head and more", (app.head(method="HEAD"), head, ask, message), ((message, of_head, *SERVED),)
    yield "to the end", (ask, message), ((message, to_the_end, hang_up),)
    yield "http/1.0 to the end", (ask, message), ((message, to_the_end.replace(b"/1.1", b"/1.0"), hang_up),)
    yield "http/1.0 answer", (ask, message), ((message, answer(v="1.0"), hang_up),)
    yield "http/1.0 answer kept", again, ((message, answer(fields=(("Connection", "keep-alive"),), v="1.0")) * 2,)
    yield "close announced", (ask, message), ((message, answer(fields=closing), hang_up),)
    yield "close announced, not done", again, ((message, answer(fields=closing)), SERVED)
    yield "close not announced", again, ((message, answer(), hang_up), SERVED)
    yield (
        "close later",
        (ask, message, pause(0.2), ask_again, message),
        ((message, answer(), pause(0.1), hang_up), SERVED),
    )
    yield "no answer", (ask, message), ((message, hang_up),)
    yield "reset", (ask, message), ((message, reset),)
    yield "refused at once", (ask, message), ((hang_up,),)
    yield "half a head", (ask, message), ((message, half[:25], hang_up),)
    yield "half a body", (ask, message), ((message, half, hang_up),)
    yield "half a body, reset", (ask, message), ((message, half, pause(0.1), reset),)
    yield "half a chunk", (ask, message), ((message, half_chunk, hang_up),)
    yield "bad chunk", (ask, message), ((message, half_chunk + b"x" * 500 + b"\r\nzz\r\n", hang_up),)
    yield "answer before the body", (app.ask(body=LARGE), message), ((head, answer(status="413 Too Large")),)
    yield (
        "close announced before the body",
        (app.ask(body=LARGE), message),
        ((head, answer(fields=closing), bytes_to_come(len(LARGE)), hang_up),),
    )
    yield (
        "in pieces from the server",
        (ask, message),
        ((message, answer()[:5], pause(0.02), answer()[5:50], pause(0.02), answer()[50:]),),
    )
    in_the_end = answer_in_chunks(BINARY, trailers=b"X-Sum: 1\r\n", fields=(("Trailer", "X-Sum"),))
    yield "trailers in the answer", (ask, pause(0.2)), ((message, in_the_end),)
    # mitmproxy takes an informational answer for the answer.
    yield "continue first", (ask, head), ((message, b"HTTP/1.1 100 Continue\r\n\r\n" + answer()),)
    yield "hints first", (ask, head), ((message, lines("HTTP/1.1 103 Early Hints", (("Link", "</a>"),)) + answer()),)
    trickle: Script = (b"1\r\nx\r\n", pause(0.02)) * 9
    yield "slow stream", (ask, message), ((message, lines("HTTP/1.1 200 OK", CHUNKED), *trickle, b"0\r\n\r\n"),)
    upgrade = (("Connection", "upgrade"), ("Upgrade", "anything/1"))
    upgraded = lines("HTTP/1.1 101 Switching Protocols", upgrade)
    yield (
        "upgrade",
        (app.head(upgrade, method="GET"), head, b"ping!", bytes_to_come(5)),
        ((message, upgraded, bytes_to_come(5), b"pong!"),),
    )
    yield "upgrade refused", (app.head(upgrade, method="GET"), message), ((message, answer(status="426 No")),)


def thrown_shapes(app: Asker, chance: random.Random) -> Shape:
    """Several exchanges on one connection, put together at random."""
    client: Script = ()
    server: Script = ()
    names = [f"X-{chance.choice('abcABC')}{number}" for number in range(6)]

    def fields() -> Fields:
        drawn = chance.choices(names, k=chance.randrange(5))
        return tuple(
            (name, "".join(chance.choices("a b\xe9,;=\"'\t~", k=chance.randrange(1, 9))).strip()) for name in drawn
        )

    def pieces() -> tuple[bytes, ...]:
        return tuple(
            chance.randbytes(chance.choice((1, 2, 15, 16, 17, 4096, 70_000))) for _ in range(chance.randrange(5))
        )

    for _ in range(chance.randrange(1, 5)):
        in_chunks = chance.random() < 0.4
        asked = app.ask_in_chunks(*pieces(), fields=fields()) if in_chunks else app.ask(fields(), b"".join(pieces()))
        in_chunks = chance.random() < 0.5
        got = answer_in_chunks(*pieces(), fields=fields()) if in_chunks else answer(b"".join(pieces()), fields())
        client += (asked, message)
        server += (message, got)
    return "thrown", client, (server,)


def http1_exchanges(thrown: int) -> list[Exchange]:
    """All shapes, plain and in a tunnel, and so many thrown ones."""
    asker = [Asker(*each) for each in WHOSE]
    # Each shape is taken from another kind of request.
    shapes = [
        shape
        for position, app in enumerate(asker)
        for number, shape in enumerate(itertools.chain(client_shapes(app), server_shapes(app)))
        if number % len(asker) == position
    ]
    chance = random.Random(20261123)
    made = [
        Exchange(f"{name}, {door}", client, servers, tunnel)
        for name, client, servers in shapes
        for door, tunnel in (("plain", None), ("in a tunnel", ("http/1.1",)))
    ]
    for number in range(thrown):
        name, client, servers = thrown_shapes(chance.choice(asker), chance)
        tunnel = ("http/1.1",) if number % 2 else None
        made.append(Exchange(f"{name} {number}", client, servers, tunnel))
    return made
