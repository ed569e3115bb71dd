"""The messages of a flow, read and written: mitmproxy's request and response ⇄ what the gateway deals in.

Made on the hot path: fields are set directly, because mitmproxy's setters and constructors check every type again.
"""

import re
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from mitmproxy import http
from mitmproxy.net.http import status_codes

from config.secrets import mask, without_scheme
from translators.types import WireRequest

CORS_HEADERS = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"*"),
)
PREFLIGHT_HEADERS = {
    "access-control-allow-methods": "GET, POST, OPTIONS",
    "access-control-allow-headers": "*, authorization, content-type",
    "access-control-max-age": "86400",
}

CLIENT_KEY_HEADERS = frozenset({b"authorization", b"proxy-authorization", b"x-api-key", b"api-key", b"x-goog-api-key"})
"""Headers that clients of any provider show their keys in."""
KEY_PARAMETER = re.compile(rb"([?&](?:api[-_]?)?key=)([^&]+)")


def mask_keys(request: http.Request) -> None:
    """Nobody needs the client's keys from here on, in whatever header or parameter they came."""
    data = request.data
    if any(name.lower() in CLIENT_KEY_HEADERS for name, _ in data.headers.fields):
        data.headers = http.Headers(
            (name, masked_bytes(value) if name.lower() in CLIENT_KEY_HEADERS else value)
            for name, value in data.headers.fields
        )
    if b"key=" in data.path:
        data.path = KEY_PARAMETER.sub(lambda found: found[1] + masked_bytes(found[2]), data.path)


def masked_bytes(value: bytes) -> bytes:
    """See masked_credential; `value` may be any bytes that a client has sent."""
    return masked_credential(value.decode("utf-8", "replace")).encode()


def masked_credential(value: str) -> str:
    """`Bearer sk-…Q3f`: the scheme stays, the secret does not."""
    secret = without_scheme(value)
    return value.removesuffix(secret) + mask(secret)


@lru_cache(maxsize=4096)
def split_url(url: str) -> tuple[bytes, str, int, bytes, bytes]:
    """scheme, host, port, path with query, and the Host header of a URL."""
    parts = urlsplit(url)
    assert parts.hostname
    port = parts.port or (443 if parts.scheme == "https" else 80)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme.encode(), parts.hostname, port, path.encode(), parts.netloc.rpartition("@")[2].encode()


def rewrite(request: http.Request, wire: WireRequest, *, masked: bool) -> None:
    """Turn the client's request into the provider's, in place; `masked`: without its secrets, which
    `with_credentials` knows. Nothing of the client's headers goes on."""
    data = request.data
    data.method = wire.method.encode()
    data.scheme, data.host, data.port, data.path, host_header = split_url(wire.url)
    data.authority = b"" if request.data.http_version.startswith(b"HTTP/1") else host_header
    data.headers = http.Headers(
        [
            (b"host", host_header),
            *((name.encode(), value.encode()) for name, value in wire.headers.items()),
            *(
                (name.encode(), (masked_credential(value) if masked else value).encode())
                for name, value in wire.credentials.items()
            ),
            (b"accept-encoding", b"identity"),
            (b"content-length", b"%d" % wire.length),
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


def whole_response(request: http.Request, status: int, headers: Mapping[str, str], body: bytes) -> http.Response:
    """A whole answer to a client."""
    fields = [(name.encode(), value.encode("utf-8", "replace")) for name, value in headers.items()]
    fields.append((b"content-length", str(len(body)).encode()))
    fields.extend(CORS_HEADERS)
    return made_response(status, fields, b"" if request.method == "HEAD" else body)


def stream_head(request: http.Request, content_type: str, headers: Mapping[str, str]) -> http.Response:
    """The head of an answer that is streamed to a client."""
    fields = [(b"content-type", content_type.encode()), (b"cache-control", b"no-cache")]
    fields.extend((name.encode(), value.encode("utf-8", "replace")) for name, value in headers.items())
    if request.http_version == "HTTP/1.1":
        fields.append((b"transfer-encoding", b"chunked"))
    fields.extend(CORS_HEADERS)
    return made_response(200, fields, b"")


def with_credentials(request: http.Request, credentials: Mapping[str, str]) -> http.Request:
    """The request as it goes out: with the secrets where it shows them masked. A header that a person has edited at a
    breakpoint goes out as edited."""
    real = {
        (name.encode(), masked_credential(value).encode()): (name.encode(), value.encode())
        for name, value in credentials.items()
    }
    made = clone(request)
    made.data.headers = http.Headers([real.get(pair, pair) for pair in request.headers.fields])
    return made
