"""Bodies of many megabytes, on their way in and out."""

import tracemalloc
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import http

from balancing.large_bodies import PIECE_BYTES, GrowingBody, small_pieces
from balancing.leg import Leg
from translators.types import Splice, WireRequest


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_a_growing_body_is_all_that_was_added(chunks: list[bytes]) -> None:
    """As mitmproxy's own buffer is; and it begins anew when it is cleared."""
    body = GrowingBody()
    for chunk in chunks:
        body += chunk
    whole = b"".join(chunks)
    assert (bytes(body), len(body), bool(body)) == (whole, len(whole), bool(whole))
    kept = bytes(body)
    body.clear()
    assert (bytes(body), len(body), bool(body)) == (b"", 0, False)
    body += b"next"
    assert (bytes(body), kept) == (b"next", whole)


def test_a_growing_body_is_there_once() -> None:
    """Also when it is taken out."""
    size = 32 << 20
    chunk = bytes(1 << 16)
    tracemalloc.start()
    try:
        body = GrowingBody()
        while len(body) < size:
            body += chunk
        whole = bytes(body)
        assert tracemalloc.get_traced_memory()[1] < size * 1.25
    finally:
        tracemalloc.stop()
    assert len(whole) == size


@given(st.lists(st.integers(0, 3 * PIECE_BYTES).map(bytes), min_size=1, max_size=3))
def test_pieces_are_small_and_in_order(parts: list[bytes]) -> None:
    """Together they are what was to be sent, and there is one even of nothing."""
    pieces = small_pieces(*parts)
    assert pieces
    assert max(map(len, pieces)) <= PIECE_BYTES
    assert b"".join(pieces) == b"".join(parts)


SPLICED = WireRequest("POST", "http://127.0.0.1/", {}, {}, b"model=alias&file=RIFF", splice=Splice(6, 11, b"upstream"))


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        (SPLICED.body, b"model=upstream&file=RIFF"),
        (b"model=by-hand&file=RIFF", b"model=by-hand&file=RIFF"),
        (None, b""),
    ],
    ids=["as it was prepared", "edited", "emptied"],
)
def test_what_a_person_edits_goes_out_as_edited(content: bytes | None, sent: bytes) -> None:
    """A model's name is put only into the body that it belongs to."""
    request = http.Request.make("POST", SPLICED.url)
    request.raw_content = content
    leg = Leg(1, SimpleNamespace(wire=SPLICED), request, request)  # type: ignore[arg-type]
    assert b"".join(leg.body()) == sent
    assert SPLICED.length == len(b"model=upstream&file=RIFF")
