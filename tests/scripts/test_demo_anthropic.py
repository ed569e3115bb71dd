"""scripts/demo/wires/anthropic.py: the simulator as recordings know the wire, and what it refuses."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from scripts.demo.wires.anthropic_rules import signature
from tests.recordings import needs_recordings, recordings

KEY = "sk-ant-simulated"
MODEL = "claude-sonnet-4-5-simulated"
TOOL = {
    "name": "get_weather",
    "input_schema": {
        "type": "object",
        "properties": {"location": {"type": "string"}},
        "required": ["location"],
    },
}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"location": "Oslo"}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "21 °C"}
THINKING = {"type": "enabled", "budget_tokens": 1024}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def assistant(content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


@pytest.fixture
def post(simulator: str) -> Any:
    def post(key: str = KEY, **body: Any) -> httpx2.Response:
        request = {"model": MODEL, "max_tokens": 2000, "messages": [user("Count to 3")]} | body
        headers = {"x-api-key": key, "anthropic-version": "2023-06-01"}
        return httpx2.post(f"{simulator}/anthropic/v1/messages", headers=headers, json=request)

    return post


def test_it_answers(post: Any) -> None:
    """Text, stop reason, usage."""
    reply = post().json()
    assert reply["content"] == [{"type": "text", "text": "1, 2, 3"}]
    assert reply["stop_reason"] == "end_turn"
    assert reply["usage"]["output_tokens"] == 5


def test_a_stop_sequence_is_named(post: Any) -> None:
    """Both in the reason and by itself."""
    reply = post(stop_sequences=["2"]).json()
    assert (reply["stop_reason"], reply["stop_sequence"]) == ("stop_sequence", "2")


def test_a_tools_loop(post: Any) -> None:
    """Parallel calls, then results in one message, then words."""
    question = user("The weather in Paris and in Rome?")
    first = post(messages=[question], tools=[TOOL]).json()
    assert first["stop_reason"] == "tool_use"
    assert [block["input"] for block in first["content"]] == [{"location": "Paris"}, {"location": "Rome"}]
    results = [RESULT | {"tool_use_id": block["id"]} for block in first["content"]]
    messages = [question, assistant(first["content"]), user(results)]
    second = post(messages=messages, tools=[TOOL]).json()
    assert second["content"][0]["text"] == "get_weather answered: 21 °C\nget_weather answered: 21 °C"


@pytest.mark.parametrize(
    "asked",
    [
        {"output_config": {"format": {"type": "json_schema", "schema": TOOL["input_schema"]}}},
        {"output_format": {"type": "json_schema", "schema": TOOL["input_schema"]}},
    ],
)
def test_a_structured_answer(post: Any, asked: dict[str, Any]) -> None:
    """JSON of the schema as text."""
    reply = post(messages=[user("I am in Oslo.")], **asked).json()
    assert json.loads(reply["content"][0]["text"]) == {"location": "Oslo"}


def test_thinking_comes_first_and_goes_back_signed(post: Any) -> None:
    """A thinking block is accepted as it was given, and refused with another text."""
    first = post(thinking=THINKING).json()
    thinking, _ = first["content"]
    assert thinking.keys() == {"type", "thinking", "signature"}
    history = [user("Count to 3"), assistant(first["content"]), user("Go on")]
    assert post(messages=history, thinking=THINKING).status_code == 200
    thinking["thinking"] += " (changed)"
    refused = post(messages=history, thinking=THINKING)
    assert "Invalid `signature`" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    ("change", "status", "text"),
    [
        ({"key": "sk-ant-wrong"}, 401, "invalid x-api-key"),
        ({"model": "claude-9"}, 404, "model: claude-9"),
        ({"colour": "red"}, 400, "colour: Extra inputs are not permitted"),
        ({"max_tokens": 0}, 400, "max_tokens"),
        ({"max_tokens": 70000}, 400, "maximum allowed number of output tokens"),
        ({"temperature": 1.5}, 400, "temperature"),
        ({"temperature": 1, "top_p": 0.5}, 400, "cannot both be specified"),
        ({"stop_sequences": ["\n"]}, 400, "non-whitespace"),
        ({"messages": []}, 400, "at least one message"),
        ({"messages": [assistant("Hi")]}, 400, "first message"),
        ({"messages": [user("Hi"), user("Ho")]}, 400, "roles must alternate"),
        ({"messages": [{"role": "system", "content": "Hi"}]}, 400, "Input should be 'user' or 'assistant'"),
        ({"messages": [user("")]}, 400, "must be non-empty"),
        ({"messages": [user([])]}, 400, "non-empty content"),
        ({"messages": [user([{"type": "text", "text": " "}])]}, 400, "non-whitespace"),
        ({"messages": [user("Hi"), assistant("So ")]}, 400, "trailing whitespace"),
        ({"system": [{"type": "text", "text": ""}]}, 400, "system: text content blocks"),
        (
            {"messages": [user("Hi"), assistant([CALL]), user("Ho")], "tools": [TOOL]},
            400,
            "without `tool_result`",
        ),
        ({"messages": [user([RESULT])], "tools": [TOOL]}, 400, "unexpected `tool_use_id`"),
        ({"messages": [user("Hi"), assistant([CALL]), user([RESULT])]}, 400, "must define tools"),
        (
            {"messages": [user("Hi"), assistant([CALL | {"id": "a:0"}]), user([RESULT])], "tools": [TOOL]},
            400,
            "pattern",
        ),
        ({"tools": [{"name": "a.b", "input_schema": TOOL["input_schema"]}]}, 400, "tools.0.custom.name"),
        ({"tools": [{"name": "a", "input_schema": {}}]}, 400, "input_schema.type: Field required"),
        ({"tools": [TOOL, TOOL]}, 400, "unique"),
        ({"tool_choice": {"type": "any"}}, 400, "while providing tools"),
        ({"tools": [TOOL], "tool_choice": {"type": "tool", "name": "b"}}, 400, "Tool 'b' not found"),
        ({"thinking": {"type": "enabled", "budget_tokens": 10}}, 400, "budget_tokens"),
        ({"thinking": THINKING, "max_tokens": 1024}, 400, "greater than `thinking.budget_tokens`"),
        ({"thinking": THINKING, "temperature": 0.5}, 400, "only be set to 1"),
        ({"thinking": THINKING, "tools": [TOOL], "tool_choice": {"type": "any"}}, 400, "forces tool use"),
        (
            {
                "thinking": THINKING,
                "tools": [TOOL],
                "messages": [user("Hi"), assistant([CALL]), user([RESULT])],
            },
            400,
            "Expected `thinking`",
        ),
        (
            {"system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}] * 5},
            400,
            "maximum of 4 blocks",
        ),
    ],
)
def test_wrong_requests_are_refused(post: Any, change: dict[str, Any], status: int, text: str) -> None:
    """In Anthropic's form, as Anthropic words it."""
    reply = post(**change)
    assert (reply.status_code, reply.json()["type"]) == (status, "error")
    assert text in reply.json()["error"]["message"]


def test_a_missing_field_and_a_missing_version_are_refused(simulator: str) -> None:
    """max_tokens is required, and so is the version header."""
    url, body = f"{simulator}/anthropic/v1/messages", {"model": MODEL, "messages": [user("Hi")]}
    versioned = {"x-api-key": KEY, "anthropic-version": "2023-06-01"}
    without_limit = httpx2.post(url, headers=versioned, json=body)
    assert without_limit.json()["error"]["message"] == "max_tokens: Field required"
    without_version = httpx2.post(url, headers={"x-api-key": KEY}, json=body)
    assert "anthropic-version" in without_version.json()["error"]["message"]


@needs_recordings
def test_the_stream_is_like_real_ones(post: Any) -> None:
    """Thinking, calls and text: every event has the form of some recorded one, in the order they come in."""
    known = set()
    for recording in recordings("anthropic", endpoint="chat", stream=True, status=200):
        known |= {_form(event) for event in _events(recording.response["sse"])}
    question = [user("The weather in Paris and in Rome?")]
    for asked in ({"messages": question, "tools": [TOOL]}, {"thinking": THINKING}):
        events = list(_events(post(stream=True, **asked).text))
        assert {_form(event) for event in events} <= known
        order = "".join(event["type"] + " " for event in events)
        blocks = "(content_block_start (ping )?(content_block_delta )+content_block_stop )+"
        assert re.fullmatch(f"message_start {blocks}message_delta message_stop ", order)


@needs_recordings
def test_a_whole_answer_has_the_fields_of_real_ones(post: Any) -> None:
    """At each level."""
    found = recordings("anthropic", endpoint="chat", stream=False, status=200)
    real = [recording.response["body"] for recording in found if "content" in recording.response["body"]]
    ours = post(thinking=THINKING).json()
    assert ours.keys() in [answer.keys() for answer in real]
    assert ours["usage"].keys() in [answer["usage"].keys() for answer in real]
    blocks = [block.keys() for answer in real for block in answer["content"]]
    assert all(block.keys() in blocks for block in ours["content"])


@needs_recordings
def test_errors_have_the_fields_of_real_ones(post: Any) -> None:
    """Body and message."""
    real = [recording.response["body"] for recording in recordings("anthropic", kind="error", status=404)]
    ours = post(model="claude-9").json()
    assert ours.keys() in [answer.keys() for answer in real]
    assert ours["error"].keys() in [answer["error"].keys() for answer in real]


def test_a_signature_belongs_to_its_text() -> None:
    """Another text, another signature."""
    assert signature("a") != signature("b")


def _events(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        if line.startswith("data: {"):
            yield json.loads(line.removeprefix("data: "))


def _form(event: dict[str, Any]) -> tuple[Any, ...]:
    """The event's fields, and those of the objects in it."""
    parts = ("message", "content_block", "delta", "usage")
    inner = tuple((part, frozenset(event[part])) for part in parts if part in event)
    kinds = tuple(event[part].get("type") for part in parts if part in event)
    return event.get("type"), frozenset(event), inner, kinds
