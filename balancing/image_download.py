"""Downloads what a client's address leads to. Not by mitmproxy: it belongs to the gateway, and has to be careful.

A client could make the gateway ask machines that only the gateway can reach. So each socket is asked for with the very
address that it will be connected to, and refused there: whatever the address was spelled like, whatever DNS said a
moment ago, whatever a redirect says.
"""

import asyncio
import socket
import ssl
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

BYTES = 20 * 1024 * 1024
"""At most, also after decompression."""
SECONDS = 10.0
"""For everything, redirects included."""
REDIRECTS = 5
REDIRECTING = (301, 302, 303, 307, 308)
ADDRESS_LENGTH = 8_000
"""Characters of an address; about what servers take (RFC 9110, section 4.1)."""

HEADERS = {"User-Agent": "uniapi", "Accept": "image/*, */*;q=0.5", "Accept-Encoding": "identity"}
ENCODINGS = ("gzip", "x-gzip", "deflate")

Allowed = Callable[[str], bool]
"""Whether a connection to an address may be opened."""
AddressInfo = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]
"""As socket.getaddrinfo gives them."""


class DownloadError(Exception):
    """It could not be had. The message ends a sentence; nothing in it of where an address led, or of what was there."""


@dataclass(frozen=True, slots=True)
class Download:
    """`content_type` is what the server claims, without parameters."""

    body: bytes
    content_type: str


async def download(
    address: str,
    *,
    allowed: Allowed,
    tls: ssl.SSLContext,
    resolver: Callable[[], AbstractResolver] = aiohttp.ThreadedResolver,
    seconds: float = SECONDS,
) -> Download:
    """What is at an address. Without cookies, credentials and proxies. Raises DownloadError."""
    sockets = Sockets(allowed)
    try:
        async with (
            asyncio.timeout(seconds),
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    ssl=tls, resolver=resolver(), use_dns_cache=False, socket_factory=sockets.open
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=HEADERS,
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(),
            ) as session,
        ):
            return await follow(session, web_address(address))
    except TimeoutError:
        raise DownloadError(f"it did not come within {seconds:g} seconds") from None
    except aiohttp.InvalidURL:
        raise DownloadError("that is no valid address") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise DownloadError("it leads to an address that is not public" if sockets.refused else why(error)) from None


class Sockets:
    """Opens sockets for addresses that are allowed. `refused`: one was not."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self.refused = False

    def open(self, info: AddressInfo) -> socket.socket:
        """Raises OSError."""
        family, kind, protocol, _, address = info
        if not self._allowed(address[0]):
            self.refused = True
            raise OSError("not allowed")
        return socket.socket(family, kind, protocol)


def why(error: Exception) -> str:
    """What went wrong, without the details: they hold addresses."""
    if isinstance(error, aiohttp.ClientSSLError):
        return "its server could not be connected to by TLS"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "its server cannot be reached"
    return "its server did not send it properly"


# --- addresses ------------------------------------------------------------------------------------------------


def web_address(text: str, base: URL | None = None) -> URL:
    """An address that may be asked. One in plain ASCII stays as it is: a signature may depend on it.

    Ports below 1024 belong to other protocols than HTTP, except its own. Raises DownloadError.
    """
    if len(text) > ADDRESS_LENGTH:
        raise DownloadError(f"its address is longer than {ADDRESS_LENGTH} characters")
    try:
        url = URL(text, encoded=text.isascii() and text.isprintable() and " " not in text)
        url = base.join(url) if base else url
        port = url.port or 0
    except ValueError:
        raise DownloadError("that is no valid address") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise DownloadError("that is no http or https address")
    if url.user is not None or url.password is not None:
        raise DownloadError("an address must not hold a user name or a password")
    if port < 1024 and port not in (80, 443):
        raise DownloadError(f"port {port} is not one for web pages")
    return url


async def follow(session: aiohttp.ClientSession, url: URL) -> Download:
    """Ask, and go where the answer sends us, by hand: each address is looked at."""
    for _ in range(1 + REDIRECTS):
        async with session.get(url, allow_redirects=False) as response:
            if response.status in REDIRECTING:
                url = web_address(response.headers.get("location", ""), url)
            elif response.status == 200:
                return Download(await read(response), response.content_type)
            else:
                raise DownloadError(f"its server answered with status {response.status}")
    raise DownloadError(f"there are more than {REDIRECTS} redirects")


# --- bodies ---------------------------------------------------------------------------------------------------


async def read(response: aiohttp.ClientResponse) -> bytes:
    """The body, decompressed: some servers compress although they are asked not to. Raises DownloadError."""
    if response.content_length is not None and response.content_length > BYTES:
        raise too_large()
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ENCODINGS:
        return await read_compressed(response)
    if encoding not in ("", "identity"):
        raise DownloadError(f"its server compressed it as {encoding[:20]!r}")
    body = bytearray()
    async for data in response.content.iter_any():
        body += data
        if len(body) > BYTES:
            raise too_large()
    return bytes(body)


async def read_compressed(response: aiohttp.ClientResponse) -> bytes:
    """Never more than the limit is decompressed, however little came."""
    decompressor = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    body = bytearray()
    try:
        async for data in response.content.iter_any():
            body += decompressor.decompress(data, BYTES + 1 - len(body))
            if len(body) > BYTES:
                raise too_large()
    except zlib.error:
        raise DownloadError("its server did not compress it properly") from None
    if not decompressor.eof:
        raise DownloadError("its server did not send all of it")
    return bytes(body)


def too_large() -> DownloadError:
    return DownloadError(f"it is larger than {BYTES // 1024**2} MB")
