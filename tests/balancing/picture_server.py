"""What picture tests need: names that lead where a test says, and servers' ways to answer."""

import asyncio
import gzip
import json
import socket
import ssl
from base64 import b64decode
from collections.abc import Callable

from aiohttp.abc import AbstractResolver, ResolveResult

from balancing.image_fetch import ImageFetcher
from tests.e2e.upstream import Behaviour, Seen, Upstream, head
from translators import DIALECTS
from translators.base import ClientRequest

PNG = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
PDF = b"%PDF-1.4 a document"


class Names(AbstractResolver):
    """A resolver that knows these names only, each by its answers in turn, the last one for ever."""

    def __init__(self, **names: list[list[str]]) -> None:
        self._names = {f"{name}.example": list(answers) for name, answers in names.items()}
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        if host not in self._names:
            raise OSError(f"no such name, {host}")
        answers = self._names[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        pass


def sends(
    body: bytes,
    content_type: str = "image/png",
    *,
    status: int = 200,
    length: int | None = None,
    chunked: bool = False,
    **headers: str,
) -> Behaviour:
    """Sends it whole; `length` is the one claimed. Names of headers are written with underscores."""

    async def behave(seen: Seen) -> bool:
        fields = {"content-type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if chunked:
            fields["transfer-encoding"] = "chunked"
            data = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        else:
            fields["content-length"] = str(len(body) if length is None else length)
            data = body
        seen.writer.write(head(status, fields) + data)
        await seen.writer.drain()
        return False

    return behave


def redirects(to: str, status: int = 302) -> Behaviour:
    """Sends its visitors elsewhere."""
    return sends(b"<html>", "text/html", status=status, location=to)


def endless(*, pause: float = 0.0, piece: bytes = b"\0" * 65536) -> Behaviour:
    """A body without end, and without a length, until the other side goes away."""

    async def behave(seen: Seen) -> bool:
        seen.writer.write(head(200, {"content-type": "image/png"}))
        while not seen.gone_at:
            seen.writer.write(piece)
            await seen.writer.drain()
            await asyncio.sleep(pause)
        return False

    return behave


def bomb(megabytes: int) -> bytes:
    """Nothing, a thousand times smaller."""
    return gzip.compress(b"\0" * (megabytes * 1024**2))


# --- fetchers, and requests with addresses in them -------------------------------------------------------------

TLS = ssl.create_default_context()


def loopback(address: str) -> bool:
    """The tests' idea of the open internet: their own server, and nothing else of this machine."""
    return address == "127.0.0.1"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def fetcher(
    names: Names | None = None,
    *,
    clock: Clock | None = None,
    allowed: Callable[[str], bool] = loopback,
    seconds: float = 10.0,
) -> ImageFetcher:
    resolver = names or Names()
    return ImageFetcher(
        clock or Clock(), verification=lambda: TLS, allowed=allowed, resolver=lambda: resolver, seconds=seconds
    )


def at(upstream: Upstream, name: str) -> str:
    return f"http://127.0.0.1:{upstream.port}/{name}/"


def image(url: str, **more: object) -> dict:
    return {"type": "image_url", "image_url": {"url": url, **more}}


def file(url: str, **more: object) -> dict:
    return {"type": "file", "file": {"file_url": url, **more}}


def request(*content: dict) -> ClientRequest:
    messages = [{"role": "system", "content": "Look."}, {"role": "user", "content": list(content)}]
    return DIALECTS["openai-chat"].read(json.dumps({"model": "m", "messages": messages}).encode())
