"""A client's body, decoded where the client has compressed it: never more than the gateway takes, whatever it unpacks
to, and beside the event loop, for a large one takes a while."""

import asyncio
import zlib

from translators.errors import RequestError

BODY_LIMIT = 100 * 1024 * 1024
"""Bytes, decoded or not."""
ENCODINGS = ("gzip", "x-gzip", "deflate")
"""Those that zlib knows, and that clients compress requests by."""


async def decoded(body: bytes, content_encoding: str) -> bytes:
    """The body as it was before it was compressed. Raises RequestError: 400, 413, 415 (RFC 9110, section 15.5.16)."""
    encoding = content_encoding.strip().lower()
    if not body or encoding in ("", "identity"):
        return body
    if encoding not in ENCODINGS:
        raise RequestError(f"The body is encoded as {encoding!r}; send it as gzip, or as it is.", status=415)
    whole = await asyncio.to_thread(inflated, body)
    if whole is None:
        raise RequestError("The body is not encoded as its content-encoding says.")
    if len(whole) > BODY_LIMIT:
        raise RequestError(too_large(), status=413, code="request_too_large")
    return whole


def too_large() -> str:
    """What clients are told of a larger body."""
    return f"The request's body is larger than the gateway's limit of {BODY_LIMIT // 1024 // 1024} MB."


def inflated(body: bytes) -> bytes | None:
    """What was compressed as gzip, in zlib's own format, or in none, as some do for `deflate` (RFC 9110, section
    8.4.1.2); at most one byte more than the limit. None if it is neither, or not whole."""
    for wbits in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):
        whole, rest = bytearray(), body
        try:
            while rest and len(whole) <= BODY_LIMIT:  # gzip may come in several pieces (RFC 1952, section 2.2).
                decompressor = zlib.decompressobj(wbits)
                whole += decompressor.decompress(rest, BODY_LIMIT + 1 - len(whole))
                rest = decompressor.unused_data
        except zlib.error:
            continue
        return bytes(whole) if decompressor.eof or len(whole) > BODY_LIMIT else None
    return None
