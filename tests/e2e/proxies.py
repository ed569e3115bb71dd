"""Small proxies on loopback, as providers are reached through.

Whatever host they are asked for, they connect to 127.0.0.1: so a name that only they know proves that they look it up.
"""

import asyncio
import base64
import ssl
import threading


class LoopbackProxy:
    """`seen`: what it was asked for, `tunnel api.example:80` or `POST http://api.example:80/v1/…`; `refused`: how often
    the credentials (`user:password`, "" for none) were wrong or missing."""

    scheme: str

    def __init__(self, credentials: str = "", *, context: ssl.SSLContext | None = None, delay: float = 0.0) -> None:
        self.credentials = credentials
        self.delay = delay
        self.seen: list[str] = []
        self.refused = 0
        self.port = 0
        self._context = context
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait(10)

    def url(self, credentials: str = "") -> str:
        return f"{self.scheme}://{credentials}{'@' if credentials else ''}127.0.0.1:{self.port}"

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        raise NotImplementedError

    async def connect(self, what: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self.seen.append(what)
        await asyncio.sleep(self.delay)
        return await asyncio.open_connection("127.0.0.1", port)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        starting = asyncio.start_server(self._guarded, "127.0.0.1", 0, ssl=self._context)
        self._server = self._loop.run_until_complete(starting)
        self.port = self._server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()

    async def _guarded(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self.serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


class HttpProxy(LoopbackProxy):
    """Tunnels by CONNECT, and hands plain requests on, one a connection. With a context it is an HTTPS proxy."""

    @property
    def scheme(self) -> str:  # type: ignore[override]
        return "https" if self._context else "http"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.decode().split("\r\n")[0].split(" ")
        expected = base64.b64encode(self.credentials.encode())
        if self.credentials and b"Basic " + expected not in head:
            self.refused += 1
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
            return
        if method == "CONNECT":
            there = await self.connect(f"tunnel {target}", int(target.rpartition(":")[2]))
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            authority, _, path = target.removeprefix("http://").partition("/")
            there = await self.connect(f"{method} {target}", int(authority.rpartition(":")[2]))
            lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"proxy-")]
            there[1].write(b"\r\n".join(lines).replace(target.encode(), f"/{path}".encode(), 1))
        await copy_both_ways(reader, writer, *there)


class Socks5Proxy(LoopbackProxy):
    scheme = "socks5"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        version, number = await reader.readexactly(2)
        methods = await reader.readexactly(number)
        assert version == 5
        wanted = 2 if self.credentials else 0
        if wanted not in methods:
            self.refused += 1
            writer.write(b"\x05\xff")
            return
        writer.write(bytes([5, wanted]))
        if wanted == 2:
            await reader.readexactly(1)
            user, password = [await self.text(reader) for _ in range(2)]
            is_right = f"{user}:{password}" == self.credentials
            self.refused += not is_right
            writer.write(b"\x01\x00" if is_right else b"\x01\x01")
            if not is_right:
                return
        *_, address_type = await reader.readexactly(4)
        host = await self.text(reader) if address_type == 3 else ".".join(map(str, await reader.readexactly(4)))
        port = int.from_bytes(await reader.readexactly(2))
        try:
            there = await self.connect(f"tunnel {host}:{port}", port)
        except OSError:
            writer.write(b"\x05\x05\x00\x01" + bytes(6))
            return
        writer.write(b"\x05\x00\x00\x03\x09localhost\x00\x00")
        await copy_both_ways(reader, writer, *there)

    async def text(self, reader: asyncio.StreamReader) -> str:
        return (await reader.readexactly((await reader.readexactly(1))[0])).decode()


async def copy_both_ways(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    other_reader: asyncio.StreamReader,
    other_writer: asyncio.StreamWriter,
) -> None:
    """Until one side ends."""
    copies = [asyncio.create_task(copy(reader, other_writer)), asyncio.create_task(copy(other_reader, writer))]
    await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
    other_writer.close()
    for task in copies:
        task.cancel()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
