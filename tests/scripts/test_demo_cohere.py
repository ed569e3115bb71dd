"""scripts/demo/wires/cohere.py: the simulator as recordings know the wire, and what it refuses."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.recordings import Recording, needs_recordings, recordings

KEY = "simulated-cohere"
MODEL = "command-simulated"
REASONING = "command-simulated-reasoning"
SCHEMA = {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]}
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}
CALL = {"id": "get_weather_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
CALLED = {"role": "assistant", "tool_calls": [CALL]}


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


QUESTION = user("The weather in Paris and in Rome?")


@pytest.fixture
def post(simulator: str) -> Any:
    def post(key: str = KEY, **body: Any) -> httpx2.Response:
        request = {"model": MODEL, "messages": [user("Count to 3")], **body}
        return httpx2.post(f"{simulator}/cohere/v2/chat", headers={"authorization": f"Bearer {key}"}, json=request)

    return post


def test_it_answers(post: Any) -> None:
    """Text, finish reason, usage in two ways."""
    reply = post().json()
    assert reply["message"] == {"role": "assistant", "content": [{"type": "text", "text": "1, 2, 3"}]}
    assert reply["finish_reason"] == "COMPLETE"
    assert reply["usage"]["billed_units"]["output_tokens"] < reply["usage"]["tokens"]["output_tokens"]


def test_finish_reasons(post: Any) -> None:
    """The limit, a stop text."""
    assert post(max_tokens=1).json()["finish_reason"] == "MAX_TOKENS"
    assert post(stop_sequences=["2"]).json()["finish_reason"] == "STOP_SEQUENCE"


def test_a_tools_loop(post: Any) -> None:
    """A plan and parallel calls, their results, words."""
    first = post(messages=[QUESTION], tools=[TOOL]).json()
    message = first["message"]
    assert first["finish_reason"] == "TOOL_CALL"
    assert message["tool_plan"] == "I will use get_weather."
    found = {"type": "document", "document": {"data": {"sky": "blue"}}}
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": content}
        for call, content in zip(message["tool_calls"], ("21 °C", [found]), strict=True)
    ]
    second = post(messages=[QUESTION, message, *results], tools=[TOOL]).json()
    text = 'get_weather answered: 21 °C\nget_weather answered: {"sky":"blue"}'
    assert second["message"]["content"][0]["text"] == text


def test_a_structured_answer(post: Any) -> None:
    """JSON text of the schema."""
    form = {"type": "json_object", "json_schema": SCHEMA}
    reply = post(messages=[user("I am in Oslo.")], response_format=form).json()
    assert json.loads(reply["message"]["content"][0]["text"]) == {"location": "Oslo"}


def test_a_reasoning_model_thinks_unless_told_not_to(post: Any) -> None:
    """In a part of its own, before the text."""
    reply = post(model=REASONING).json()
    assert [part["type"] for part in reply["message"]["content"]] == ["thinking", "text"]
    silent = post(model=REASONING, thinking={"type": "disabled"}).json()
    assert [part["type"] for part in silent["message"]["content"]] == ["text"]


@pytest.mark.parametrize(
    ("change", "status", "text"),
    [
        ({"key": "wrong"}, 401, "Incorrect API key"),
        ({"model": "command-r"}, 404, "model 'command-r' not found"),
        ({"model": ""}, 400, "model is required"),
        ({"messages": []}, 400, "at least one message"),
        ({"top_p": 0.5}, 400, "parameter 'top_p' is not a valid field"),
        ({"tool_choice": "auto", "tools": [TOOL]}, 400, "tool_choice 'auto'"),
        ({"tool_choice": "REQUIRED"}, 400, "without tools"),
        ({"tools": [TOOL], "response_format": {"type": "json_object"}}, 400, "cannot be combined"),
        ({"messages": [{"role": "robot", "content": "Hi"}]}, 400, "role 'robot'"),
        ({"messages": [{"role": "assistant", "content": ""}]}, 400, "must have content or tool calls"),
        ({"messages": [CALLED]}, 400, "must be followed"),
        ({"messages": [CALLED, user("And?")]}, 400, "must be followed"),
        ({"messages": [{"role": "tool", "tool_call_id": "x", "content": "Hi"}]}, 400, "does not answer"),
    ],
)
def test_wrong_requests_are_refused(post: Any, change: dict[str, Any], status: int, text: str) -> None:
    """In Cohere's form."""
    reply = post(**change)
    assert reply.status_code == status
    assert text in reply.json()["message"]


def test_the_body_must_be_an_object(simulator: str) -> None:
    """JSON or not."""
    for body in (b"{", b"[]"):
        headers = {"authorization": f"Bearer {KEY}"}
        assert httpx2.post(f"{simulator}/cohere/v2/chat", headers=headers, content=body).status_code == 400


@needs_recordings
def test_the_stream_is_like_real_ones(post: Any) -> None:
    """Thought, text, a plan, calls: every event has the form of some recorded one."""
    real = recordings("cohere", endpoint="chat", stream=True, status=200, where=_speaks_v2)
    known = set().union(*(_forms(recording.response["sse"]) for recording in real))
    for asked in ({"model": REASONING}, {"messages": [QUESTION], "tools": [TOOL]}):
        text = post(stream=True, **asked).text
        assert _forms(text) - known == set()
        kinds = [event["type"] for event in _events(text)]
        assert (kinds[0], kinds[-1]) == ("message-start", "message-end")


@needs_recordings
def test_a_whole_answer_has_the_fields_of_real_ones(post: Any) -> None:
    """At each level."""
    found = recordings("cohere", endpoint="chat", stream=False, status=200, where=_speaks_v2)
    known = set().union(*(_form(recording.response["body"]) for recording in found))
    for asked in ({"model": REASONING}, {"messages": [QUESTION], "tools": [TOOL]}):
        assert _form(post(**asked).json()) - known == set()


@needs_recordings
def test_errors_have_the_fields_of_real_ones(post: Any) -> None:
    """Both of them."""
    real = [recording.response["body"] for recording in recordings("cohere", kind="error", status=404)]
    assert post(model="command-r").json().keys() in [answer.keys() for answer in real]


def _speaks_v2(recording: Recording) -> bool:
    return "/v2/" in recording.request["url"]


def _events(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        if line.startswith("data: {"):
            yield json.loads(line.removeprefix("data: "))


def _forms(text: str) -> set[tuple[Any, ...]]:
    """Of each event its type and fields, and those of all that is in it."""
    return {(event["type"], *inner) for event in _events(text) for inner in _form(event)}


def _form(value: Any, path: str = "") -> set[tuple[Any, ...]]:
    """Where something stands, and the fields of what stands there; of lists the items."""
    if isinstance(value, list):
        return set().union(*(_form(item, path + "[]") for item in value))
    if not isinstance(value, dict):
        return set()
    inner = (_form(item, f"{path}.{name}") for name, item in value.items())
    return {(path, frozenset(value))}.union(*inner)
