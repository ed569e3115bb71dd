"""The engine gemini reads what Gemini really sent: recorded answers, whole and cut in every way."""

import json
import random
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from tests.recordings import FOLDER, MISSING, REQUIRED, Recording
from tests.translators.gemini_wire import answer_of, chunks_of, client_told, gemini_answers, same, told
from translators.base import AnswerIdentity, Translator
from translators.gemini import Gemini
from translators.openai import OpenAIChat
from translators.relay import open_stream
from translators.types import Ended, Event, Failed, Finished, KeepAlive, TextDelta, WireRequest
from translators.vertex import VertexGemini

ENGINES: dict[str, Translator] = {"gemini": Gemini(), "vertex-gemini": VertexGemini()}
WIRE = WireRequest("POST", "https://provider.example/v1beta/models/gemini:generateContent", {}, {}, b"")
IDENTITY = AnswerIdentity("chatcmpl-1", 1_700_000_000, "gemini", renamed=False, include_usage=True)
SMALL = 2_500
"""Bytes up to which a stream is cut in two at every byte."""

SAYS_STOP_ALL_THE_TIME = {
    "vertex-gemini-chat-stream-vertexai-streaming-failure-recitation-no-content-c50cef",
    "vertex-gemini-chat-stream-vertexai-streaming-success-citations-cfd122",
}
"""An old model, with a finishReason on every chunk: where its body ends well, nobody can tell that more was to come."""


def over(*, stream: bool) -> Callable[[Any], Any]:
    """Parametrises a test's `recording` with every recorded answer in Gemini's wire."""
    if not FOLDER.is_dir() and not REQUIRED:
        return pytest.mark.skip(reason=MISSING)
    found = [recording for provider in ENGINES for recording in gemini_answers(provider, stream=stream)]
    return pytest.mark.parametrize("recording", found, ids=[recording.id for recording in found])


def read(recording: Recording, pieces: list[bytes]) -> list[Event]:
    stream = ENGINES[recording.provider].stream(WIRE)
    events = [event for piece in pieces for event in stream.feed(piece)]
    return events + stream.close()


@cache
def whole_stream(recording_id: str, provider: str, body: bytes) -> list[Event]:
    stream = ENGINES[provider].stream(WIRE)
    return stream.feed(body) + stream.close()


def events_of(recording: Recording) -> list[Event]:
    if "sse" in recording.response:
        return whole_stream(recording.id, recording.provider, recording.response_bytes)
    return ENGINES[recording.provider].parse(recording.response_bytes, WIRE)


def check_client(body: bytes, recording: Recording) -> None:
    same(client_told(json.loads(body)), answer_of(recording), known_id=answer_of(recording).id is not None)


@over(stream=False)
def test_a_whole_answer_says_what_the_recording_says(recording: Recording) -> None:
    """Words, thoughts, calls, signatures, pictures, native parts, finish reason and usage; a JSON array likewise."""
    same(told(events_of(recording)), answer_of(recording))


@over(stream=False)
def test_a_whole_answer_reaches_the_client(recording: Recording) -> None:
    """The same, read from the chat.completion that the client gets."""
    if not answer_of(recording).failed:
        check_client(OpenAIChat().fold(events_of(recording), IDENTITY), recording)


@over(stream=True)
def test_a_stream_says_what_the_recording_says(recording: Recording) -> None:
    """All of it, and the end is seen."""
    events = events_of(recording)
    same(told(events), answer_of(recording))
    assert isinstance(events[-1], Failed if answer_of(recording).failed else Ended)


@over(stream=True)
def test_a_stream_folds_into_the_whole_answer(recording: Recording) -> None:
    """For a client that did not ask for a stream, from a host that streams all the same."""
    if not answer_of(recording).failed:
        check_client(OpenAIChat().fold(events_of(recording), IDENTITY), recording)


@over(stream=True)
def test_a_stream_reaches_the_client(recording: Recording) -> None:
    """Chunks of one id and model, the words in order, one finish, usage last, [DONE] at the end."""
    engine = ENGINES[recording.provider]
    stream = open_stream(engine, OpenAIChat(), WIRE, IDENTITY, arrives_as_stream=True)
    sent = stream.feed(recording.response_bytes) + stream.close()
    expected = answer_of(recording)
    if expected.failed:
        assert stream.failure
        assert b"[DONE]" not in sent
        return
    lines = [line[6:] for line in sent.decode().split("\n") if line.startswith("data: ")]
    chunks = [json.loads(line) for line in lines[:-1]]
    assert lines[-1] == "[DONE]"
    assert len({(chunk["id"], chunk["model"]) for chunk in chunks}) == 1
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    assert choices[0]["delta"] == {"role": "assistant", "content": ""}
    assert "".join(choice["delta"].get("content") or "" for choice in choices) == expected.candidates[0].text
    finishes = [choice["finish_reason"] for choice in choices if choice["finish_reason"]]
    assert finishes == [expected.candidates[0].finish]
    if expected.usage:
        assert chunks[-1]["usage"]["completion_tokens"] == expected.usage["completion"]


@over(stream=True)
def test_byte_by_byte_gives_the_same_events(recording: Recording) -> None:
    """Also in the middle of a character, of a line end, of an escape (pitfall 102)."""
    body = recording.response_bytes
    assert events_told(read(recording, [body[i : i + 1] for i in range(len(body))])) == events_told(
        events_of(recording)
    )


@over(stream=True)
def test_any_two_pieces_give_the_same_events(recording: Recording) -> None:
    """Cut once, at every byte of the small streams and at some of the others."""
    body = recording.response_bytes
    places = range(len(body)) if len(body) <= SMALL else random.Random(recording.id).sample(range(len(body)), 20)
    for place in places:
        assert events_told(read(recording, [body[:place], body[place:]])) == events_told(events_of(recording))


@over(stream=True)
def test_line_ends_do_not_matter(recording: Recording) -> None:
    """CRLF, which Gemini sends, or LF, in pieces of seven bytes."""
    bare = recording.response_bytes.replace(b"\r\n", b"\n")
    for body in (bare, bare.replace(b"\n", b"\r\n")):
        pieces = [body[i : i + 7] for i in range(0, len(body), 7)]
        assert events_told(read(recording, pieces)) == events_told(events_of(recording))


@over(stream=True)
def test_a_stream_cut_off_has_failed(recording: Recording) -> None:
    """After any event before the last, and inside some: the words so far, then Failed and never an end."""
    if recording.id in SAYS_STOP_ALL_THE_TIME or answer_of(recording).failed:
        return
    body = recording.response_bytes
    end = body.rindex(b"data:")
    ends_of_events = [match.end() for match in re.finditer(rb"\r?\n\r?\n", body[:end])]
    for place in [0, *ends_of_events, *random.Random(recording.id).sample(range(end), min(end, 10))]:
        events = read(recording, [body[:place]])
        assert isinstance(events[-1], Failed)
        assert not any(isinstance(event, Ended | Finished) for event in events)
        words = "".join(event.text for event in events if isinstance(event, TextDelta))
        assert answer_of(recording).candidates[0].text.startswith(words)


@over(stream=True)
def test_a_stream_that_breaks_off_with_an_error_has_failed(recording: Recording) -> None:
    """An error behind the first event, as the Gemini API sends it, is the end (pitfall 108)."""
    first = json.dumps(chunks_of(recording)[0])
    error = '{"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}'
    events = read(recording, [f"data: {first}\r\n\r\ndata: {error}\r\n\r\n".encode()])
    assert isinstance(events[-1], Failed)
    assert events[-1].error.upstream_status == 503
    assert sum(isinstance(event, Failed) for event in events) == 1


@over(stream=True)
def test_an_answer_finishes_once(recording: Recording) -> None:
    """One Finished for each candidate, before Ended, after everything that was said."""
    events = events_of(recording)
    if not answer_of(recording).failed:
        assert [type(event) for event in events if isinstance(event, Finished | Ended)] == [Finished, Ended]
    assert not any(isinstance(event, KeepAlive) for event in events)


def events_told(events: list[Event]) -> list[Any]:
    """Events, and of a failure what it says: exceptions are equal only to themselves."""
    return [(event.error.kind, event.error.message) if isinstance(event, Failed) else event for event in events]
