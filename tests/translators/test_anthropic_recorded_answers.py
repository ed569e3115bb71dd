"""The engine claude reads what Claude really sent: recorded answers, whole and cut in every way."""

import json
import random
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from tests.recordings import FOLDER, MISSING, REQUIRED, Recording
from tests.translators.anthropic_wire import Answer, answer_of, client_told, messages_answers, told
from translators.anthropic import Claude
from translators.base import AnswerIdentity
from translators.openai import OpenAIChat
from translators.openai_request import read_request
from translators.relay import open_stream
from translators.types import Ended, Event, Failed, Finished, KeepAlive, Target, WireRequest

ENGINE = Claude()
WIRE = WireRequest("POST", "https://provider.example/v1/messages", {}, {}, b"")
IDENTITY = AnswerIdentity("chatcmpl-1", 1_700_000_000, "claude", renamed=False, include_usage=True)
SMALL = 2_500
"""Bytes up to which a stream is cut in two at every byte."""


def over(*, stream: bool) -> Callable[[Any], Any]:
    """Parametrises a test's `recording` with every recorded answer in Anthropic's wire."""
    if not FOLDER.is_dir() and not REQUIRED:
        return pytest.mark.skip(reason=MISSING)
    found = messages_answers(stream=stream)
    return pytest.mark.parametrize("recording", found, ids=[recording.id for recording in found])


def read(pieces: list[bytes]) -> list[Event]:
    stream = ENGINE.stream(WIRE)
    events = [event for piece in pieces for event in stream.feed(piece)]
    return events + stream.close()


@cache
def whole_stream(body: bytes) -> list[Event]:
    return read([body])


@over(stream=False)
def test_a_whole_answer_says_what_the_recording_says(recording: Recording) -> None:
    """Words, reasoning, calls, native blocks, citations, finish reason and usage."""
    assert told(ENGINE.parse(recording.response_bytes, WIRE)) == answer_of(recording)


@over(stream=False)
def test_a_whole_answer_reaches_the_client(recording: Recording) -> None:
    """The same, read from the chat.completion that the client gets."""
    body = OpenAIChat().fold(ENGINE.parse(recording.response_bytes, WIRE), IDENTITY)
    assert client_told(json.loads(body)) == answer_of(recording)


@over(stream=True)
def test_a_stream_says_what_the_recording_says(recording: Recording) -> None:
    """All of it, and the end is seen."""
    events = whole_stream(recording.response_bytes)
    assert told(events) == answer_of(recording)
    assert isinstance(events[-1], Ended)


@over(stream=True)
def test_a_stream_folds_into_the_whole_answer(recording: Recording) -> None:
    """For a client that did not ask for a stream, from a host that streams all the same."""
    body = OpenAIChat().fold(whole_stream(recording.response_bytes), IDENTITY)
    assert client_told(json.loads(body)) == answer_of(recording)


@over(stream=True)
def test_a_stream_reaches_the_client(recording: Recording) -> None:
    """Chunks of one id and model, the words in order, usage last, [DONE] at the end."""
    stream = open_stream(ENGINE, OpenAIChat(), WIRE, IDENTITY, arrives_as_stream=True)
    sent = stream.feed(recording.response_bytes) + stream.close()
    lines = [line[6:] for line in sent.decode().split("\n") if line.startswith("data: ")]
    chunks = [json.loads(line) for line in lines[:-1]]
    expected = answer_of(recording)
    assert lines[-1] == "[DONE]"
    assert {(chunk["id"], chunk["model"]) for chunk in chunks} == {(expected.id, expected.model)}
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks[:-1]]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert "".join(delta.get("content") or "" for delta in deltas) == expected.text
    assert chunks[-2]["choices"][0]["finish_reason"] == expected.finish
    assert chunks[-1]["usage"]["completion_tokens"] == expected.usage["completion"]
    assert (stream.ended, stream.failure) == (True, None)


@over(stream=False)
def test_a_whole_answer_can_be_sent_back(recording: Recording) -> None:
    """As the client got it: Claude gets its own blocks again, and the call's result."""
    assert_sent_back(ENGINE.parse(recording.response_bytes, WIRE), answer_of(recording))


@over(stream=True)
def test_a_streamed_answer_can_be_sent_back(recording: Recording) -> None:
    """The same of a stream."""
    assert_sent_back(whole_stream(recording.response_bytes), answer_of(recording))


def assert_sent_back(events: list[Event], answer: Answer) -> None:
    """Reasoning, native blocks, words and calls are what they were; only their order may differ, and citations go."""
    message = json.loads(OpenAIChat().fold(events, IDENTITY))["choices"][0]["message"]
    results = [{"role": "tool", "tool_call_id": id_, "content": "done"} for id_, _, _ in answer.calls]
    user = {"role": "user", "content": "Go on"}
    request = {"model": "claude-opus-4-8", "messages": [user, message, *results, user]}
    target = Target(base_url="", model="claude-opus-4-8", alias="claude")
    turns = json.loads(ENGINE.build(read_request(json.dumps(request).encode()), target).body)["messages"]
    blocks = turns[1]["content"] if turns[1:] else []
    reasoning = [block for block in blocks if block["type"] in ("thinking", "redacted_thinking")]
    kept = answer.native or answer.calls or answer.text.strip() or answer.refusal  # Reasoning alone is refused.
    assert reasoning == (answer.thinking_blocks if kept else [])
    words = "".join(block["text"] for block in blocks if block["type"] == "text")
    assert words.strip() == (answer.text + answer.refusal).strip()
    calls = [(block["id"], block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"]
    assert calls == [(id_, name, sent if isinstance(sent, dict) else {}) for id_, name, sent in answer.calls]
    others = [block for block in blocks if block["type"] not in ("thinking", "redacted_thinking", "text", "tool_use")]
    assert sorted(map(str, others)) == sorted(map(str, answer.native))


@over(stream=True)
def test_byte_by_byte_gives_the_same_events(recording: Recording) -> None:
    """Also in the middle of a character, of a line end, of an escape."""
    body = recording.response_bytes
    assert read([body[i : i + 1] for i in range(len(body))]) == whole_stream(body)


@over(stream=True)
def test_any_two_pieces_give_the_same_events(recording: Recording) -> None:
    """Cut once, at every byte of the small streams and at some of the others."""
    body = recording.response_bytes
    places = range(len(body)) if len(body) <= SMALL else random.Random(recording.id).sample(range(len(body)), 20)
    for place in places:
        assert read([body[:place], body[place:]]) == whole_stream(body)


@over(stream=True)
def test_line_ends_do_not_matter(recording: Recording) -> None:
    """CRLF instead of LF, in pieces of seven bytes."""
    body = recording.response_bytes.replace(b"\n", b"\r\n")
    assert read([body[i : i + 7] for i in range(0, len(body), 7)]) == whole_stream(recording.response_bytes)


@over(stream=True)
def test_a_stream_cut_off_has_failed(recording: Recording) -> None:
    """After any event before the end marker, and inside some: the words so far, then Failed and never an end."""
    body = recording.response_bytes
    end = body.index(b"event: message_stop")
    between = [match.end() for match in re.finditer(rb"\n\n", body[:end])]
    expected = answer_of(recording)
    for place in [0, *between, *random.Random(recording.id).sample(range(end), 10)]:
        events = read([body[:place]])
        assert isinstance(events[-1], Failed)
        assert not any(isinstance(event, Ended) for event in events)
        assert expected.text.startswith(told(events).text)


@over(stream=True)
def test_pings_are_signs_of_life(recording: Recording) -> None:
    """As many as the provider sent before its end."""
    heard = sum(isinstance(event, KeepAlive) for event in whole_stream(recording.response_bytes))
    first_message = recording.response["sse"].partition("event: message_stop")[0]
    assert heard == first_message.count("event: ping")


@over(stream=True)
def test_an_answer_finishes_once(recording: Recording) -> None:
    """One Finished, before Ended, after everything that was said."""
    events = whole_stream(recording.response_bytes)
    assert [type(event) for event in events if isinstance(event, Finished | Ended)] == [Finished, Ended]
