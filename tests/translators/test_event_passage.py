"""translators/event_passage.py: events that say by their type what they are, passed on as they came."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recordings import Recording, for_recordings
from tests.translators.endpoint_exchange import identity, passed, single_bytes
from translators.errors import Kind, UpstreamError
from translators.event_passage import TypedEvents
from translators.types import Usage


def event(kind: str, *, named: bool = True, **fields: Any) -> bytes:
    line = f"event: {kind}\n" if named else ""
    return f"{line}data: {json.dumps({'type': kind, **fields})}\n\n".encode()


DELTA = event("transcript.text.delta", named=False, delta="Ruby")
TEXT_DONE = event(
    "transcript.text.done",
    named=False,
    text="Ruby",
    usage={"type": "tokens", "input_tokens": 37, "output_tokens": 12, "total_tokens": 49},
)
DONE = b"data: [DONE]\n\n"
PARTIAL = event("image_generation.partial_image", b64_json="aGFsZg==", partial_image_index=0)
PICTURE = event(
    "image_generation.completed",
    b64_json="YWxs",
    usage={
        "input_tokens": 50,
        "output_tokens": 60,
        "total_tokens": 110,
        "input_tokens_details": {"text_tokens": 10, "image_tokens": 40, "cached_tokens": 8},
    },
)
SOUND = event("speech.audio.delta", audio="c291bmQ=")
SOUND_DONE = event("speech.audio.done", usage={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3})
ERROR = event("error", error={"type": "server_error", "code": "server_error", "message": "out of paint"})

COMPLETE = {
    "a transcript": DELTA + TEXT_DONE + DONE,
    "a transcript without [DONE]": DELTA + TEXT_DONE,
    "a transcript of silence": event("transcript.text.done", text=""),
    "a picture": PARTIAL + PICTURE,
    "two pictures": PICTURE + PICTURE,
    "an edit": event("image_edit.partial_image", b64_json="eA==") + event("image_edit.completed", b64_json="eQ=="),
    "speech": SOUND + SOUND_DONE,
    "Mistral's transcript": event("transcription.text.delta", text="Ruby") + event("transcription.done", text="Ruby"),
    "vLLM's transcript": b'data: {"object":"transcription.chunk","choices":[{"delta":{"content":"a"}}]}\n\n' + DONE,
    "comments and line ends": b": ping\n\r\n" + (DELTA + TEXT_DONE).replace(b"\n", b"\r\n"),
}


@pytest.mark.parametrize("data", COMPLETE.values(), ids=COMPLETE)
def test_a_complete_stream_passes_untouched(data: bytes) -> None:
    """Whole, byte by byte, and cut anywhere: the same bytes, and an end without failure."""
    cuts = [[data], single_bytes(data), *([data[:cut], data[cut:]] for cut in range(len(data)))]
    for pieces in cuts:
        stream = TypedEvents(identity())
        assert passed(stream, pieces) == data
        assert (stream.ended, stream.failure) == (True, None)


@pytest.mark.parametrize("data", COMPLETE.values(), ids=COMPLETE)
def test_a_stream_that_is_cut_fails(data: bytes) -> None:
    """Wherever it breaks off before its last event is whole; nothing that came is lost."""
    last = max(data.rfind(b"data: {"), data.rfind(b"data: [DONE]") if b".done" not in data else -1)
    for cut in range(last + len(b"data:")):
        stream = TypedEvents(identity())
        out = passed(stream, [data[:cut]])
        if not stream.ended:  # Two pictures, of which one is whole, are an answer, too.
            assert stream.failure is not None
            assert stream.failure.kind is Kind.CLOSED
        else:
            assert data.count(b"completed") > 2
        assert data.startswith(out.rstrip(b"\r\n").removesuffix(b"data:"))


@pytest.mark.parametrize("frame", [DELTA, TEXT_DONE, PARTIAL, PICTURE, SOUND])
def test_output_is_what_carries_something(frame: bytes) -> None:
    """Texts, pictures and sound."""
    stream = TypedEvents(identity())
    stream.feed(frame)
    assert stream.has_output


@pytest.mark.parametrize(
    "frame",
    [
        b": ping\n\n",
        event("transcription.language", audio_language="en"),
        event("transcript.text.delta", delta=""),
        b"retry: 100\n\n",
    ],
)
def test_what_says_nothing_is_no_output(frame: bytes) -> None:
    """Another provider may still be tried."""
    stream = TypedEvents(identity())
    assert stream.feed(frame) == frame
    assert not stream.has_output


@pytest.mark.parametrize(
    ("data", "usage"),
    [
        (DELTA + TEXT_DONE, Usage(37, 12, total=49)),
        (PICTURE, Usage(50, 60, cached=8, total=110)),
        (SOUND + SOUND_DONE, Usage(1, 2, total=3)),
    ],
)
def test_usage_is_read(data: bytes, usage: Usage) -> None:
    """By the names that these endpoints have for tokens."""
    stream = TypedEvents(identity())
    passed(stream, [data])
    assert stream.usage == usage


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (ERROR, "out of paint"),
        (ERROR.replace(b"event: error\n", b""), "out of paint"),
        (event("error", named=False, message="out of paint", code="server_error"), "out of paint"),
        (b'data: {"error": "out of paint"}\n\n', "out of paint"),
        (b"event: error\ndata: out of paint\n\n", "out of paint"),
    ],
)
def test_an_error_inside_is_a_failure(data: bytes, message: str) -> None:
    """Nothing of it reaches the client, nor of what follows; the gateway says it in its own last words."""
    for pieces in ([PARTIAL + data + PICTURE], single_bytes(PARTIAL + data + PICTURE)):
        stream = TypedEvents(identity())
        assert passed(stream, pieces) == PARTIAL
        assert stream.failure is not None
        assert message in stream.failure.message
        assert not stream.ended


def test_an_end_without_an_answer_is_empty() -> None:
    """[DONE] and nothing before it."""
    stream = TypedEvents(identity())
    assert passed(stream, [DONE]) == b""
    assert stream.failure is not None
    assert stream.failure.kind is Kind.EMPTY


def test_the_model_is_renamed() -> None:
    """Where a channel renames it, and nothing else is changed."""
    stream = TypedEvents(identity(renamed=True))
    frame = event("transcript.text.delta", delta="a", model="upstream-1")
    assert stream.feed(frame) == frame.replace(b"upstream-1", b"alias")


def test_lines_that_are_no_json_are_left_out() -> None:
    """One bad line must not spoil an answer, nor a keep-alive that looks like data."""
    stream = TypedEvents(identity())
    assert passed(stream, [b"data: {half\n\n", b"data: : keep-alive\n\n", DELTA, TEXT_DONE]) == DELTA + TEXT_DONE


def test_last_words_are_an_error_event() -> None:
    """For which OpenAI's SDKs raise APIError."""
    words = TypedEvents(identity()).last_words(UpstreamError(Kind.CLOSED, "gone"))
    assert words.startswith(b"event: error\ndata: {")
    assert json.loads(words.split(b"data: ")[1])["error"]["message"] == "gone"


@given(st.lists(st.one_of(st.binary(max_size=30), st.sampled_from([DELTA, PICTURE, ERROR, DONE, TEXT_DONE[:20]]))))
def test_any_cut_of_anything_gives_the_same(pieces: list[bytes]) -> None:
    """Bytes, end and failure; and never an exception."""
    data = b"".join(pieces)
    one, many = TypedEvents(identity()), TypedEvents(identity())
    assert passed(one, [data]) == passed(many, single_bytes(data))
    assert (one.ended, one.has_output, one.usage) == (many.ended, many.has_output, many.usage)
    assert (one.failure and one.failure.message) == (many.failure and many.failure.message)


@for_recordings("openai", endpoint="audio", stream=True, status=200)
def test_recorded_transcripts_pass_untouched(recording: Recording) -> None:
    """With the usage that their last event tells."""
    data = recording.response_bytes
    for pieces in ([data], single_bytes(data)):
        stream = TypedEvents(identity())
        assert passed(stream, pieces) == data
        assert stream.ended
        assert stream.usage is not None
        assert stream.usage.prompt == 37
    cut = data[: data.rfind(b"data: {") + 20]
    broken = TypedEvents(identity())
    passed(broken, [cut])
    assert broken.failure is not None
