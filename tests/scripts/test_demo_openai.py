"""scripts/demo/wires/openai.py: the simulator as the openai SDK and as recordings know the wire."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest
from pydantic import BaseModel

from tests.recordings import needs_recordings, recordings

KEY = "sk-simulated-openai"
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"location": {"type": "string"}},
            "required": ["location"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}


class City(BaseModel):
    name: str
    people: int


@pytest.fixture
def client(simulator: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{simulator}/openai/v1", api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture
def post(simulator: str) -> Any:
    def post(key: str = KEY, **body: Any) -> httpx2.Response:
        url = f"{simulator}/openai/v1/chat/completions"
        return httpx2.post(url, headers={"authorization": f"Bearer {key}"}, json=body)

    return post


def test_the_sdk_reads_an_answer(client: openai.OpenAI) -> None:
    """Text, finish reason and usage."""
    reply = client.chat.completions.create(
        model="gpt-simulated",
        messages=[{"role": "user", "content": "Count to 3"}],
    )
    assert reply.choices[0].message.content == "1, 2, 3"
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage is not None
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


def test_the_sdk_parses_a_structured_answer(client: openai.OpenAI) -> None:
    """`.parse()` gives an instance of the client's class."""
    reply = client.chat.completions.parse(
        model="gpt-simulated",
        messages=[{"role": "user", "content": "Tell me about Oslo"}],
        response_format=City,
    )
    assert reply.choices[0].message.parsed == City(name="Oslo", people=1)


def test_the_sdk_streams_a_tools_loop(client: openai.OpenAI) -> None:
    """Two parallel calls, their results, the final words; streamed both times."""
    messages: list[Any] = [{"role": "user", "content": "The weather in Paris and in Rome, please"}]
    options: dict[str, Any] = {"model": "gpt-simulated", "tools": [TOOL], "messages": messages}
    with client.chat.completions.stream(**options) as stream:
        message = stream.get_final_completion().choices[0].message
    calls = message.tool_calls or []
    assert [json.loads(call.function.arguments)["location"] for call in calls] == ["Paris", "Rome"]
    messages.append(message.model_dump(exclude_none=True, exclude={"parsed"}))
    messages.extend({"role": "tool", "tool_call_id": call.id, "content": "21 °C"} for call in calls)
    for call in messages[1]["tool_calls"]:
        call["function"].pop("parsed_arguments", None)
    with client.chat.completions.stream(**options) as stream:
        text = stream.get_final_completion().choices[0].message.content
    assert text == "get_weather answered: 21 °C\nget_weather answered: 21 °C"


def test_reasoning_is_told_and_counted(post: Any) -> None:
    """With reasoning_effort."""
    messages = [{"role": "user", "content": "Hello"}]
    body = post(model="gpt-simulated", messages=messages, reasoning_effort="low").json()
    assert "Hello" in body["choices"][0]["message"]["reasoning_content"]
    assert body["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0


@pytest.mark.parametrize(
    ("change", "status", "code", "text"),
    [
        ({"key": "sk-wrong-key-0123456789"}, 401, "invalid_api_key", "Incorrect API key provided"),
        ({"model": "gpt-9"}, 404, "model_not_found", "The model `gpt-9` does not exist"),
        ({"messages": []}, 400, "missing_required_parameter", "messages"),
        ({"messages": [{"role": "robot", "content": "Hi"}]}, 400, "invalid_value", "'robot'"),
        ({"messages": [{"role": "tool", "tool_call_id": "x", "content": "Hi"}]}, 400, None, "role 'tool'"),
    ],
)
def test_wrong_requests_are_refused(
    post: Any,
    change: dict[str, Any],
    status: int,
    code: str | None,
    text: str,
) -> None:
    """In OpenAI's form, as OpenAI words it."""
    request = {"model": "gpt-simulated", "messages": [{"role": "user", "content": "Hi"}], **change}
    reply = post(**request)
    assert reply.status_code == status
    assert reply.json()["error"]["code"] == code
    assert text in reply.json()["error"]["message"]
    assert reply.json()["error"].keys() == {"message", "type", "param", "code"}


def test_unanswered_calls_are_refused(post: Any) -> None:
    """The message names the calls."""
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    messages = [{"role": "assistant", "tool_calls": [call]}, {"role": "user", "content": "And?"}]
    reply = post(model="gpt-simulated", messages=messages)
    assert reply.status_code == 400
    assert "did not have response messages: call_1" in reply.json()["error"]["message"]


def test_models_are_listed(client: openai.OpenAI) -> None:
    """As the SDK expects them."""
    names = [model.id for model in client.models.list()]
    assert names[:2] == ["gpt-simulated", "gpt-simulated-mini"]
    assert {"image-simulated", "speech-simulated", "transcription-simulated", "embedding-simulated"} < set(names)


@needs_recordings
def test_the_fields_are_those_of_real_answers(post: Any) -> None:
    """The same fields as most recorded answers, at each level."""
    real = [
        recording.response["body"]
        for recording in recordings("openai", kind="chat", stream=False)
        if recording.origin == "http-cassette" and "usage" in recording.response["body"]
    ]
    ours = post(model="gpt-simulated", messages=[{"role": "user", "content": "Hi"}]).json()
    assert ours.keys() in [answer.keys() for answer in real]
    assert ours["usage"].keys() in [answer["usage"].keys() for answer in real]
    choices = [answer["choices"][0] for answer in real]
    assert ours["choices"][0].keys() in [choice.keys() for choice in choices]
    assert ours["choices"][0]["message"].keys() in [choice["message"].keys() for choice in choices]


@needs_recordings
@pytest.mark.parametrize("usage", [True, False])
def test_the_chunks_are_those_of_real_streams(post: Any, usage: bool) -> None:
    """Every chunk has the fields, and every delta the form, of some recorded one."""
    real = recordings("openai", kind="chat", stream=True)
    known = set().union(*(_forms(recording.response["sse"]) for recording in real))
    text = post(
        model="gpt-simulated",
        messages=[{"role": "user", "content": "The weather in Paris and in Rome?"}],
        tools=[TOOL],
        stream=True,
        stream_options={"include_usage": usage},
    ).text
    assert _forms(text) <= known
    assert text.endswith("\n\ndata: [DONE]\n\n")


def _forms(text: str) -> set[tuple[Any, ...]]:
    """The forms in a stream: the fields of chunks (and whether usage is filled), of deltas and of calls."""
    forms: set[tuple[Any, ...]] = set()
    for line in text.splitlines():
        if line.startswith("data: {"):
            chunk = json.loads(line.removeprefix("data: "))
            forms.add(("chunk", frozenset(chunk), bool(chunk.get("usage")), bool(chunk["choices"])))
            for choice in chunk["choices"]:
                forms.add(("delta", frozenset(choice), frozenset(choice["delta"])))
                for call in choice["delta"].get("tool_calls", ()):
                    forms.add(("call", frozenset(call), frozenset(call["function"])))
    return forms
