"""A fake provider that speaks HTTP/2 over TLS, as the real ones do.

Every request is answered with the behaviour of its path: `/{name}/v1/…`, see `Http2Upstream.on`.
"""

import asyncio
import ssl
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import h2.exceptions
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hyperframe.frame import GoAwayFrame


class Stream:
    """One request, with its body so far; answers are written to it. `number` counts a connection's requests from 1,
    `is_first` is the first of all; `reset_at` is when the other side took the request back."""

    def __init__(self, connection: "Connection", stream_id: int, path: str) -> None:
        self.path = path
        self.number = (stream_id + 1) // 2
        self.connection = connection
        self.is_first = not connection.upstream.seen
        self.body = bytearray()
        self.reset_at: float | None = None
        self._id = stream_id

    def head(self, status: int, content_type: str) -> None:
        self.connection.h2.send_headers(self._id, [(":status", str(status)), ("content-type", content_type)])
        self.connection.flush()

    def refuse(self, error_code: int) -> None:
        self.connection.h2.reset_stream(self._id, error_code)
        self.connection.flush()

    def say_goodbye(self, *, last: int) -> None:
        """No request behind the one with this number is answered on this connection. Nothing else changes."""
        self.connection.send(GoAwayFrame(0, last_stream_id=last * 2 - 1).serialize())

    def data(self, data: bytes, *, ends: bool = False) -> None:
        self.connection.h2.send_data(self._id, data, end_stream=ends)
        self.connection.flush()


Behaviour = Callable[[Stream], Awaitable[None]]


class Connection(asyncio.Protocol):
    def __init__(self, upstream: "Http2Upstream") -> None:
        self.upstream = upstream
        self._streams: dict[int, Stream] = {}
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.h2.initiate_connection()
        self.flush()

    def flush(self) -> None:
        self.send(self.h2.data_to_send())

    def send(self, data: bytes) -> None:
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        for event in self.h2.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                path = dict(event.headers)[":path"]  # type: ignore[index]
                self._streams[event.stream_id] = stream = Stream(self, event.stream_id, str(path))
                self.upstream.seen.append(stream)
            elif isinstance(event, h2.events.DataReceived):
                self._streams[event.stream_id].body += event.data
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                self.upstream.answer(self._streams[event.stream_id])
            elif isinstance(event, h2.events.StreamReset):
                self._streams[event.stream_id].reset_at = time.monotonic()
        self.flush()

    def connection_lost(self, error: Exception | None) -> None:
        for stream in self._streams.values():
            stream.reset_at = stream.reset_at or time.monotonic()


class Http2Upstream:
    def __init__(self, directory: Path) -> None:
        self._behaviours: dict[str, Behaviour] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._context = server_context(directory)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self.seen: list[Stream] = []
        self.connections = 0
        self.port = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait(10)

    def on(self, name: str, behaviour: Behaviour) -> str:
        """Serve `/{name}/…` by this behaviour. Gives the base URL."""
        self._behaviours[name] = behaviour
        return f"https://127.0.0.1:{self.port}/{name}/v1"

    def requests(self, name: str) -> list[Stream]:
        return [stream for stream in self.seen if stream.path.startswith(f"/{name}/")]

    def answer(self, stream: Stream) -> None:
        task = self._loop.create_task(self._guarded(self._behaviours[stream.path.split("/")[1]], stream))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, behaviour: Behaviour, stream: Stream) -> None:
        try:
            await behaviour(stream)
        except h2.exceptions.ProtocolError:
            pass  # The stream was reset meanwhile.

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _made(self) -> Connection:
        self.connections += 1
        return Connection(self)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(self._loop.create_server(self._made, "127.0.0.1", 0, ssl=self._context))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()


def server_context(directory: Path, protocol: str = "h2") -> ssl.SSLContext:
    """A certificate of its own making, good for an hour."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now() - timedelta(hours=1))
        .not_valid_after(datetime.now() + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    path = directory / "upstream.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    context.set_alpn_protocols([protocol])
    return context
