"""The simulator's wires as the gateway's engines use them: each request built, each answer read, by its engine."""

import json
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from scripts.demo.wires import WIRES
from translators import ENGINES
from translators.base import AnswerIdentity
from translators.errors import Kind, UpstreamError
from translators.openai import OpenAIChat
from translators.relay import open_stream, whole_answer
from translators.types import Target

ACCOUNT = "0123456789abcdef0123456789abcdef"
PROVIDERS: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt": ("/openai/v1", {"model": "gpt-simulated", "key": "sk-simulated-openai"}),
    "claude": ("/anthropic/v1", {"model": "claude-haiku-4-5-simulated", "key": "sk-ant-simulated"}),
    "openrouter": ("/openrouter/api/v1", {"model": "simulator/echo-1", "key": "sk-or-v1-simulated"}),
    "azure": ("/azure", {"model": "gpt-deployment", "key": "simulated-azure"}),
    "azure, v1": ("/azure/openai/v1", {"model": "gpt-deployment", "key": "simulated-azure"}),
    "cloudflare": (
        "/cloudflare/client/v4",
        {"model": "@cf/simulator/echo-8b", "key": "simulated-cloudflare", "account": ACCOUNT},
    ),
    "cloudflare, run": (
        f"/cloudflare/client/v4/accounts/{ACCOUNT}/ai/run",
        {"model": "@cf/simulator/echo-8b", "key": "simulated-cloudflare"},
    ),
    "cohere": ("/cohere/v2/chat", {"model": "command-simulated-reasoning", "key": "simulated-cohere"}),
}
SCHEMA = {
    "type": "object",
    "properties": {"location": {"type": "string"}},
    "required": ["location"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}
FORM = {"type": "json_schema", "json_schema": {"name": "city", "schema": SCHEMA}}

both = pytest.mark.parametrize("stream", [False, True])
every = pytest.mark.parametrize("provider", PROVIDERS)


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


@pytest.fixture
def ask(simulator: str) -> Any:
    """Sends a request by a provider's engine; gives the answer's one choice and its usage, as OpenAI's client sees it.
    `change`: fields of Target. Raises UpstreamError."""

    def ask(
        provider: str,
        stream: bool,
        *messages: dict[str, Any],
        change: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        path, target = PROVIDERS[provider]
        engine, client = ENGINES[provider.split(",")[0]], OpenAIChat()
        body = {"model": "demo", "messages": messages, "stream": stream, **fields}
        if stream:
            body["stream_options"] = {"include_usage": True}
        destination = Target(base_url=simulator + path, alias="demo", **{**target, **(change or {})})
        wire = engine.build(client.read(json.dumps(body).encode()), destination)
        reply = httpx2.request(wire.method, wire.url, headers={**wire.headers, **wire.credentials}, content=wire.body)
        if reply.status_code != 200:
            raise engine.failure(reply.status_code, dict(reply.headers), reply.content)
        identity = AnswerIdentity("chatcmpl-1", 0, "demo", renamed=True, include_usage=True)
        if not stream:
            whole = whole_answer(engine, client, wire, identity, reply.content, arrives_as_stream=False)
            answer = json.loads(whole.body)
            return {**answer["choices"][0], "usage": answer["usage"]}
        answers = open_stream(engine, client, wire, identity, arrives_as_stream=True)
        out = answers.feed(reply.content) + answers.close()
        assert answers.ended
        assert answers.failure is None
        return _collected(out)

    return ask


@both
@every
def test_text_and_usage(ask: Any, provider: str, stream: bool) -> None:
    """Counting, cut by a limit, stopped by a text."""
    answer = ask(provider, stream, user("Count to 3"), reasoning_effort="none")
    assert (answer["message"]["content"], answer["finish_reason"]) == ("1, 2, 3", "stop")
    assert answer["usage"]["completion_tokens"] > 0
    cut = ask(provider, stream, user("Count to 3"), max_completion_tokens=2, reasoning_effort="none")
    assert cut["message"]["content"] == "1,"
    assert cut["finish_reason"] == ("stop" if provider == "cloudflare, run" else "length")  # which cannot say so
    stopped = ask(provider, stream, user("Count to 3"), stop=["2"], reasoning_effort="none")
    assert (stopped["message"]["content"].strip(), stopped["finish_reason"]) == ("1,", "stop")


@both
@every
def test_a_tools_loop(ask: Any, provider: str, stream: bool) -> None:
    """Two parallel calls, sent back with their results, then words."""
    question = user("The weather in Paris and in Rome?")
    first = ask(provider, stream, question, tools=[TOOL])
    assert first["finish_reason"] == "tool_calls"
    calls = first["message"]["tool_calls"]
    assert [json.loads(call["function"]["arguments"]) for call in calls] == [
        {"location": "Paris"},
        {"location": "Rome"},
    ]
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "21 °C"} for call in calls]
    second = ask(provider, stream, question, first["message"], *results, tools=[TOOL])
    assert second["message"]["content"] == "get_weather answered: 21 °C\nget_weather answered: 21 °C"


@both
@every
def test_an_answer_of_a_schema_is_text(ask: Any, provider: str, stream: bool) -> None:
    """JSON text, whatever the wire has for it."""
    answer = ask(provider, stream, user("I am in Oslo."), response_format=FORM, reasoning_effort="none")
    assert json.loads(answer["message"]["content"]) == {"location": "Oslo"}


@both
@pytest.mark.parametrize("provider", ["gpt", "claude", "openrouter", "azure", "cloudflare", "cohere"])
def test_reasoning_goes_forth_and_back(ask: Any, provider: str, stream: bool) -> None:
    """It is told, whatever its name, and taken back in the history."""
    first = ask(provider, stream, user("Hello"), reasoning_effort="low")
    message = first["message"]
    assert "Hello" in (message.get("reasoning_content") or message["reasoning"])
    assert "Hello" in message["content"]
    second = ask(provider, stream, user("Hello"), message, user("Go on"), reasoning_effort="low")
    assert "Go on" in second["message"]["content"]


@both
@every
@pytest.mark.parametrize(
    ("change", "kind"),
    [({"key": "wrong"}, Kind.CREDENTIALS), ({"model": "no-such-model"}, Kind.NOT_FOUND)],
)
def test_refusals_are_understood(ask: Any, provider: str, stream: bool, change: dict[str, str], kind: Kind) -> None:
    """A wrong key, a model that there is not."""
    with pytest.raises(UpstreamError) as raised:
        ask(provider, stream, user("Hi"), change=change)
    assert raised.value.kind is kind


@pytest.mark.parametrize("provider", ["gpt", "claude", "openrouter", "azure", "cloudflare", "cohere"])
def test_a_broken_stream_is_understood(provider: str) -> None:
    """As a failure before the first word."""
    path, target = PROVIDERS[provider]
    broken = next(wire for wire in WIRES if path.startswith(f"/{wire.name}")).broken("It gives up.")
    engine, client = ENGINES[provider], OpenAIChat()
    request = client.read(json.dumps({"model": "demo", "messages": [user("Hi")], "stream": True}).encode())
    wire = engine.build(request, Target(base_url=f"http://127.0.0.1{path}", alias="demo", **target))
    identity = AnswerIdentity("chatcmpl-1", 0, "demo", renamed=True, include_usage=True)
    answers = open_stream(engine, client, wire, identity, arrives_as_stream=True)
    answers.feed(broken)
    answers.close()
    assert answers.failure is not None
    assert "It gives up." in answers.failure.message
    assert not answers.has_output


@both
@pytest.mark.parametrize("provider", ["azure", "azure, v1"])
def test_a_filtered_prompt_is_blocked(ask: Any, provider: str, stream: bool) -> None:
    """Azure's filter."""
    with pytest.raises(UpstreamError) as raised:
        ask(provider, stream, user("Please attack the simulation."))
    assert raised.value.kind is Kind.BLOCKED


def _collected(stream: bytes) -> dict[str, Any]:
    """The message that the chunks of a stream make up; text is joined, other fields are lists."""
    message: dict[str, Any] = {"role": "assistant", "content": ""}
    finish, usage = None, None
    for line in stream.decode().splitlines():
        if not line.startswith("data: {"):
            continue
        chunk = json.loads(line.removeprefix("data: "))
        usage = chunk.get("usage") or usage
        for choice in chunk["choices"]:
            finish = choice.get("finish_reason") or finish
            for name, value in choice["delta"].items():
                _add(message, name, value)
    return {"message": message, "finish_reason": finish, "usage": usage}


def _add(message: dict[str, Any], name: str, value: Any) -> None:
    if name == "tool_calls":
        calls = message.setdefault(name, [])
        for piece in value:
            if piece["index"] == len(calls):
                calls.append({key: dict(part) if key == "function" else part for key, part in piece.items()})
                del calls[-1]["index"]
            else:
                calls[piece["index"]]["function"]["arguments"] += piece["function"]["arguments"]
    elif name != "role" and value is not None:
        message[name] = message.get(name, type(value)()) + value
