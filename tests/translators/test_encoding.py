"""Content-Encoding of answers."""

import gzip
import zlib

import pytest

from translators.encoding import decoder
from translators.errors import Kind, UpstreamError

TEXT = b"some text, " * 100


@pytest.mark.parametrize("name", ["", "identity", " Identity "])
def test_what_is_not_encoded_needs_no_decoder(name):
    """None, so that nothing is done per piece."""
    assert decoder(name) is None


@pytest.mark.parametrize(
    ("name", "pack"), [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress)]
)
def test_pieces_of_any_size_are_decoded(name, pack):
    """Byte by byte gives the same."""
    decode = decoder(name)
    assert decode
    packed = pack(TEXT)
    assert b"".join(decode(packed[i : i + 1]) for i in range(len(packed))) == TEXT


def test_garbage_is_an_upstream_error():
    """Malformed, so that another provider is tried."""
    decode = decoder("gzip")
    assert decode
    with pytest.raises(UpstreamError) as caught:
        decode(b"this is no gzip")
    assert caught.value.kind is Kind.MALFORMED


def test_an_unknown_encoding_is_an_upstream_error():
    """It was not asked for."""
    with pytest.raises(UpstreamError, match="'br'"):
        decoder("br")
