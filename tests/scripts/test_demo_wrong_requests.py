"""The simulator refuses, as providers do, what is of the wrong type or too much; it neither breaks nor hangs."""

import asyncio
import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from aiohttp.test_utils import TestClient, TestServer

from scripts.demo.example import example
from scripts.demo.server import application
from scripts.demo.wires import openai

USER = {"role": "user", "content": [{"type": "text", "text": "The weather in Paris?"}]}
PARAMETERS = {
    "type": "object",
    "properties": {"place": {"type": "string", "minLength": 1}, "days": {"type": "array", "items": {"enum": [1]}}},
    "required": ["place"],
}
FUNCTION = {"name": "get_weather", "parameters": PARAMETERS}
TOOLS = [{"type": "function", "function": FUNCTION}]
CALL = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
HISTORY = [USER, {"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "tool_call_id": "c1", "content": "21"}]
CHAT = {
    **{"model": "gpt-simulated", "messages": HISTORY, "tools": TOOLS, "tool_choice": "auto", "n": 1, "stop": ["x"]},
    **{"max_tokens": 9, "stream_options": {"include_usage": True}, "reasoning_effort": "low", "stream": False},
    "response_format": {"type": "json_schema", "json_schema": {"schema": PARAMETERS}},
}
GEMINI_CALL = {
    "functionCall": {"name": "get_weather", "args": {}},
    "thoughtSignature": "skip_thought_signature_validator",
}
GEMINI: dict[str, Any] = {
    "contents": [
        {"role": "user", "parts": [{"text": "The weather in Paris?"}]},
        {"role": "model", "parts": [GEMINI_CALL]},
        {"role": "user", "parts": [{"functionResponse": {"name": "get_weather", "response": {"output": "21"}}}]},
    ],
    "systemInstruction": {"parts": [{"text": "Be kind."}]},
    "tools": [{"functionDeclarations": [FUNCTION]}],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["get_weather"]}},
    "generationConfig": {"maxOutputTokens": 9, "stopSequences": ["x"], "thinkingConfig": {"includeThoughts": True}},
}
CLAUDE = {
    **{"model": "claude-sonnet-4-5-simulated", "max_tokens": 2000, "system": [{"type": "text", "text": "Be kind."}]},
    "messages": [
        USER,
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "get_weather", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "21"}]},
    ],
    **{"tools": [{"name": "get_weather", "input_schema": PARAMETERS}], "tool_choice": {"type": "auto"}},
    **{"stop_sequences": ["x"], "temperature": 1},
}
COHERE = {
    **{"model": "command-simulated", "messages": HISTORY, "tools": TOOLS, "max_tokens": 9, "stop_sequences": ["x"]},
    "thinking": {"type": "enabled"},
}
ACCOUNT = "/cloudflare/client/v4/accounts/0123456789abcdef0123456789abcdef/ai"
PLAIN = [{"role": "user", "content": "The weather in Paris?"}]
ECHO = "@cf/simulator/echo-8b"
GOOGLE = "/gemini/v1beta/models"
REQUESTS: dict[str, dict[str, Any]] = {
    "/openai/v1/chat/completions": CHAT,
    "/openai/v1/completions": {
        "model": "completion-simulated",
        "prompt": ["a"],
        "n": 2,
        "stop": ["x"],
        "max_tokens": 5,
    },
    "/openai/v1/embeddings": {"model": "embedding-simulated", "input": ["a", [1]], "dimensions": 8},
    "/openai/v1/moderations": {"model": "moderation-simulated", "input": [{"type": "text", "text": "a"}]},
    "/openai/v1/images/generations": {"model": "image-simulated", "prompt": "a", "n": 2, "size": "1024x1024"},
    "/openai/v1/audio/speech": {"model": "speech-simulated", "input": "a", "voice": "v", "response_format": "wav"},
    "/azure/openai/v1/chat/completions": CHAT | {"model": "gpt-deployment"},
    "/openrouter/api/v1/chat/completions": CHAT | {"model": "simulator/echo-1", "reasoning": {"effort": "low"}},
    f"{ACCOUNT}/v1/chat/completions": CHAT | {"model": ECHO, "messages": PLAIN},
    f"{ACCOUNT}/run/{ECHO}": {"messages": PLAIN, "max_tokens": 5},
    f"{ACCOUNT}/run/@cf/simulator/embed": {"text": ["a"]},
    f"{ACCOUNT}/v1/embeddings": {"model": "@cf/simulator/embed", "input": ["a"]},
    "/anthropic/v1/messages": CLAUDE,
    "/cohere/v2/chat": COHERE,
    "/cohere/v2/embed": {"model": "embed-simulated", "texts": ["a"], "input_type": "x", "output_dimension": 8},
    f"{GOOGLE}/gemini-3-flash-simulated:generateContent": GEMINI,
    f"{GOOGLE}/gemini-3-pro-image-simulated:generateContent": {"contents": GEMINI["contents"][:1]},
    f"{GOOGLE}/imagen-4.0-simulated:predict": {"instances": [{"prompt": "a"}], "parameters": {"sampleCount": 2}},
    f"{GOOGLE}/gemini-embedding-simulated:embedContent": {"content": {"parts": [{"text": "a"}]}},
    f"{GOOGLE}/gemini-embedding-simulated:batchEmbedContents": {"requests": [{"content": {"parts": [{"text": "a"}]}}]},
    "/vertex/v1beta1/projects/p/locations/l/publishers/google/models/text-embedding-simulated:predict": {
        "instances": [{"content": "a"}],
        "parameters": {"outputDimensionality": 8},
    },
}
"""Path → a body that is right."""
KEYS = {
    **{"openai": "Bearer sk-simulated-openai", "openrouter": "Bearer sk-or-v1-simulated"},
    **{"cloudflare": "Bearer simulated-cloudflare", "cohere": "Bearer simulated-cohere"},
    "vertex": "Bearer ya29.simulated",
}
OTHER_KEYS = {
    **{"api-key": "simulated-azure", "x-api-key": "sk-ant-simulated", "x-goog-api-key": "AIza-simulated"},
    "anthropic-version": "2023-06-01",
}
WRONG: tuple[Any, ...] = (None, True, -1, 1.5, 10**12, "x", [], [1], ["x"], {}, {"x": 1})
Post = Callable[[str, Any], httpx2.Response]


@pytest.fixture
def post(simulator: str) -> Iterator[Post]:
    """Sends a JSON body with the key that the path asks for."""
    with httpx2.Client(base_url=simulator, timeout=20) as client:

        def post(path: str, body: Any) -> httpx2.Response:
            key = KEYS.get(path.split("/")[1], "")
            return client.post(path, headers={**OTHER_KEYS, "authorization": key}, content=json.dumps(body))

        yield post


def changed(body: Any) -> Iterator[Any]:
    """The body with each of its values replaced, one at a time, by something else, and without it."""
    for place in body if isinstance(body, dict) else range(len(body)):
        for value in WRONG:
            copied = copy.copy(body)
            copied[place] = value
            yield copied
        if isinstance(body, dict):
            yield {name: value for name, value in body.items() if name != place}
        if isinstance(body[place], dict | list):
            for inner in changed(body[place]):
                copied = copy.copy(body)
                copied[place] = inner
                yield copied


@pytest.mark.parametrize("path", REQUESTS)
def test_what_is_of_the_wrong_type_is_the_clients_fault(post: Post, path: str) -> None:
    """Every field of a request in turn: an answer, or the provider's 400 or 404, never its 500."""
    assert post(path, REQUESTS[path]).status_code == 200
    refused = 0
    for body in changed(REQUESTS[path]):
        reply = post(path, body)
        assert reply.status_code in (200, 400, 404), (reply.text, body)
        refused += reply.status_code == 400
    assert refused > 0


# --- types ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tools": "x"}, "Invalid type for 'tools': expected an array, but got a string instead."),
        ({"max_tokens": "9"}, "Invalid type for 'max_tokens': expected an integer, but got a string instead."),
        ({"n": 1.5}, "Invalid type for 'n': expected an integer, but got a number instead."),
        ({"n": True}, "Invalid type for 'n': expected an integer, but got a boolean instead."),
        ({"stop": 5}, "Invalid type for 'stop': expected a string or an array, but got an integer instead."),
        ({"response_format": []}, "Invalid type for 'response_format': expected an object, but got an array instead."),
        ({"model": {}}, "Invalid type for 'model': expected a string, but got an object instead."),
    ],
)
def test_openais_words_for_a_wrong_type(post: Post, change: dict[str, Any], message: str) -> None:
    """The field is named."""
    reply = post("/openai/v1/chat/completions", CHAT | change)
    error = {"message": message, "type": "invalid_request_error", "param": next(iter(change)), "code": "invalid_type"}
    assert (reply.status_code, reply.json()) == (400, {"error": error})


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/openai/v1/chat/completions", CHAT | {"messages": ["Hi"]}),
        ("/anthropic/v1/messages", CLAUDE | {"messages": ["Hi"]}),
        (f"{GOOGLE}/gemini-3-flash-simulated:generateContent", {"contents": ["Hi"]}),
        ("/cohere/v2/chat", COHERE | {"messages": ["Hi"]}),
    ],
)
def test_every_wire_says_it_in_its_own_form(post: Post, path: str, body: Any) -> None:
    """Without a word of the language that the simulator is written in."""
    reply = post(path, body).json()
    message = reply["message"] if "message" in reply else reply["error"]["message"]
    assert message == "Invalid request: something in it is missing, or is not of the type or size that it has to be."


def test_the_simulators_own_mistakes_stay_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails while the answer is made is no fault of the request's."""

    def broken(prompt: object) -> None:
        raise TypeError("a mistake")

    async def status() -> int:
        async with TestClient(TestServer(application())) as client:
            key = {"authorization": "Bearer sk-simulated-openai"}
            return (await client.post("/openai/v1/chat/completions", json=CHAT, headers=key)).status

    monkeypatch.setattr(openai, "answer", broken)
    assert asyncio.run(status()) == 500


@pytest.mark.parametrize("name", ["transcriptions", "translations"])
def test_a_file_is_no_model(simulator: str, name: str) -> None:
    """In a form; the answer shows nothing of how it was read."""
    reply = httpx2.post(
        f"{simulator}/openai/v1/audio/{name}",
        headers={"authorization": "Bearer sk-simulated-openai"},
        files={"model": ("m.txt", b"transcription-simulated"), "file": ("a.wav", b"RIFF")},
    )
    assert reply.status_code == 400
    assert reply.json()["error"]["message"] == "you must provide a model parameter"


@pytest.mark.parametrize("path", ["images/edits", "audio/transcriptions"])
def test_a_broken_form_is_refused(simulator: str, path: str) -> None:
    """A boundary that is not there."""
    headers = {"authorization": "Bearer sk-simulated-openai", "content-type": "multipart/form-data; boundary=b"}
    reply = httpx2.post(f"{simulator}/openai/v1/{path}", headers=headers, content=b"nothing")
    assert reply.status_code == 400


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"[" * 100_000, "application/json"), (b"{}", "application/json; charset=none"), (b"\xff", "application/json")],
)
@pytest.mark.parametrize("path", ["openai/v1/chat/completions", "anthropic/v1/messages", "cohere/v2/chat"])
def test_what_is_no_json_is_refused(simulator: str, path: str, content: bytes, kind: str) -> None:
    """Too deep, in no known charset, in none at all."""
    key = KEYS.get(path.split("/")[0], "")
    headers = {**OTHER_KEYS, "authorization": key, "content-type": kind}
    assert httpx2.post(f"{simulator}/{path}", headers=headers, content=content).status_code == 400


# --- sizes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "most"), [("chat/completions", 128), ("completions", 128), ("images/generations", 10)]
)
def test_no_more_choices_than_openai_gives(post: Post, path: str, most: int) -> None:
    """One at least."""
    path = f"/openai/v1/{path}"
    answer = post(path, REQUESTS[path] | {"n": most}).json()
    assert len(answer.get("choices") or answer["data"]) == most
    for n, words, code in (
        (most + 1, f"above maximum value. Expected a value <= {most}", "integer_above_max_value"),
        (2_000_000_000, f"above maximum value. Expected a value <= {most}", "integer_above_max_value"),
        (0, "below minimum value. Expected a value >= 1", "integer_below_min_value"),
    ):
        reply = post(path, REQUESTS[path] | {"n": n})
        message = f"Invalid 'n': integer {words}, but got {n} instead."
        error = {"message": message, "type": "invalid_request_error", "param": "n", "code": code}
        assert (reply.status_code, reply.json()) == (400, {"error": error})


@pytest.mark.parametrize(("n", "status"), [("2", 200), ("11", 400), ("many", 400)])
def test_no_more_changed_pictures_either(simulator: str, n: str, status: int) -> None:
    """Where the number is text in a form."""
    reply = httpx2.post(
        f"{simulator}/openai/v1/images/edits",
        headers={"authorization": "Bearer sk-simulated-openai"},
        data={"model": "image-simulated", "prompt": "a hat", "n": n},
        files={"image": ("a.png", b"png")},
    )
    assert reply.status_code == status


def test_a_number_of_any_length_is_counted_to(post: Post) -> None:
    """As far as the simulator counts."""
    messages = [{"role": "user", "content": f"Count to {'9' * 5000}"}]
    reply = post("/openai/v1/chat/completions", {"model": "gpt-simulated", "messages": messages})
    assert reply.json()["choices"][0]["message"]["content"].endswith(", 4999, 5000")


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"anyOf": [{"$ref": "#"}]},
        {"type": "array", "minItems": 10**12},
        {"type": "string", "minLength": 10**12},
        {"type": "number", "minimum": 1e300, "exclusiveMaximum": 1e300},
        {"type": "number", "multipleOf": -1, "minimum": 1, "maximum": 0},
    ],
)
def test_a_schema_without_end_is_refused(post: Post, schema: dict[str, Any]) -> None:
    """Of a tool's argument, and of the answer."""
    with pytest.raises((ValueError, RecursionError)):
        example(schema, iter(()))
    form = {"type": "json_schema", "json_schema": {"schema": schema}}
    assert post("/openai/v1/chat/completions", CHAT | {"response_format": form}).status_code == 400


def test_a_property_may_be_anything(post: Post) -> None:
    """`true` is a schema (JSON Schema 2020-12, Core, §4.3.2)."""
    function = {"name": "get_weather", "parameters": {"type": "object", "properties": {"place": True}}}
    body = {"model": "gpt-simulated", "messages": PLAIN, "tools": [{"type": "function", "function": function}]}
    (call,) = post("/openai/v1/chat/completions", body).json()["choices"][0]["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"place": "Paris"}


def test_an_answer_of_a_schema_may_be_cut_by_a_stop_text(post: Post) -> None:
    """At Cloudflare too, where a whole one is an object."""
    body = {"messages": PLAIN, "stop": [":"], "response_format": CHAT["response_format"], "model": ECHO}
    message = post(f"{ACCOUNT}/v1/chat/completions", body).json()["choices"][0]["message"]
    assert message["content"] == '{"place"'
