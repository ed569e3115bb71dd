"""Content-Encoding of answers. Identity is what we ask for; some hosts compress all the same (RFC 9110, §8.4)."""

import zlib
from collections.abc import Callable

from translators.errors import Kind, UpstreamError


def decoder(content_encoding: str) -> Callable[[bytes], bytes] | None:
    """A function that decodes the pieces of one body in turn; None where nothing is encoded.

    The function raises UpstreamError for bytes that are not what the header says. Raises UpstreamError for an
    encoding that we neither asked for nor know.
    """
    name = content_encoding.strip().lower()
    if name in ("", "identity"):
        return None
    if name not in ("gzip", "x-gzip", "deflate"):
        raise UpstreamError(Kind.MALFORMED, f"The provider's answer is encoded as {name!r}, which nobody asked for.")
    decompressor = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)

    def decode(data: bytes) -> bytes:
        try:
            return decompressor.decompress(data)
        except zlib.error as error:
            raise UpstreamError(Kind.MALFORMED, f"The provider's answer is not valid {name}: {error}.") from None

    return decode
