"""The messages of a flow, read and written: mitmproxy's request and response ⇄ what the gateway deals in.

Made on the hot path: fields are set directly, because mitmproxy's setters and constructors check every type again.
"""

import time
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from mitmproxy import http
from mitmproxy.net.http import status_codes

from config.secrets import mask
from translators.errors import RequestError
from translators.types import WireRequest

Credential = tuple[bytes, bytes, bytes]
"""A header that holds a secret: its name, its value as the flow shows it, and as it goes out."""


def mask_key(request: http.Request, key: str) -> None:
    """Nobody needs the client's key from here on."""
    secret, masked = key.encode(), mask(key).encode()
    request.headers.fields = tuple((name, value.replace(secret, masked)) for name, value in request.headers.fields)


def body_of(request: http.Request) -> bytes:
    """The body, decoded where the client has compressed it. Raises RequestError."""
    if any(name.lower() == b"content-encoding" for name, _ in request.headers.fields):
        try:
            return request.content or b""
        except ValueError as error:
            raise RequestError(f"The body is not encoded as its content-encoding says: {error}.") from None
    return request.raw_content or b""


def masked_credential(value: str) -> str:
    """`Bearer sk-…Q3f`: the scheme stays, the secret does not."""
    scheme, space, secret = value.rpartition(" ")
    return scheme + space + mask(secret)


@lru_cache(maxsize=4096)
def split_url(url: str) -> tuple[bytes, str, int, bytes, bytes]:
    """scheme, host, port, path with query, and the Host header of a URL."""
    parts = urlsplit(url)
    assert parts.hostname
    port = parts.port or (443 if parts.scheme == "https" else 80)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme.encode(), parts.hostname, port, path.encode(), parts.netloc.rpartition("@")[2].encode()


def rewrite(request: http.Request, wire: WireRequest, credentials: list[Credential]) -> None:
    """Turn the client's request into the provider's, in place. Nothing of the client's headers goes on."""
    data = request.data
    data.method = wire.method.encode()
    data.scheme, data.host, data.port, data.path, host_header = split_url(wire.url)
    data.authority = b"" if request.data.http_version.startswith(b"HTTP/1") else host_header
    data.headers = http.Headers(
        [
            (b"host", host_header),
            *((name.encode(), value.encode()) for name, value in wire.headers.items()),
            *((name, shown) for name, shown, _ in credentials),
            (b"accept-encoding", b"identity"),
            (b"content-length", b"%d" % len(wire.body)),
        ]
    )
    data.content = wire.body


def clone[Message: (http.Request, http.Response)](message: Message) -> Message:
    """A copy with data of its own; headers and content are shared. (mitmproxy's own checks the types of all fields.)"""
    made = message.__class__.__new__(message.__class__)
    made.__dict__.update(message.__dict__)
    made.data = message.data.__class__.__new__(message.data.__class__)
    made.data.__dict__.update(message.data.__dict__)
    return made


RESPONSE_PATTERN = http.Response(b"HTTP/1.1", 200, b"OK", http.Headers(), b"", None, 0.0, 0.0)
"""Cloned for each response."""


def made_response(status: int, fields: Sequence[tuple[bytes, bytes]], body: bytes) -> http.Response:
    made = clone(RESPONSE_PATTERN)
    data = made.data
    data.status_code = status
    data.reason = status_codes.RESPONSES.get(status, "").encode()
    data.headers = http.Headers(fields)
    data.content = body
    data.timestamp_start = data.timestamp_end = time.time()
    return made
