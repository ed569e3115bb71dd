"""What passes on both sides of a proxy, byte for byte: raw sockets that do what a script says and note what they see.

An `Exchange` is a script for the client and one for the server behind the proxy. A `RecordingServer` plays exchanges
through a proxy and gives a `Transcript` of each: two proxies that do the same to an exchange give equal transcripts.
How TCP cuts the bytes is no part of it.

The server's address tells exchanges apart: each has one of 127.1.0.0/16 to itself, so that connections count too on
which nothing was ever sent.
"""

import asyncio
import socket
import ssl
import struct
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE = 20.0
"""Seconds after which who waits for bytes gives up. No exchange lets it come to that."""
GRACE = 0.3
"""Seconds that a client stays after its last answer, to see whether the proxy hangs up."""
AT_ONCE = 12
"""Exchanges that are played side by side."""

Step = bytes | Callable[["End"], Awaitable[None]]
"""Bytes are sent; a function does anything else."""
Script = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One client connection, and what the server does on each connection to it (the last script for all further ones).

    In the bytes of the client's script, `{authority}` stands for the server's address and port, and `{origin}` for what
    goes before the path: `http://` and the authority, or nothing in a tunnel.
    """

    name: str
    client: Script
    servers: tuple[Script, ...]
    tunnel: tuple[str, ...] | None = None
    """The protocols (ALPN) that the client offers in TLS, inside a tunnel; (): a tunnel without TLS; None: it speaks to
    the proxy itself."""
    knows_http2: bool = True
    """Whether a server with TLS does."""
    read: Callable[[bytes], object] = bytes
    """What of the received bytes has to be equal."""


@dataclass
class End:
    """One end of a connection: what it `received`, and how it ended: nothing while it is open."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    received: bytearray = field(default_factory=bytearray)
    position: int = 0
    """Up to where the script has dealt with what was received."""
    ended: str = ""
    protocol: str | None = None
    """What TLS agreed on (ALPN)."""
    server_name: str | None = None
    """Whom the proxy asked for (SNI)."""

    async def play(self, script: Script) -> None:
        for step in script:
            if self.ended:
                return
            if isinstance(step, bytes):
                await self.send(step)
            else:
                await step(self)

    async def send(self, data: bytes) -> None:
        try:
            self.writer.write(data)
            await self.writer.drain()
        except (ConnectionError, ssl.SSLError):
            pass  # Reading finds out how it ended.

    async def more(self) -> bool:
        """Wait for more bytes; False when none will come."""
        if not await self.listen(PATIENCE) and not self.ended:
            self.ended = "gave up"
        return not self.ended

    async def listen(self, seconds: float) -> bool:
        """Take in what comes within this time; False when nothing does."""
        try:
            data = await asyncio.wait_for(self.reader.read(1 << 16), seconds)
        except TimeoutError:
            return False
        except (ConnectionError, ssl.SSLError):
            self.ended = "reset"
            return False
        self.received += data
        if not data:
            self.ended = "closed"
        return bool(data)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one end saw."""

    received: object
    ended: str
    """`closed` or `reset` by the proxy while the client was still there, `hung up` by this end, else `open`. `gave up`:
    something expected did not come."""
    protocol: str | None
    server_name: str | None


@dataclass(frozen=True, slots=True)
class Transcript:
    client: Seen
    servers: tuple[Seen, ...]
    """The connections to the server, in the order in which they were opened."""


@dataclass
class Playing:
    exchange: Exchange
    client_left: asyncio.Event = field(default_factory=asyncio.Event)
    connections: list[asyncio.Task[Seen]] = field(default_factory=list)


class RecordingServer:
    """The server of all exchanges, on three ports: plain, TLS with HTTP/2 and TLS without, with this certificate."""

    def __init__(self, certificate: Path, trusted: Path, ports: tuple[int, int, int] = (0, 0, 0)) -> None:
        self._trusted = trusted
        self._ports = ports
        self._certificate = certificate
        self._names: dict[ssl.SSLObject | ssl.SSLSocket, str | None] = {}
        self._playing: dict[str, Playing] = {}

    async def __aenter__(self) -> "RecordingServer":
        contexts = (None, self._tls_context("h2", "http/1.1"), self._tls_context("http/1.1"))
        self._servers = [
            await asyncio.start_server(self._connected, "0.0.0.0", port, ssl=context)
            for port, context in zip(self._ports, contexts, strict=True)
        ]
        self._plain_port, self._tls_port, self._http1_port = (
            each.sockets[0].getsockname()[1] for each in self._servers
        )
        return self

    async def __aexit__(self, *args: object) -> None:
        for server in self._servers:
            server.close()

    def _tls_context(self, *protocols: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate)
        context.set_alpn_protocols(protocols)
        context.sni_callback = self._named
        return context

    async def record(
        self, proxy_port: int | None, exchanges: Sequence[Exchange], *, name: str = "api.openai.com"
    ) -> dict[str, Transcript]:
        """Play them all through the proxy on this port of 127.0.0.1, or with None through one that nobody knows of;
        `name` is the server's in TLS. Gives the transcripts by the exchanges' names."""
        places = asyncio.Semaphore(AT_ONCE)

        async def one(number: int, exchange: Exchange) -> Transcript:
            async with places:
                return await self._play(proxy_port, f"127.1.{number // 200}.{number % 200 + 1}", exchange, name)

        transcripts = await asyncio.gather(*(one(*each) for each in enumerate(exchanges)))
        return {exchange.name: transcript for exchange, transcript in zip(exchanges, transcripts, strict=True)}

    # --- the client ---

    async def _play(self, proxy_port: int | None, address: str, exchange: Exchange, name: str) -> Transcript:
        self._playing[address] = playing = Playing(exchange)
        port = self._plain_port
        if exchange.tunnel:
            port = self._tls_port if exchange.knows_http2 else self._http1_port
        authority = f"{address}:{port}"
        if proxy_port is None:
            end = End(*await asyncio.open_connection(address, port))
        else:
            end = End(*await asyncio.open_connection("127.0.0.1", proxy_port))
            if exchange.tunnel is not None:
                await self._open_tunnel(end, authority)
        if exchange.tunnel and not end.ended:
            await self._start_tls(end, exchange.tunnel, name)
        origin = f"http://{authority}" if exchange.tunnel is None else ""
        await end.play(tuple(filled_in(step, authority=authority, origin=origin) for step in exchange.client))
        while not end.ended and await end.listen(GRACE):
            pass
        if end.ended in ("closed", "reset"):
            await asyncio.sleep(GRACE)  # What the proxy closes next to it is closed while the client is there.
        client = seen_by(end, exchange, end.ended or "open")
        playing.client_left.set()
        end.writer.close()
        servers = await asyncio.gather(*playing.connections)
        del self._playing[address]
        return Transcript(client, tuple(servers))

    async def _open_tunnel(self, end: End, authority: str) -> None:
        await end.send(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
        while b"\r\n\r\n" not in end.received and await end.more():
            pass
        if not end.received.startswith(b"HTTP/1.1 200"):
            end.ended = "refused"
            return
        end.position = len(end.received)

    async def _start_tls(self, end: End, protocols: tuple[str, ...], name: str) -> None:
        context = ssl.create_default_context(cafile=str(self._trusted))
        context.set_alpn_protocols(list(protocols))
        try:
            await end.writer.start_tls(context, server_hostname=name)
        except OSError as error:
            end.ended = type(error).__name__
            return
        end.protocol = end.writer.get_extra_info("ssl_object").selected_alpn_protocol()

    # --- the server ---

    def _named(self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, context: ssl.SSLContext) -> None:
        self._names[connection] = name

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        playing = self._playing[writer.get_extra_info("sockname")[0]]
        end = End(reader, writer)
        secured = writer.get_extra_info("ssl_object")
        if secured is not None:
            end.protocol, end.server_name = secured.selected_alpn_protocol(), self._names.pop(secured)
        serving = asyncio.ensure_future(self._serve(end, playing))
        playing.connections.append(serving)
        await serving

    async def _serve(self, end: End, playing: Playing) -> Seen:
        """Play the script, and stay until the client has left and the proxy has hung up."""
        scripts = playing.exchange.servers
        await end.play(scripts[min(len(playing.connections), len(scripts)) - 1])
        while not end.ended and not playing.client_left.is_set():
            await end.listen(0.02)
        ended = "open" if playing.client_left.is_set() else end.ended
        while not end.ended and await end.more():
            pass
        end.writer.close()
        return seen_by(end, playing.exchange, "gave up" if end.ended == "gave up" else ended)


def filled_in(step: Step, *, authority: str, origin: str) -> Step:
    if not isinstance(step, bytes):
        return step
    return step.replace(b"{authority}", authority.encode()).replace(b"{origin}", origin.encode())


def seen_by(end: End, exchange: Exchange, ended: str) -> Seen:
    return Seen(exchange.read(bytes(end.received)), ended, end.protocol, end.server_name)


# --- steps ------------------------------------------------------------------------------------------------------


async def head(end: End) -> None:
    """Read a head, up to its empty line."""
    while (found := end.received.find(b"\r\n\r\n", end.position)) < 0:
        if not await end.more():
            return
    end.position = found + 4


async def message(end: End) -> None:
    """Read a whole request or a whole answer to GET or the like, informational answers before it included."""
    while (position := end_of_message(end.received, end.position)) is None:
        if not await end.more():
            return
    end.position = position


def bytes_to_come(number: int) -> Callable[[End], Awaitable[None]]:
    """Read so many more bytes."""

    async def step(end: End) -> None:
        end.position += number
        while len(end.received) < end.position and await end.more():
            pass

    return step


def pause(seconds: float) -> Callable[[End], Awaitable[None]]:
    """Do nothing but take in what comes."""

    async def step(end: End) -> None:
        until = time.monotonic() + seconds
        while not end.ended and (left := until - time.monotonic()) > 0:
            await end.listen(left)

    return step


async def hang_up(end: End) -> None:
    """Close the connection."""
    end.writer.close()
    end.ended = "hung up"


async def reset(end: End) -> None:
    """Close the connection with a TCP reset."""
    connection = end.writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.writer.transport.abort()
    end.ended = "hung up"


def end_of_message(data: bytes | bytearray, start: int) -> int | None:
    """Where the HTTP/1 message ends that begins at `start`; None as long as it has not come whole, or if only the end
    of the connection ends it. An answer's informational predecessors count as part of it."""
    found = data.find(b"\r\n\r\n", start)
    if found < 0:
        return None
    first, *lines = bytes(data[start:found]).lower().split(b"\r\n")
    fields = dict(line.split(b":", 1) for line in lines if b":" in line)
    body = found + 4
    status = first.split(b" ")[1] if first.startswith(b"http/") else b""
    if status in (b"100", b"103"):
        return end_of_message(data, body)
    if status in (b"101", b"204", b"304"):
        return body
    if b"transfer-encoding" in fields:
        return end_of_chunks(data, body)
    if b"content-length" in fields:
        length = body + int(fields[b"content-length"])
        return length if length <= len(data) else None
    return None if status else body


def end_of_chunks(data: bytes | bytearray, position: int) -> int | None:
    while (line_end := data.find(b"\r\n", position)) >= 0:
        size = int(bytes(data[position:line_end]).split(b";")[0], 16)
        if size == 0:
            if data[line_end : line_end + 4] == b"\r\n\r\n":
                return line_end + 4
            trailers_end = data.find(b"\r\n\r\n", line_end)
            return trailers_end + 4 if trailers_end >= 0 else None
        position = line_end + 2 + size + 2
    return None
