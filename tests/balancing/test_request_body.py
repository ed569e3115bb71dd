"""A client's body, decoded."""

import asyncio
import gzip
import zlib

import pytest

from balancing import request_body
from balancing.request_body import decoded
from translators.errors import RequestError

TEXT = b'{"model": "m"}' * 100


def deflated_bare(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


def refusal(body: bytes, encoding: str) -> RequestError:
    with pytest.raises(RequestError) as refused:
        asyncio.run(decoded(body, encoding))
    return refused.value


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (TEXT, ""),
        (TEXT, "identity"),
        (gzip.compress(TEXT), "gzip"),
        (gzip.compress(TEXT), " GZip "),
        (gzip.compress(TEXT[:50]) + gzip.compress(TEXT[50:]), "gzip"),
        (zlib.compress(TEXT), "deflate"),
        (deflated_bare(TEXT), "deflate"),
    ],
)
def test_a_body_is_what_it_was_before_it_was_compressed(body, encoding):
    """In each of the ways that clients compress one."""
    assert asyncio.run(decoded(body, encoding)) == TEXT


@pytest.mark.parametrize("body", [b"junk", gzip.compress(TEXT)[:-1], gzip.compress(TEXT) + b"more"])
def test_a_body_that_is_not_encoded_as_it_says_is_refused_in_plain_words(body):
    """Without its bytes, and without Python's."""
    refused = refusal(body, "gzip")
    assert (refused.status, refused.message) == (400, "The body is not encoded as its content-encoding says.")


def test_nothing_is_nothing_however_it_is_encoded():
    """Some clients name an encoding in every request."""
    assert asyncio.run(decoded(b"", "gzip")) == b""
    assert asyncio.run(decoded(b"", "br")) == b""


def test_an_encoding_that_nobody_knows_is_named():
    """With what to do."""
    refused = refusal(TEXT, "br")
    assert (refused.status, refused.message) == (415, "The body is encoded as 'br'; send it as gzip, or as it is.")


def test_no_more_is_unpacked_than_the_gateway_takes(monkeypatch):
    """However little came."""
    monkeypatch.setattr(request_body, "BODY_LIMIT", len(TEXT))
    assert asyncio.run(decoded(gzip.compress(TEXT), "gzip")) == TEXT
    bomb = gzip.compress(TEXT + bytes(10_000_000))
    assert (refusal(bomb, "gzip").status, refusal(bomb, "gzip").code) == (413, "request_too_large")
    unpacked = request_body.inflated(bomb)
    assert unpacked is not None
    assert len(unpacked) == len(TEXT) + 1
