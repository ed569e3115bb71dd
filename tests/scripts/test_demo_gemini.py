"""scripts/demo/wires/gemini.py and vertex.py: the simulator as recordings know the wire, and what it refuses."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from scripts.demo.wires.gemini_rules import signature
from tests.recordings import needs_recordings, recordings
from translators import ENGINES
from translators.base import Translator
from translators.openai_request import read_request
from translators.types import Ended, Target

KEY = "AIza-simulated"
MODEL = "gemini-3-flash-simulated"
OLD = "gemini-2.5-flash-simulated"
SCHEMA = {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]}
TOOLS = [{"functionDeclarations": [{"name": "get_weather", "parametersJsonSchema": SCHEMA}]}]
CALL = {"name": "get_weather", "args": {"location": "Oslo"}}
RESULT = {"functionResponse": {"name": "get_weather", "response": {"output": "21 °C"}}}


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "parts": [{"text": part} if isinstance(part, str) else part for part in parts]}


def model(*parts: Any) -> dict[str, Any]:
    return {"role": "model", "parts": list(parts)}


@pytest.fixture
def post(simulator: str) -> Any:
    def post(name: str = MODEL, method: str = "generateContent", key: str = KEY, **body: Any) -> httpx2.Response:
        url = f"{simulator}/gemini/v1beta/models/{name}:{method}"
        request = {"contents": [user("Count to 3")]} | body
        return httpx2.post(url, headers={"x-goog-api-key": key}, json=request)

    return post


def chunks(reply: httpx2.Response) -> list[Any]:
    return [json.loads(line[6:]) for line in reply.text.splitlines() if line.startswith("data: ")]


def test_it_answers(post: Any) -> None:
    """Text, finish reason, usage."""
    reply = post().json()
    assert reply["candidates"][0]["content"] == {"role": "model", "parts": [{"text": "1, 2, 3"}]}
    assert reply["candidates"][0]["finishReason"] == "STOP"
    assert reply["usageMetadata"]["candidatesTokenCount"] == 5


def test_a_stream_ends_with_a_finish_reason(post: Any) -> None:
    """In events with CRLF; as one JSON list where nobody asked for events."""
    streamed = post(method="streamGenerateContent?alt=sse")
    assert streamed.text.endswith("\r\n\r\n")
    found = chunks(streamed)
    assert "".join(item["candidates"][0]["content"]["parts"][0]["text"] for item in found) == "1, 2, 3"
    assert [item["candidates"][0].get("finishReason") for item in found][-2:] == [None, "STOP"]
    assert len(post(method="streamGenerateContent").json()) == len(found)


def test_thoughts_on_demand(post: Any) -> None:
    """Marked, counted apart."""
    reply = post(generationConfig={"thinkingConfig": {"includeThoughts": True}}).json()
    thought, text = reply["candidates"][0]["content"]["parts"]
    assert thought["thought"] is True
    assert text == {"text": "1, 2, 3"}
    assert reply["usageMetadata"]["thoughtsTokenCount"] > 0


def test_a_tools_loop(post: Any) -> None:
    """Parallel calls, the first one signed, then results in one content, then words."""
    question = user("The weather in Paris and in Rome?")
    said = post(contents=[question], tools=TOOLS).json()["candidates"][0]["content"]
    assert [part["functionCall"]["args"] for part in said["parts"]] == [{"location": "Paris"}, {"location": "Rome"}]
    assert ["thoughtSignature" in part for part in said["parts"]] == [True, False]
    second = post(contents=[question, said, user(RESULT, RESULT)], tools=TOOLS).json()
    words = second["candidates"][0]["content"]["parts"][0]["text"]
    assert words == "get_weather answered: 21 °C\nget_weather answered: 21 °C"


def test_a_structured_answer(post: Any) -> None:
    """By schema, and without one any object."""
    form = {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}
    text = post(generationConfig=form).json()["candidates"][0]["content"]["parts"][0]["text"]
    assert set(json.loads(text)) == {"location"}


SIGNED = {"functionCall": CALL, "thoughtSignature": signature(CALL)}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"contents": []}, "contents is not specified"),
        ({"messages": []}, 'Unknown name "messages"'),
        ({"contents": [{"role": "assistant", "parts": [{"text": "a"}]}]}, "valid role"),
        ({"contents": [user()]}, "parts must not be empty"),
        ({"contents": [user("")]}, "oneof field 'data'"),
        ({"contents": [user("a"), model({"text": "b"})]}, "end with a user role"),
        ({"contents": [user("a"), model(SIGNED, SIGNED), user(RESULT)]}, "number of function response parts"),
        ({"contents": [user("a"), user(RESULT)]}, "number of function response parts"),
        ({"contents": [user("a"), model({"functionCall": CALL}), user(RESULT)]}, "missing a thought_signature"),
        ({"contents": [user("a"), model(SIGNED | {"thoughtSignature": "YQ=="}), user(RESULT)]}, "is not valid"),
        ({"tools": [{"functionDeclarations": [{"name": "my tool"}]}]}, "Invalid function name"),
        ({"tools": [*TOOLS, *TOOLS]}, "Duplicate function declaration"),
        ({"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}, "without function_declarations"),
        ({"generationConfig": {"stopSequences": list("abcdef")}}, "at most 5 stop sequences"),
        ({"generationConfig": {"maxOutputTokens": 100_000}}, "max_output_tokens"),
        ({"generationConfig": {"presencePenalty": 1}}, "Penalty is not enabled"),
        ({"generationConfig": {"temperature": 3}}, "temperature"),
    ],
)
def test_what_google_would_refuse_is_refused(post: Any, body: dict[str, Any], words: str) -> None:
    """400 in Google's form, in its words."""
    reply = post(**body)
    assert reply.status_code == 400
    error = reply.json()["error"]
    assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
    assert words in error["message"]


def test_older_models_take_other_things(post: Any) -> None:
    """No levels, no JSON beside functions, no signatures needed."""
    level = {"thinkingConfig": {"thinkingLevel": "LOW"}}
    assert post(OLD, generationConfig=level).status_code == 400
    assert post(OLD, tools=TOOLS, generationConfig={"responseMimeType": "application/json"}).status_code == 400
    unsigned = [user("a"), model({"functionCall": CALL}), user(RESULT)]
    assert post(OLD, contents=unsigned).status_code == 200
    assert post(generationConfig=level).status_code == 200


def test_wrong_keys_and_models(post: Any) -> None:
    """Google says 400 for a key that it does not know."""
    wrong = post(key="other")
    assert (wrong.status_code, wrong.json()["error"]["message"][:21]) == (400, "API key not valid. Pl")
    assert post("gemini-9").json()["error"]["status"] == "NOT_FOUND"


def test_the_models_are_listed(simulator: str) -> None:
    """With the names that requests use."""
    reply = httpx2.get(f"{simulator}/gemini/v1beta/models", headers={"x-goog-api-key": KEY}).json()
    assert [item["name"] for item in reply["models"]][:2] == [f"models/{MODEL}", f"models/{OLD}"]


@needs_recordings
def test_answers_look_like_recorded_ones(post: Any) -> None:
    """No member of the simulator's answers that Google's have not."""
    recorded = recordings(
        "gemini", endpoint="chat", status=200, stream=False, where=lambda it: "text" not in it.response
    )
    known = {name for recording in recorded for name in names_in(recording.response.get("body"))}
    reply = post(
        tools=TOOLS, contents=[user("weather in Rome")], generationConfig={"thinkingConfig": {"includeThoughts": True}}
    )
    assert set(names_in(reply.json())) - {"location"} <= known


def names_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from names_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names_in(inner)


# --- Vertex ---------------------------------------------------------------------------------------------------


@pytest.fixture
def token(simulator: str) -> str:
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "a.b.c"}
    return str(httpx2.post(f"{simulator}/vertex/token", data=form).json()["access_token"])


def ask(engine: Translator, base_url: str, name: str, key: str, *, stream: bool) -> Any:
    """What the gateway's engine makes of the simulator's answer."""
    raw = {"model": name, "stream": stream, "messages": [{"role": "user", "content": "Count to 3"}]}
    target = Target(base_url, name, name, key, project="p", region="global")
    wire = engine.build(read_request(json.dumps(raw).encode()), target)
    headers = {**wire.headers, **wire.credentials}
    reply = httpx2.post(wire.url, headers=headers, content=wire.body)
    assert reply.status_code == 200, reply.text
    if not stream:
        return engine.parse(reply.content, wire)
    reader = engine.stream(wire)
    return reader.feed(reply.content) + reader.close()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("engine", "path", "name"),
    [
        ("gemini", "gemini", MODEL),
        ("vertex-gemini", "vertex", OLD),
        ("vertex-claude", "vertex", "claude-sonnet-4-5-simulated"),
    ],
)
def test_the_gateways_engines_are_understood(
    simulator: str, token: str, engine: str, path: str, name: str, stream: bool
) -> None:
    """Address, key, body and answer of each."""
    key = KEY if path == "gemini" else token
    events = ask(ENGINES[engine], f"{simulator}/{path}", name, key, stream=stream)
    assert "".join(getattr(event, "text", "") for event in events) == "1, 2, 3"
    assert isinstance(events[-1], Ended)


def test_vertex_wants_a_token(simulator: str) -> None:
    """And gives none to whoever proves nothing."""
    assert httpx2.post(f"{simulator}/vertex/token", data={"grant_type": "password"}).status_code == 400
    url = f"{simulator}/vertex/v1beta1/projects/p/locations/global/publishers/google/models/{MODEL}:generateContent"
    assert httpx2.post(url, json={"contents": [user("Hi")]}).json()["error"]["status"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("fields", [{"model": "claude"}, {"anthropic_version": "2023-06-01"}, {}])
def test_claude_on_vertex_has_its_version_in_the_body(simulator: str, token: str, fields: dict[str, str]) -> None:
    """And its model in the address alone."""
    name = "claude-sonnet-4-5-simulated"
    url = f"{simulator}/vertex/v1/projects/p/locations/global/publishers/anthropic/models/{name}:rawPredict"
    body = {"max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], **fields}
    reply = httpx2.post(url, headers={"authorization": f"Bearer {token}"}, json=body)
    assert reply.status_code == 400
