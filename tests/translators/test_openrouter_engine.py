"""The engine openrouter: its address, its words for reasoning, its errors and comments."""

import json
from typing import Any

import pytest

from tests.recordings import Recording, for_recordings
from tests.translators.openai_wire import answer_of, streamed, whole
from translators import DIALECTS, ENGINES
from translators.base import AnswerIdentity, AnswerStream
from translators.errors import Kind, UpstreamError
from translators.openai_request import read_request
from translators.relay import open_stream, whole_answer
from translators.types import Target, WireRequest

ENGINE = ENGINES["openrouter"]
OPENAI = DIALECTS["openai-chat"]
IDENTITY = AnswerIdentity("id", 1, "alias", renamed=False, include_usage=True)
MODEL = "anthropic/claude-sonnet-4.5"
USER = {"role": "user", "content": "Hi"}
DETAILS = [{"type": "reasoning.text", "text": "Hm.", "signature": "s", "format": "anthropic-claude-v1", "index": 0}]
TEXT = b'data: {"id":"g","model":"m","choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n'


def wire(base_url: str = "", **fields: Any) -> WireRequest:
    raw = {"model": MODEL, "messages": [USER], **fields}
    return ENGINE.build(read_request(json.dumps(raw).encode()), Target(base_url, MODEL, MODEL, key="sk-or-secret"))


def body(**fields: Any) -> Any:
    return json.loads(wire(**fields).body)


def opened() -> AnswerStream:
    return open_stream(ENGINE, OPENAI, wire(), IDENTITY, arrives_as_stream=True)


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("", "https://openrouter.ai/api/v1/chat/completions"),
        ("https://openrouter.ai", "https://openrouter.ai/api/v1/chat/completions"),
        ("https://openrouter.ai?key=secret", "https://openrouter.ai/api/v1/chat/completions"),
        ("https://openrouter.ai/api/v1/", "https://openrouter.ai/api/v1/chat/completions"),
        ("https://openrouter.ai/api/v1/chat/completions", "https://openrouter.ai/api/v1/chat/completions"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/api/v1/chat/completions"),
    ],
)
def test_the_endpoint(base_url: str, url: str) -> None:
    """OpenRouter's, or behind another host the same path."""
    assert wire(base_url).url == url


def test_the_key_goes_into_its_header() -> None:
    """And into no repr; answers go through as they came."""
    assert wire().credentials == {"authorization": "Bearer sk-or-secret"}
    assert "sk-or-secret" not in repr(wire())
    assert ENGINE.speaks == OPENAI.name


def test_reasoning_details_go_back_as_they_came() -> None:
    """With signatures and positions: OpenRouter hands them to the model that wrote them."""
    turn = {"role": "assistant", "content": "Hi", "reasoning": "Hm.", "reasoning_details": DETAILS}
    assert body(messages=[USER, turn, USER])["messages"][1] == turn


def test_reasoning_as_text_goes_by_its_name_there() -> None:
    """Clients have it from hosts that call it reasoning_content."""
    turn = {"role": "assistant", "content": "Hi", "reasoning_content": "Hm."}
    sent = wire(messages=[USER, turn, USER])
    assert json.loads(sent.body)["messages"][1] == {"role": "assistant", "content": "Hi", "reasoning": "Hm."}
    assert sent.notes == ()


def test_other_engines_blocks_stay_away() -> None:
    """Claude's own belong to the engine claude; cache marks OpenRouter knows."""
    block = {"type": "thinking", "thinking": "signed", "signature": "s"}
    marked = {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]}
    sent = wire(messages=[marked, {"role": "assistant", "content": "Hi", "thinking_blocks": [block]}, USER])
    assert json.loads(sent.body)["messages"][:2] == [marked, {"role": "assistant", "content": "Hi"}]
    assert [note.field for note in sent.notes] == ["messages[1].thinking_blocks"]


@pytest.mark.parametrize(
    ("own", "reasoning"),
    [
        ({}, {"effort": "low"}),
        ({"reasoning": {"exclude": True}}, {"exclude": True, "effort": "low"}),
        ({"reasoning": {"effort": "high"}}, {"effort": "high"}),
        ({"reasoning": {"max_tokens": 2000}}, {"max_tokens": 2000}),
    ],
)
def test_effort_is_part_of_reasoning(own: Any, reasoning: Any) -> None:
    """The client's own words for it go first."""
    sent = body(reasoning_effort="low", **own)
    assert sent["reasoning"] == reasoning
    assert "reasoning_effort" not in sent


def test_everything_else_passes() -> None:
    """Roles, samplers, routing: OpenRouter makes them fit the model."""
    fields = {"provider": {"only": ["x"]}, "plugins": [], "temperature": 2, "max_tokens": 5, "stop": ["x"]}
    developer = {"role": "developer", "content": "Be brief."}
    assert body(messages=[developer, USER], **fields) == {"model": MODEL, "messages": [developer, USER], **fields}


# --- pitfalls -------------------------------------------------------------------------------------------------


def test_pitfall_094_comments_stay_comments() -> None:
    """mnfst/llm-gateway#2053, UA b5cbc89: they are signs of life, and no output."""
    stream = opened()
    assert stream.feed(b": OPENROUTER PROCESSING\n\n") == b": OPENROUTER PROCESSING\n\n"
    assert not stream.has_output
    assert stream.feed(b"data: : OPENROUTER PROCESSING\n\n") == b""
    assert stream.feed(TEXT) == TEXT


@pytest.mark.parametrize(
    "chunk",
    [
        b'{"error":{"code":502,"message":"Provider disconnected"},"choices":[]}',
        b'{"id":"g","choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}],'
        b'"error":{"code":502,"message":"Provider disconnected"}}',
    ],
)
@pytest.mark.parametrize("before", [b"", TEXT])
def test_pitfall_097_errors_inside_a_200_are_errors(chunk: bytes, before: bytes) -> None:
    """openrouter.ai/docs/errors: in both of their forms, before and after output; nothing of them is in the bytes."""
    stream = opened()
    assert stream.feed(before + b"data: " + chunk + b"\n\n" + b"data: [DONE]\n\n") == before
    assert stream.failure is not None
    assert (stream.failure.status, stream.failure.message) == (502, "Provider disconnected")
    assert (stream.ended, stream.has_output) == (False, bool(before))


def test_pitfall_097_an_error_instead_of_an_answer() -> None:
    """openrouter.ai/docs/errors: with a status of 200, and with the words of the provider behind."""
    raw = json.dumps({"error": {"message": "slow down"}})
    sent = {"error": {"code": 429, "message": "Provider returned error", "metadata": {"raw": raw}}}
    with pytest.raises(UpstreamError) as caught:
        whole_answer(ENGINE, OPENAI, wire(), IDENTITY, json.dumps(sent).encode(), arrives_as_stream=False)
    assert caught.value.kind is Kind.RATE_LIMIT
    assert caught.value.message == "Provider returned error: slow down"


# --- recordings -----------------------------------------------------------------------------------------------


@for_recordings("openrouter", endpoint="chat", status=200, stream=True)
def test_a_recorded_stream_reaches_the_client(recording: Recording) -> None:
    """Byte by byte: words, reasoning, calls, finish and usage; or the error that it ends in."""
    stream = opened()
    data = recording.response_bytes
    sent = b"".join(stream.feed(data[i : i + 1]) for i in range(len(data))) + stream.close()
    expected = answer_of(recording)
    assert (stream.ended, stream.failure is not None) == (expected.ended, expected.failed)
    found = streamed(sent.decode())
    assert (found.choices, found.usage) == (expected.choices, expected.usage)


@for_recordings("openrouter", endpoint="chat", status=200, stream=False)
def test_a_recorded_answer_reaches_the_client(recording: Recording) -> None:
    """As it came."""
    answer = whole_answer(ENGINE, OPENAI, wire(), IDENTITY, recording.response_bytes, arrives_as_stream=False)
    assert whole(json.loads(answer.body)) == answer_of(recording)


@for_recordings("openrouter", kind="error", endpoint="chat")
def test_a_recorded_error_keeps_its_status_and_words(recording: Recording) -> None:
    """OpenRouter's and those of the provider behind it."""
    error = ENGINE.failure(recording.status, recording.response["headers"], recording.response_bytes)
    assert error.status == recording.status
    assert error.message.startswith(recording.response["body"]["error"]["message"][:100])
