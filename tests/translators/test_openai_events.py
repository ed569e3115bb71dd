"""OpenAI's wire, the answer read: what recorded and made-up streams and bodies say → events."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recordings import Recording, for_recordings, needs_recordings, recordings
from tests.translators.openai_wire import (
    FIXTURES,
    PROVIDERS,
    STREAMS,
    Answer,
    answer_filters,
    answer_of,
    failure,
    fed,
    streamed,
    told,
    whole,
)
from translators.errors import Kind
from translators.openai_events import FINISH_REASONS, ChunkReader, whole_events
from translators.sse import DONE, data_event
from translators.types import Ended, Event, Failed, Finished, KeepAlive, Started, ToolCallStart

LONG = 40
"""Events of a stream above which only its ends are cut, one by one."""


def read(*pieces: bytes) -> list[Event]:
    return fed(ChunkReader(), *pieces)


def frames(sse: str) -> list[bytes]:
    """The stream in pieces of one event each."""
    return [(frame + "\n\n").encode() for frame in sse.split("\n\n") if frame.strip()]


# --- recorded and made-up streams ---------------------------------------------------------------------------------


@for_recordings(PROVIDERS, **answer_filters(stream=True))
def test_recorded_streams_are_read_as_they_say(recording: Recording) -> None:
    """Text, reasoning, calls, finish reasons, usage; whole and byte by byte, with LF and CRLF."""
    check_stream(recording.response["sse"], recording.id)


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_streams_are_read_as_they_say(path: Path) -> None:
    """The same for streams that a plain clone has."""
    check_stream(path.read_text(), path.stem)


def check_stream(sse: str, name: str) -> None:
    expected = streamed(sse)
    for line_end in (b"\n", b"\r\n"):
        data = sse.encode().replace(b"\r\n", b"\n").replace(b"\n", line_end)
        events = read(data)
        check_events(events, expected, name)
        pieces = read(*[data[i : i + 1] for i in range(len(data))])
        assert without_keep_alives(pieces) == without_keep_alives(events), name


def check_events(events: list[Event], expected: Answer, name: str) -> None:
    found = told(events)
    starts = [event for event in events if isinstance(event, Started)]
    if expected.failed:
        failure(events)
        for choice in expected.choices.values():
            choice.finish = None  # An answer that broke has not ended.
    assert found.choices == expected.choices, name
    assert found.usage == expected.usage, name
    assert (found.ended, found.failed) == (expected.ended, expected.failed), name
    assert [(start.id, start.model) for start in starts] == ([(expected.id, expected.model)] if starts else []), name
    for event in events:
        if isinstance(event, Finished):
            assert event.reason == FINISH_REASONS.get(event.native or "stop", "stop"), name


def without_keep_alives(events: list[Event]) -> list[Any]:
    """Comments that arrive together are one sign of life; failures compare by what they say."""
    return [
        str(event.error) if isinstance(event, Failed) else event for event in events if not isinstance(event, KeepAlive)
    ]


@for_recordings(PROVIDERS, **answer_filters(stream=True))
def test_recorded_streams_that_break_off_are_failures(recording: Recording) -> None:
    """Behind whichever event the stream is cut, it has failed and has neither finished nor ended."""
    check_truncated(recording.response["sse"], recording.id)


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_streams_that_break_off_are_failures(path: Path) -> None:
    """The same for streams that a plain clone has; here each byte is an end, too."""
    sse = path.read_text()
    check_truncated(sse, path.stem)
    data = sse.encode()
    for end in range(data.rindex(b"]") if data.rstrip().endswith(b"[DONE]") else len(data)):
        assert_broken(read(data[:end]), path.stem)


def check_truncated(sse: str, name: str) -> None:
    parts = frames(sse.replace("\r\n", "\n"))
    ends = list(range(len(parts)))
    if len(ends) > LONG:
        ends = ends[: LONG // 2] + ends[-LONG // 2 :]
    for end in ends:
        assert_broken(read(b"".join(parts[:end])), name)


def assert_broken(events: list[Event], name: str) -> None:
    assert isinstance(events[-1], Failed), name
    assert not any(isinstance(event, Finished | Ended) for event in events), name


# --- recorded and made-up whole answers -----------------------------------------------------------------------------


@for_recordings(PROVIDERS, **answer_filters(stream=False))
def test_recorded_answers_are_read_as_they_say(recording: Recording) -> None:
    """A whole answer is the same events as a streamed one."""
    check_events(whole_events(recording.response_bytes), answer_of(recording), recording.id)


@for_recordings(
    ("anthropic", "gemini"),
    endpoint="chat",
    where=lambda one: one.request["url"].endswith("/chat/completions") and "calls-without-id-9a" not in one.id,
)
def test_openais_wire_at_other_houses_is_read_as_it_says(recording: Recording) -> None:
    """Anthropic and Google offer it beside their own."""
    check_events(whole_events(recording.response_bytes), answer_of(recording), recording.id)


@for_recordings("gemini", endpoint="chat", where=lambda one: "calls-without-id-9a" in one.id)
def test_a_call_without_an_id_gets_one_of_its_own(recording: Recording) -> None:
    """Google's wire of this kind leaves it out; no other call of the conversation may have the same."""
    (call,) = [event for event in whole_events(recording.response_bytes) if isinstance(event, ToolCallStart)]
    again = recording.response["body"] | {"id": "another"}
    (other,) = [event for event in whole_events(json.dumps(again).encode()) if isinstance(event, ToolCallStart)]
    assert call.name == other.name == "get_current_time"
    assert re.fullmatch(r"call_[0-9a-f]{24}", call.id)
    assert call.id != other.id


def test_a_whole_answer_is_read_as_it_says() -> None:
    """The same for one that a plain clone has."""
    body = (FIXTURES / "whole.json").read_bytes()
    events = whole_events(body)
    check_events(events, whole(json.loads(body)), "whole.json")
    assert events[0] == Started(
        "chatcmpl-2", "gpt-4o-2024-11-20", 1760000000, {"system_fingerprint": "fp_1", "service_tier": "default"}
    )


@needs_recordings
def test_recorded_errors_inside_a_200_are_failures() -> None:
    """Azure's content filter, and Groq's and OpenRouter's errors in the middle of a stream."""
    kinds = {
        "azure-chat-test-prompt-content-filtering-2e144f": (Kind.BLOCKED, 400),
        "groq-chat-stream-object-streaming-b4e0f6": (Kind.BAD_REQUEST, 400),
        "groq-chat-stream-test-tool-use-failed-error-streaming-with-text-39ebb8": (Kind.BAD_REQUEST, 400),
        "openrouter-chat-stream-object-streaming-59f7a7": (Kind.SERVER, 502),
    }
    found = [recording for provider in ("azure", "groq", "openrouter") for recording in failing(provider)]
    outcomes = {}
    for recording in found:
        data = recording.response_bytes
        error = failure(read(data) if recording.stream else whole_events(data))
        outcomes[recording.id] = (error.kind, error.status)
    assert outcomes == kinds


def failing(provider: str) -> list[Recording]:
    return recordings(
        provider,
        endpoint="chat",
        status=200,
        where=lambda recording: bool(recording.features & {"error_in_200", "mid_stream_error"}),
    )


# --- anything at all ------------------------------------------------------------------------------------------------

MEMBERS = "index id type text thinking function name arguments delta message content tool_calls thinking_blocks refusal"
MORE_MEMBERS = (
    "reasoning logprobs finish_reason error usage role prompt_tokens prompt_tokens_details cached_tokens code x"
)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 300) | st.sampled_from(["", "x", "stop", "error", "text", "thinking"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(f"{MEMBERS} {MORE_MEMBERS}".split()), inner, max_size=4)
    ),
    max_leaves=12,
)
"""JSON with known names and any types."""
CHOICE = st.fixed_dictionaries(
    {},
    optional={
        "index": ODD,
        "delta": ODD,
        "message": ODD,
        "finish_reason": ODD,
        "logprobs": ODD,
        "error": ODD,
    },
)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "id": ODD,
        "model": ODD,
        "created": ODD,
        "choices": ODD | st.lists(CHOICE | ODD, max_size=3),
        "usage": ODD,
        "x_groq": ODD,
        "error": ODD,
        "service_tier": ODD,
    },
)


@given(st.lists(ANSWERS, max_size=4))
def test_any_chunks_can_be_read(bodies: list[dict[str, Any]]) -> None:
    """Whatever types stand in the known members: events, the last of them Ended or Failed."""
    data = b"".join(data_event(json.dumps(body).encode()) for body in bodies) + DONE
    events = read(data)
    assert isinstance(events[-1], Ended | Failed)
    assert without_keep_alives(read(*[data[i : i + 1] for i in range(len(data))])) == without_keep_alives(events)


@given(ANSWERS)
def test_any_whole_answer_can_be_read(body: dict[str, Any]) -> None:
    """The same for one body."""
    assert isinstance(whole_events(json.dumps(body).encode())[-1], Ended | Failed)


@given(st.binary(max_size=200))
def test_any_bytes_can_be_read(data: bytes) -> None:
    """Bytes that are no stream, and no JSON."""
    assert isinstance(read(data)[-1], Failed)
    assert isinstance(whole_events(data)[-1], Ended | Failed)
