"""The engine cohere reads what Cohere really sent: recorded answers, whole and cut in every way."""

import json
import random
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from tests.recordings import FOLDER, MISSING, REQUIRED, Recording, for_recordings
from tests.translators.cohere_wire import answer_of, answers, citations_of, speaks_v2
from tests.translators.openai_wire import fed, told, whole
from translators.base import AnswerIdentity
from translators.cohere import Cohere
from translators.errors import Kind
from translators.openai import OpenAIChat
from translators.relay import open_stream
from translators.types import Ended, Event, Extension, Failed, Finished, Started, WireRequest

ENGINE = Cohere()
WIRE = WireRequest("POST", "https://api.cohere.com/v2/chat", {}, {}, b"")
IDENTITY = AnswerIdentity("chatcmpl-1", 1_700_000_000, "command", renamed=False, include_usage=True)
SMALL = 2_500
"""Bytes up to which a stream is cut in two at every byte."""


def over(*, stream: bool) -> Callable[[Any], Any]:
    """Parametrises a test's `recording` with every recorded answer."""
    if not FOLDER.is_dir() and not REQUIRED:
        return pytest.mark.skip(reason=MISSING)
    found = answers(stream=stream)
    return pytest.mark.parametrize("recording", found, ids=[recording.id for recording in found])


def read(*pieces: bytes) -> list[Event]:
    return fed(ENGINE.stream(WIRE), *pieces)


@cache
def whole_stream(body: bytes) -> list[Event]:
    return read(body)


def plain(events: list[Event]) -> list[Any]:
    """Events that can be compared: two errors with the same words are not equal."""
    return [event.error.fields() if isinstance(event, Failed) else event for event in events]


def check(events: list[Event], recording: Recording) -> None:
    """Words, reasoning, calls, finish reason, usage and citations are the recording's."""
    expected = answer_of(recording)
    found = told(events)
    finished = [event for event in events if isinstance(event, Finished)]
    assert [event.reason for event in finished] == ([expected.choices[0].finish] if expected.ended else [])
    for said in (*found.choices.values(), *expected.choices.values()):
        said.finish = None
    assert found.choices == expected.choices
    assert (found.usage, found.ended, found.failed) == (expected.usage, expected.ended, expected.failed)
    assert [event.id for event in events if isinstance(event, Started)] == [expected.id]
    cited = [event.value for event in events if isinstance(event, Extension) and event.name == "citations"]
    assert [citation for citations in cited for citation in citations] == citations_of(recording)


@over(stream=False)
def test_a_whole_answer_says_what_the_recording_says(recording: Recording) -> None:
    """All of it."""
    check(ENGINE.parse(recording.response_bytes, WIRE), recording)


@over(stream=False)
def test_a_whole_answer_reaches_the_client(recording: Recording) -> None:
    """The same, read from the chat.completion that the client gets."""
    body = json.loads(OpenAIChat().fold(ENGINE.parse(recording.response_bytes, WIRE), IDENTITY))
    expected = answer_of(recording)
    expected.model = "command"
    assert whole(body) == expected
    assert body["choices"][0]["message"].get("citations", []) == citations_of(recording)


@over(stream=True)
def test_a_stream_says_what_the_recording_says(recording: Recording) -> None:
    """All of it; two of the recorded ones end in an error of Cohere's."""
    check(whole_stream(recording.response_bytes), recording)


@over(stream=True)
def test_a_stream_reaches_the_client(recording: Recording) -> None:
    """Chunks of one id, the words in order, usage last, [DONE] at the end; an error instead of an end."""
    stream = open_stream(ENGINE, OpenAIChat(), WIRE, IDENTITY, arrives_as_stream=True)
    sent = stream.feed(recording.response_bytes) + stream.close()
    lines = [line[6:] for line in sent.decode().split("\n") if line.startswith("data: ")]
    expected = answer_of(recording)
    assert (stream.ended, stream.failure is not None) == (expected.ended, expected.failed)
    assert ("[DONE]" in lines) == expected.ended
    chunks = [json.loads(line) for line in lines if line != "[DONE]"]
    assert {chunk["id"] for chunk in chunks} == {expected.id}
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == expected.choices[0].text
    assert "".join(delta.get("reasoning_content") or "" for delta in deltas) == expected.choices[0].reasoning
    assert (stream.usage is None) == (expected.usage is None)


@over(stream=True)
def test_byte_by_byte_gives_the_same_events(recording: Recording) -> None:
    """Also in the middle of a character, of a line end, of an escape (pitfall 102)."""
    body = recording.response_bytes
    assert plain(read(*[body[i : i + 1] for i in range(len(body))])) == plain(whole_stream(body))


@over(stream=True)
def test_any_two_pieces_give_the_same_events(recording: Recording) -> None:
    """Cut once, at every byte of the small streams and at some of the others."""
    body = recording.response_bytes
    places = range(len(body)) if len(body) <= SMALL else random.Random(recording.id).sample(range(len(body)), 20)
    for place in places:
        assert plain(read(body[:place], body[place:])) == plain(whole_stream(body))


@over(stream=True)
def test_line_ends_do_not_matter(recording: Recording) -> None:
    """CRLF instead of LF, in pieces of seven bytes."""
    body = recording.response_bytes.replace(b"\n", b"\r\n")
    pieces = [body[i : i + 7] for i in range(0, len(body), 7)]
    assert plain(read(*pieces)) == plain(whole_stream(recording.response_bytes))


@over(stream=True)
def test_a_stream_cut_off_has_failed(recording: Recording) -> None:
    """After any event before the end marker, and inside some: the words so far, then Failed and never an end."""
    body = recording.response_bytes
    end = body.index(b"event: message-end")
    between = [place + 2 for place in range(end) if body[place : place + 2] == b"\n\n"]
    expected = answer_of(recording).choices[0]
    for place in [0, *between, *random.Random(recording.id).sample(range(end), 10)]:
        events = read(body[:place])
        assert isinstance(events[-1], Failed)
        assert not any(isinstance(event, Ended | Finished) for event in events)
        said = told(events).choices.get(0)
        assert said is None or expected.text.startswith(said.text)


@for_recordings("cohere", kind="error", endpoint="chat", where=speaks_v2)
def test_a_recorded_error_keeps_the_providers_words(recording: Recording) -> None:
    """Status, message and what it means."""
    error = ENGINE.failure(recording.status, recording.response["headers"], recording.response_bytes)
    kinds = {401: Kind.CREDENTIALS, 404: Kind.NOT_FOUND, 400: Kind.TOO_LARGE}
    assert (error.status, error.kind) == (recording.status, kinds[recording.status])
    assert error.message == recording.response["body"]["message"]
