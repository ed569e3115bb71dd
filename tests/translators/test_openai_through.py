"""OpenAI's wire passed through: bytes out equal bytes in, but for what must differ."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recordings import Recording, needs_recordings
from tests.translators.openai_wire import (
    FIXTURES,
    PROVIDERS,
    STREAMS,
    answer_of,
    answers,
    data_of,
    streamed,
    usage_counts,
)
from translators.base import AnswerIdentity
from translators.errors import Kind, UpstreamError
from translators.openai_through import ThroughStream, through_whole
from translators.sse import DONE, data_event
from translators.types import Usage

TEXT = b'data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n'
ROLE = b'data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'
USAGE = b'data: {"id":"1","model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n'


def identity(*, renamed: bool = False, include_usage: bool = True) -> AnswerIdentity:
    return AnswerIdentity("chatcmpl-own", 1, "alias", renamed, include_usage)


def passed(stream: ThroughStream, *pieces: bytes) -> bytes:
    return b"".join([stream.feed(piece) for piece in pieces]) + stream.close()


def byte_by_byte(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


# --- recorded and made-up streams ---------------------------------------------------------------------------------


@needs_recordings
@pytest.mark.parametrize("provider", PROVIDERS)
def test_recorded_streams_pass_untouched(provider: str) -> None:
    """Bytes out equal bytes in: whole and byte by byte, with LF and CRLF, comments and unknown fields included."""
    for recording in answers(provider, stream=True):
        check_untouched(recording.response["sse"], recording.id)


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_streams_pass_untouched(path: Path) -> None:
    """The same for streams that a plain clone has."""
    check_untouched(path.read_text(), path.stem)


def check_untouched(sse: str, name: str) -> None:
    expected = streamed(sse)
    for line_end in (b"\n", b"\r\n"):
        data = up_to_the_end(sse.encode()).replace(b"\n", line_end)
        for pieces in ([data], byte_by_byte(data)):
            stream = ThroughStream(identity())
            out = passed(stream, *pieces)
            if expected.failed:
                assert data.startswith(out), name
                assert stream.failure, name
            else:
                assert out == data, name
                assert stream.ended, name
                assert stream.failure is None, name
            says_anything = any(map(said_anything, expected.choices.values())) or '"reasoning_details":[{' in sse
            assert stream.has_output == says_anything, name
            assert (stream.usage and usage_counts(stream.usage)) == expected.usage, name


def up_to_the_end(data: bytes) -> bytes:
    """Without the blank lines that some recordings have behind `[DONE]`, where nobody reads any more."""
    head, done, _ = data.replace(b"\r\n", b"\n").partition(DONE)
    return head + done


def said_anything(said: Any) -> bool:
    return bool(said.text or said.reasoning or said.refusal or said.calls)


@needs_recordings
@pytest.mark.parametrize("provider", PROVIDERS)
def test_recorded_streams_change_only_the_models_name(provider: str) -> None:
    """A renamed alias: every chunk equals the recorded one but for `model`; everything else byte for byte."""
    for recording in answers(provider, stream=True):
        check_renamed(recording.response["sse"], recording.id)


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_streams_change_only_the_models_name(path: Path) -> None:
    """The same for streams that a plain clone has."""
    check_renamed(path.read_text(), path.stem)


def check_renamed(sse: str, name: str) -> None:
    data = up_to_the_end(sse.encode())
    stream = ThroughStream(identity(renamed=True))
    out = passed(stream, data)
    assert out == passed(ThroughStream(identity(renamed=True)), *byte_by_byte(data)), name
    for before, after in zip(data.splitlines(), out.splitlines(), strict=stream.failure is None):
        chunk = json.loads(before[5:]) if before.startswith(b"data: {") else {}
        if "model" not in chunk:
            assert after == before, name
        else:
            assert json.loads(after[5:]) == chunk | {"model": "alias"}, name
            assert after.replace(b'"alias"', json.dumps(chunk["model"]).encode(), 1) == before, name


@needs_recordings
@pytest.mark.parametrize("provider", PROVIDERS)
def test_recorded_streams_that_break_off_have_failed(provider: str) -> None:
    """Cut in the middle of its last event or before it: not ended, and the complete events have gone through."""
    for recording in answers(provider, stream=True):
        data = up_to_the_end(recording.response_bytes)
        for end in {len(data) // 3, len(data) // 2, data.rindex(b"data:"), data.rindex(b"data:") + 9}:
            stream = ThroughStream(identity())
            out = passed(stream, data[:end])
            assert stream.failure, recording.id
            assert not stream.ended, recording.id
            assert data[:end].startswith(out.rstrip()), recording.id
            assert not data[:end].endswith(b"\n\n") or out == data[:end] or streamed(data.decode()).failed, recording.id


# --- whole answers ------------------------------------------------------------------------------------------------


@needs_recordings
@pytest.mark.parametrize("provider", PROVIDERS)
def test_recorded_answers_pass_untouched(provider: str) -> None:
    """The same bytes, or the same bytes with another name of the model; usage is known either way."""
    for recording in answers(provider, stream=False):
        body = recording.response_bytes
        assert through_whole(body, identity()).body == body, recording.id
        check_whole_renamed(body, recording)


def check_whole_renamed(body: bytes, recording: Recording) -> None:
    answer = through_whole(body, identity(renamed=True))
    model = recording.response["body"]["model"]
    renamed = body.replace(b'"model": ' + json.dumps(model).encode(), b'"model": "alias"')
    if body.count(b'"model":') > 1:  # Groq's usage_breakdown names models too: the body is written anew.
        assert json.loads(answer.body) == recording.response["body"] | {"model": "alias"}, recording.id
    else:
        assert answer.body == renamed, recording.id
    assert (answer.usage and usage_counts(answer.usage)) == answer_of(recording).usage, recording.id


def test_a_whole_answer_passes_untouched() -> None:
    """The same for one that a plain clone has; its white space too."""
    body = (FIXTURES / "whole.json").read_bytes()
    assert through_whole(body, identity()).body == body
    renamed = through_whole(body, identity(renamed=True))
    assert renamed.body == body.replace(b"gpt-4o-2024-11-20", b"alias")
    assert renamed.usage == Usage(12, 9, cached=4, total=21)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", Kind.EMPTY),
        (b"oops", Kind.MALFORMED),
        (b'{"choices":[]}', Kind.EMPTY),
        (b'{"choices":[1]}', Kind.MALFORMED),
        (b'{"error":{"message":"m","type":"overloaded_error"}}', Kind.OVERLOADED),
        (b'{"choices":[{"index":0},{"index":1,"finish_reason":"error","error":{"code":429}}]}', Kind.RATE_LIMIT),
    ],
)
def test_whole_answers_that_are_none_raise(body: bytes, kind: Kind) -> None:
    """A failure inside a 200 is a failure."""
    with pytest.raises(UpstreamError) as caught:
        through_whole(body, identity())
    assert caught.value.kind is kind


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":null,"choices":[{"index":0,"via":{"model":"inner"}}]}',
        b'{"choices":[{"index":0,"via":{"model":"m"}}],"model":"m"}',
        b'{"choices":[{"index":0}],"mode\\u006c":"m","via":{"model":"x"}}',
    ],
)
def test_a_name_whose_place_is_not_certain_is_written_anew(body: bytes) -> None:
    """Another "model" further inside is left alone."""
    expected = json.loads(body) | {"model": "alias"}
    assert json.loads(through_whole(body, identity(renamed=True)).body) == expected
    stream = ThroughStream(identity(renamed=True))
    assert stream.feed(data_event(body))[:6] == b"data: "
    frame = ThroughStream(identity(renamed=True)).feed(data_event(body))
    assert json.loads(frame[5:]) == expected


def test_an_answer_without_a_model_gets_none() -> None:
    """Nothing is added."""
    body = b'{"choices":[{"index":0,"message":{"content":"a"}}]}'
    assert through_whole(body, identity(renamed=True)).body == body


# --- what is watched for ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delta", "output"),
    [
        ({}, False),
        ({"role": "assistant"}, False),
        ({"role": "assistant", "content": "", "refusal": None, "tool_calls": [], "reasoning_details": []}, False),
        ({"role": "assistant", "channel": "analysis", "index": 1}, False),
        ({"content": "a"}, True),
        ({"reasoning": "a"}, True),
        ({"reasoning_content": "a"}, True),
        ({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}}]}, True),
        ({"refusal": "no"}, True),
        ({"audio": {"data": "AA=="}}, True),
        ({"function_call": {"name": "f"}}, True),
    ],
)
def test_output_is_what_says_something(delta: dict[str, Any], output: bool) -> None:
    """A role alone, empty text or a channel's name is no output yet: another provider may still be tried."""
    stream = ThroughStream(identity())
    stream.feed(data_event(json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode()))
    assert stream.has_output is output


def test_a_comment_goes_out_at_once() -> None:
    """It keeps the client waiting, also without its blank line."""
    stream = ThroughStream(identity())
    assert stream.feed(b": ping\n") == b": ping\n"
    assert stream.feed(b": half") == b""
    assert stream.feed(b"\n\n") == b": half\n\n"
    assert not stream.has_output


def test_a_frame_of_several_lines_stays_whole() -> None:
    """Ids, names and data in several lines, and a comment between them."""
    frame = b'id: 7\nevent: message\ndata: {"model":"m",\n: within\ndata: "choices":[]}\n\n'
    assert ThroughStream(identity()).feed(frame) == frame
    assert ThroughStream(identity(renamed=True)).feed(frame) == frame.replace(b'"m"', b'"alias"')
    assert ThroughStream(identity()).feed(b"retry: 10\n\n") == b"retry: 10\n\n"


def test_nothing_passes_behind_the_end() -> None:
    """Neither bytes in the same piece nor later ones."""
    stream = ThroughStream(identity())
    assert stream.feed(TEXT + DONE + TEXT) == TEXT + DONE
    assert stream.feed(TEXT) == b""
    assert stream.close() == b""
    assert stream.failure is None


@pytest.mark.parametrize("end", [b"data: [DONE]", b"data: [DONE]\n", b"data:[DONE]\r\n", b"data: [DONE]\r"])
def test_an_end_marker_without_its_blank_line_counts(end: bytes) -> None:
    """Some hosts close the connection right behind it."""
    stream = ThroughStream(identity())
    out = passed(stream, TEXT + end)
    assert stream.ended
    assert data_of(out.decode())[-1] == "[DONE]"
    assert out.endswith((b"\n\n", b"\r\n\n", b"\r\n"))


def test_a_byte_order_mark_does_not_hide_the_first_frame() -> None:
    """It is dropped: the client's decoder need not know it."""
    stream = ThroughStream(identity())
    assert stream.feed(b"\xef\xbb\xbf" + TEXT) == TEXT
    assert stream.has_output


def test_the_last_words_are_an_error_event() -> None:
    """OpenAI's error body, and no end marker."""
    words = ThroughStream(identity()).last_words(UpstreamError(Kind.CLOSED, "gone"))
    assert words.startswith(b"event: error\ndata: ")
    assert json.loads(words.split(b"data: ")[1])["error"]["message"] == "gone"


# --- pitfalls -----------------------------------------------------------------------------------------------------


def test_pitfall_094_comments_stay_comments() -> None:
    """mnfst/llm-gateway#2053: OpenRouter's `: OPENROUTER PROCESSING` must not come out as data."""
    stream = ThroughStream(identity())
    data = (FIXTURES / "reasoning_with_comments.sse").read_bytes()
    assert passed(stream, data) == data
    assert data.startswith(b": OPENROUTER PROCESSING\n\n")


@pytest.mark.parametrize("frame", [b"data: : keepalive\n\n", b"data::\n\n", b"data: : one\r\ndata: : two\r\n\r\n"])
def test_pitfall_095_keep_alives_that_look_like_data_do_not_pass(frame: bytes) -> None:
    """anomalyco/opencode#50871: clients try to read them as JSON."""
    stream = ThroughStream(identity())
    assert stream.feed(frame) == b""
    assert stream.feed(TEXT + frame + TEXT) == TEXT + TEXT
    assert ThroughStream(identity()).feed(b"data: : keepalive\n" + TEXT) == TEXT


def test_pitfall_097_errors_in_the_middle_do_not_pass_as_data() -> None:
    """OpenRouter documentation, "Streaming": what came before stays, the failure is told apart."""
    data = (FIXTURES / "error_after_output.sse").read_bytes()
    stream = ThroughStream(identity())
    out = passed(stream, data)
    assert out == data[: data.index(b"event: error")]
    assert stream.has_output
    assert not stream.ended
    assert stream.failure
    assert (stream.failure.status, stream.failure.message) == (503, "The server is overloaded")


@pytest.mark.parametrize("cut", [[TEXT, TEXT], [TEXT + TEXT]], ids=["frame by frame", "at once"])
def test_running_out_of_resources_behind_output_is_no_clean_end(cut: list[bytes]) -> None:
    """DeepSeek's `insufficient_system_resource` (DeepSeek API documentation, "Create Chat Completion")."""
    last = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"insufficient_system_resource"}]}\n\n'
    stream = ThroughStream(identity())
    assert passed(stream, *cut[:-1], cut[-1] + last + DONE) == TEXT + TEXT
    assert not stream.ended
    assert stream.failure
    assert stream.failure.kind is Kind.OVERLOADED


@pytest.mark.parametrize("colon", [b":", b": ", b" :", b" : "])
def test_usage_behind_output_is_seen_however_it_is_spaced(colon: bytes) -> None:
    """JSON allows spaces on both sides of a colon (RFC 8259, §2)."""
    stream = ThroughStream(identity(include_usage=False))
    stream.feed(TEXT)
    assert stream.feed(TEXT + USAGE.replace(b'"usage":', b'"usage"' + colon)) == TEXT
    assert stream.usage == Usage(1, 2)


@pytest.mark.parametrize(
    "frame",
    [
        b'data: {"error":{"message":"m","code":429}}\n\n',
        b'event: error\ndata: {"message":"m","code":429}\n\n',
        b'data: {"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error","error":{"code":429}}]}\n\n',
    ],
)
def test_pitfall_108_an_error_before_any_output_leaves_nothing_behind(frame: bytes) -> None:
    """ai-gateway#2697, talon PR#254: another provider may be tried, and the client sees nothing of this one."""
    stream = ThroughStream(identity())
    assert passed(stream, frame + TEXT + DONE) == b""
    assert stream.failure
    assert stream.failure.kind is Kind.RATE_LIMIT
    assert not stream.has_output


def test_pitfall_100_a_first_chunk_without_choices_is_no_output() -> None:
    """Azure's prompt_filter_results come before anything is said."""
    first, *rest = (FIXTURES / "empty_first_chunk.sse").read_bytes().split(b"\n\n")
    stream = ThroughStream(identity())
    assert stream.feed(first + b"\n\n") == first + b"\n\n"
    assert not stream.has_output
    stream.feed(b"\n\n".join(rest))
    assert stream.has_output


def test_pitfall_103_a_frame_longer_than_any_buffer_passes() -> None:
    """new-api README, STREAM_SCANNER_MAX_BUFFER_MB: there is no limit to run into."""
    frame = TEXT.replace(b'"a"', b'"' + b"x" * 300_000 + b'"')
    stream = ThroughStream(identity())
    assert b"".join(stream.feed(frame[i : i + 1000]) for i in range(0, len(frame), 1000)) == frame


def test_pitfall_104_usage_is_hidden_from_clients_that_did_not_ask() -> None:
    """litellm#28735, #23847: the gateway counts, the client sees only what it asked for."""
    hidden, shown = ThroughStream(identity(include_usage=False)), ThroughStream(identity(include_usage=True))
    assert passed(hidden, TEXT + USAGE + DONE) == TEXT + DONE
    assert passed(shown, TEXT + USAGE + DONE) == TEXT + USAGE + DONE
    assert hidden.usage == shown.usage == Usage(1, 2)


def test_pitfall_104_usage_beside_the_last_words_does_not_hide_them() -> None:
    """Routstr PR#543: DeepSeek and Mistral put usage into the chunk that ends the choice."""
    choice = b'{"index":0,"delta":{"content":"z"},"finish_reason":"stop"}'
    last = b'data: {"choices":[' + choice + b'],"usage":{"prompt_tokens":1}}\n\n'
    stream = ThroughStream(identity(include_usage=False))
    assert passed(stream, last + DONE) == last + DONE
    assert stream.usage == Usage(1, 0)


@pytest.mark.parametrize("start", [b"", ROLE, b": x\n\n"])
def test_pitfall_012_an_end_without_an_answer_is_a_failure(start: bytes) -> None:
    """uni-api 56a5fc2: nothing said, nothing finished, nothing counted."""
    stream = ThroughStream(identity())
    assert DONE not in passed(stream, start + DONE)
    assert stream.failure
    assert stream.failure.kind is Kind.EMPTY
    finished = ThroughStream(identity())
    finished.feed(b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n' + DONE)
    assert finished.ended


@pytest.mark.parametrize(
    "bad", [b'data: {"choices":[{"ind\n\n', b"data: \xff\xfe\n\n", b"data: oops\n\n", b"data: 7\n\n"]
)
def test_pitfall_111_one_bad_line_is_left_out(bad: bytes) -> None:
    """litellm#40404: the openai SDK raises on a line that is no JSON."""
    stream = ThroughStream(identity())
    assert passed(stream, TEXT + bad + TEXT + DONE) == TEXT + TEXT + DONE
    assert stream.ended


# --- anything at all ------------------------------------------------------------------------------------------------

FRAMES = st.sampled_from(
    [
        TEXT,
        ROLE,
        USAGE,
        DONE,
        TEXT.replace(b"\n", b"\r\n"),
        b": ping\n",
        b": ping\n\n",
        b"data: : keepalive\n\n",
        b"data: {oops}\n\n",
        b"event: error\ndata: m\n\n",
        b'data: {"error":{"code":500}}\n\n',
        b'data: {"choices":[null,{"delta":[],"index":{}},{"delta":null,"finish_reason":{}}],"usage":"x"}\n\n',
        b'data: {"choices":[{"delta":{"content":{"a":1}}}],"x_groq":7}\n\n',
        b'data: {"choices":{"delta":1},"model":7,"usage":[1]}\n\n',
        b'data: {"choices":7,"object":"error"}\n\n',
        b"\n",
        b"\r",
        b"data: ",
        b"\xff",
    ]
)


@given(st.lists(FRAMES, max_size=8), st.lists(st.integers(min_value=0), max_size=8), st.booleans(), st.booleans())
def test_any_cut_of_any_frames_gives_the_same(
    frames: list[bytes], places: list[int], renamed: bool, usage: bool
) -> None:
    """Bytes, and everything that is watched for, do not depend on where the pieces end. Nothing raises."""
    data = b"".join(frames)
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    pieces = [data[start:end] for start, end in itertools.pairwise(edges)]
    outcomes = []
    for cut in ([data], pieces, byte_by_byte(data)):
        stream = ThroughStream(identity(renamed=renamed, include_usage=usage))
        out = passed(stream, *cut)
        outcomes.append((out, stream.has_output, stream.ended, str(stream.failure), stream.usage))
    assert outcomes[1:] == outcomes[:1] * 2
    assert outcomes[0][2] != (outcomes[0][3] != "None")


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_pass_or_fail(data: bytes, renamed: bool) -> None:
    """Neither a stream nor a whole answer raises anything but UpstreamError."""
    stream = ThroughStream(identity(renamed=renamed))
    passed(stream, data)
    assert stream.failure or stream.ended
    try:
        through_whole(data, identity(renamed=renamed))
    except UpstreamError:
        pass
