"""The openai SDK, unpatched, against the demo's providers: one speaks OpenAI's wire, one Anthropic's."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import openai
import pydantic
import pytest

from tests.e2e.gateway_process import GatewayProcess

MODELS = ["gpt-demo", "claude-demo"]
KEY = "sk-demo"
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": description,
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
    for name, description in [("get_weather", "The weather of a city"), ("get_time", "The time in a city")]
]
QUESTION = {"role": "user", "content": "Call get_weather and get_time for Berlin."}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    directory = tmp_path_factory.mktemp("demo")
    with GatewayProcess(directory, None, confdir=directory, demo=True) as gateway:
        gateway.wait_for_log("Your own providers go into api.yaml")
        yield gateway
    assert "Traceback" not in gateway.log


@pytest.fixture
def client(demo: GatewayProcess) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=demo.base_url, api_key=KEY, max_retries=0) as client:
        yield client


def ask(text: str) -> Any:
    return [{"role": "user", "content": text}]


@pytest.mark.parametrize("model", MODELS)
def test_a_whole_answer(client, model):
    """Text, finish reason and usage."""
    completion = client.chat.completions.create(model=model, messages=ask("Hello!"))
    assert completion.choices[0].message.content
    assert completion.choices[0].finish_reason == "stop"
    assert completion.model == model
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens > 0


@pytest.mark.parametrize("model", MODELS)
def test_an_asynchronous_client(demo, model):
    """Whole and streamed by AsyncOpenAI, several at once."""

    async def one(client: openai.AsyncOpenAI) -> str:
        stream = await client.chat.completions.create(model=model, messages=ask("Count to 5"), stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

    async def several() -> list[str]:
        async with openai.AsyncOpenAI(base_url=demo.base_url, api_key=KEY, max_retries=0) as client:
            whole = await client.chat.completions.create(model=model, messages=ask("Count to 5"))
            return [whole.choices[0].message.content or "", *await asyncio.gather(*(one(client) for _ in range(5)))]

    texts = asyncio.run(several())
    assert all(texts)
    assert len(set(texts)) == 1


@pytest.mark.parametrize("model", MODELS)
def test_the_streaming_helper(client, model):
    """`chat.completions.stream` assembles the same message that a whole answer has, with usage."""
    with client.chat.completions.stream(
        model=model, messages=ask("Hello!"), stream_options={"include_usage": True}
    ) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert {"chunk", "content.delta", "content.done"} <= kinds
    assert final.choices[0].message.content == (
        client.chat.completions.create(model=model, messages=ask("Hello!")).choices[0].message.content
    )
    assert final.usage.completion_tokens > 0


class Person(pydantic.BaseModel):
    name: str
    age: int
    hobbies: list[str]


@pytest.mark.parametrize("model", MODELS)
def test_parse_gives_a_pydantic_model(client, model):
    """Structured output by `.parse()`, whole and by the streaming helper."""
    completion = client.chat.completions.parse(model=model, messages=ask("Invent a person."), response_format=Person)
    assert isinstance(completion.choices[0].message.parsed, Person)
    assert completion.choices[0].finish_reason == "stop"
    with client.chat.completions.stream(
        model=model, messages=ask("Invent a person."), response_format=Person
    ) as stream:
        assert isinstance(stream.get_final_completion().choices[0].message.parsed, Person)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_a_tools_loop_with_two_parallel_calls(client, model, stream):
    """Two calls come at once, their results go back, text comes of it."""
    messages: list = [QUESTION]
    if stream:
        with client.chat.completions.stream(model=model, messages=messages, tools=TOOLS) as helper:
            first = helper.get_final_completion().choices[0]
    else:
        first = client.chat.completions.create(model=model, messages=messages, tools=TOOLS).choices[0]
    assert first.finish_reason == "tool_calls"
    calls = first.message.tool_calls
    assert [call.function.name for call in calls] == ["get_weather", "get_time"]
    assert len({call.id for call in calls}) == 2
    assert all("city" in json.loads(call.function.arguments) for call in calls)
    messages.append(first.message.to_dict())
    messages += [{"role": "tool", "tool_call_id": call.id, "content": f"result of {call.id}"} for call in calls]
    second = client.chat.completions.create(model=model, messages=messages, tools=TOOLS).choices[0]
    assert second.finish_reason == "stop"
    assert second.message.content


def test_a_tools_loop_that_changes_the_provider_in_the_middle(client):
    """Calls made by one wire, results taken by the other, and back."""
    messages: list = [QUESTION]
    for model in ("claude-demo", "gpt-demo", "claude-demo"):
        choice = client.chat.completions.create(model=model, messages=messages, tools=TOOLS).choices[0]
        messages.append(choice.message.to_dict())
        for call in choice.message.tool_calls or ():
            messages.append({"role": "tool", "tool_call_id": call.id, "content": "sunny"})
        messages.append({"role": "user", "content": "Go on: call get_weather and get_time for Rome."})
    assert any(message.get("tool_calls") for message in messages)


@pytest.mark.parametrize("model", MODELS)
def test_reasoning_goes_out_and_comes_back(client, model):
    """`reasoning_effort` gives reasoning; its blocks, sent back, are accepted."""
    completion = client.chat.completions.create(model=model, messages=ask("Think."), reasoning_effort="low")
    message = completion.choices[0].message
    assert message.model_extra.get("reasoning_content")
    history = [*ask("Think."), message.to_dict(), *ask("Again.")]
    again = client.chat.completions.create(model=model, messages=history, reasoning_effort="low")
    assert again.choices[0].message.content


def test_errors_are_the_sdks_own(demo, client):
    """A wrong key and an unknown model raise what they raise at OpenAI."""
    with pytest.raises(openai.NotFoundError) as not_found:
        client.chat.completions.create(model="no-such-model", messages=ask("Hello!"))
    assert not_found.value.code == "model_not_found"
    with (
        openai.OpenAI(base_url=demo.base_url, api_key="sk-wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError) as refused,
    ):
        stranger.models.list()
    assert refused.value.code == "invalid_api_key"


def test_models_are_listed_and_found(client):
    """`/v1/models` and `/v1/models/{id}`."""
    names = [model.id for model in client.models.list()]
    assert {"gpt-demo", "claude-demo", "resilient-demo"} <= set(names)
    assert client.models.retrieve("claude-demo").id == "claude-demo"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("no-such-model")


@pytest.mark.parametrize("stream", [False, True])
def test_a_dead_and_a_flaky_provider_are_not_noticed(client, stream):
    """resilient-demo answers every time."""
    for _ in range(6):
        if stream:
            pieces = client.chat.completions.create(model="resilient-demo", messages=ask("Hi"), stream=True)
            text = "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
        else:
            text = client.chat.completions.create(model="resilient-demo", messages=ask("Hi")).choices[0].message.content
        assert text
