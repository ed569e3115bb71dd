"""Server-sent events, read and written."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from translators.sse import DONE, PING, LineSplitter, ServerEvent, SseDecoder, data_event

LINE_ENDS = ["\n", "\r\n", "\r"]
STREAM = (
    ": keep-alive\n\n"
    'event: delta\ndata: {"a":1}\n\n'
    "id: 7\nretry: 10\ndata:first\ndata: second\n\n"
    "data: schön 🎉\n\n"
    "event: lonely\n\n"
    "data: [DONE]\n\n"
)
EVENTS = [
    ServerEvent("delta", b'{"a":1}'),
    ServerEvent("", b"first\nsecond"),
    ServerEvent("", "schön 🎉".encode()),
    ServerEvent("", b"[DONE]"),
]


def decoded(pieces: list[bytes]) -> list[ServerEvent]:
    decoder = SseDecoder()
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.close()


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@pytest.mark.parametrize("line_end", LINE_ENDS, ids=["LF", "CRLF", "CR"])
def test_events_whole_and_byte_by_byte(line_end: str) -> None:
    """Names, several data lines, missing spaces, comments, ids: the same for each line end and each cut."""
    stream = STREAM.replace("\n", line_end).encode()
    assert decoded([stream]) == EVENTS
    assert decoded([stream[i : i + 1] for i in range(len(stream))]) == EVENTS


@given(st.sampled_from(LINE_ENDS), st.lists(st.integers(min_value=0), max_size=20))
def test_any_cut_gives_the_same_events(line_end: str, places: list[int]) -> None:
    """A cut inside a CRLF, a character or a field name changes nothing."""
    assert decoded(cut(STREAM.replace("\n", line_end).encode(), places)) == EVENTS


@given(st.binary(max_size=200), st.lists(st.integers(min_value=0), max_size=8))
def test_arbitrary_bytes_are_read_alike_whole_and_cut(data: bytes, places: list[int]) -> None:
    """No bytes raise, and where they are cut does not matter."""
    assert decoded(cut(data, places)) == decoded([data])


def test_an_event_is_given_out_as_soon_as_its_blank_line_is_there() -> None:
    """Nothing waits for the bytes behind it."""
    decoder = SseDecoder()
    assert decoder.feed(b"data: 1\n") == []
    assert decoder.feed(b"\ndata: 2") == [ServerEvent("", b"1")]
    assert decoder.feed(b"\r\n\r\n") == [ServerEvent("", b"2")]


def test_only_one_space_behind_the_colon_is_no_part_of_the_value() -> None:
    """WHATWG HTML, §9.2.6: one space is removed; the rest is data."""
    assert decoded([b"data:  two \n\n"]) == [ServerEvent("", b" two ")]


def test_a_name_does_not_outlive_its_event() -> None:
    """An event without data clears its name too."""
    assert decoded([b"event: ping\n\ndata: x\n\n"]) == [ServerEvent("", b"x")]


@pytest.mark.parametrize("cut_at", range(5))
def test_a_byte_order_mark_is_no_part_of_the_first_line(cut_at: int) -> None:
    """It may come in pieces, and it is dropped at the start only."""
    stream = b"\xef\xbb\xbfdata: x\n\ndata: \xef\xbb\xbfy\n\n"
    assert decoded([stream[:cut_at], stream[cut_at:]]) == [
        ServerEvent("", b"x"),
        ServerEvent("", b"\xef\xbb\xbfy"),
    ]


def test_comments_are_counted() -> None:
    """They are signs of life, also without a blank line behind them."""
    decoder = SseDecoder()
    assert decoder.feed(b": one\n\n: two\n") == []
    assert decoder.comments == 2


@pytest.mark.parametrize("line", [b"data: : keepalive", b"data::keepalive", b"data:   :"])
def test_pitfall_095_keep_alives_that_look_like_data_are_comments(line: bytes) -> None:
    """anomalyco/opencode#50871: some hosts send `data: : keepalive`; what matches `^data:\\s*:` is dropped."""
    decoder = SseDecoder()
    assert decoder.feed(line + b"\n\n" + b"data: x\n\n") == [ServerEvent("", b"x")]
    assert decoder.comments == 1


def test_pitfall_096_our_keep_alive_has_no_blank_line() -> None:
    """theopenco/llmgateway PR#2334: a blank line behind a comment makes some clients dispatch an empty event."""
    assert PING == b": ping\n"
    assert decoded([data_event(b"1"), PING, DONE]) == [ServerEvent("", b"1"), ServerEvent("", b"[DONE]")]


def test_pitfall_102_a_character_cut_in_two_is_whole_again() -> None:
    """api7/aisix#111, claude-code-router PR#1672: bytes are joined before anything is decoded."""
    stream = "data: 🎉ü\n\n".encode()
    for place in range(len(stream)):
        assert decoded([stream[:place], stream[place:]]) == [ServerEvent("", "🎉ü".encode())]


def test_pitfall_103_every_form_of_frame_is_read() -> None:
    """envoyproxy/ai-gateway#2470, litellm PR#9070: no space, several lines, no last blank line, "data:" in the text."""
    stream = b'data:{"a":"data: x"}\r\n\r\nid: 1\r\ndata: p\r\ndata: q\r\n\r\ndata: last'
    assert decoded([stream]) == [
        ServerEvent("", b'{"a":"data: x"}'),
        ServerEvent("", b"p\nq"),
        ServerEvent("", b"last"),
    ]


def test_a_line_of_a_thousand_pieces_is_one_line() -> None:
    """Frames are as long as they like: an image in base64, say."""
    splitter = LineSplitter()
    pieces = [b"x" * 100] * 1000
    assert [splitter.feed(piece) for piece in pieces] == [[]] * 1000
    assert splitter.feed(b"\nrest") == [b"".join(pieces) + b"\n"]
    assert splitter.close() == [b"rest"]
