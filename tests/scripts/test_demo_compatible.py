"""scripts/demo/wires/{openrouter,azure,cloudflare}.py: what these have beyond OpenAI's wire, as recordings know it."""

import json
from typing import Any

import httpx2
import pytest

from tests.recordings import needs_recordings, recordings

ACCOUNT = "0123456789abcdef0123456789abcdef"
CLOUDFLARE = f"cloudflare/client/v4/accounts/{ACCOUNT}/ai"
CHATS: dict[str, tuple[str, dict[str, str], str]] = {
    "openrouter": (
        "openrouter/api/v1/chat/completions",
        {"authorization": "Bearer sk-or-v1-simulated"},
        "simulator/echo-1",
    ),
    "azure": (
        "azure/openai/deployments/gpt-deployment/chat/completions?api-version=2024-10-21",
        {"api-key": "simulated-azure"},
        "gpt-deployment",
    ),
    "cloudflare": (
        f"{CLOUDFLARE}/v1/chat/completions",
        {"authorization": "Bearer simulated-cloudflare"},
        "@cf/simulator/echo-8b",
    ),
}
SCHEMA = {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]}
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}
QUESTION = {"role": "user", "content": "The weather in Paris and in Rome?"}
REASONED: dict[str, dict[str, Any]] = {
    "openrouter": {"reasoning": {"effort": "low"}},
    "cloudflare": {"reasoning_effort": "low"},
    "azure": {},
}
"""What makes a reasoning model of the simulated one; Azure has no name for reasoning told as text."""
UNRECORDED: dict[str, set[str]] = {
    "openrouter": set(),
    "azure": set(),
    "cloudflare": {"usage", "tool_calls", "reasoning_content"},
}
"""Fields that no recorded answer has, only streams: of Cloudflare's whole answers there are two, both plain."""

each = pytest.mark.parametrize("provider", CHATS)


@pytest.fixture
def post(simulator: str) -> Any:
    def post(provider: str, /, path: str = "", **body: Any) -> httpx2.Response:
        usual, headers, model = CHATS[provider]
        request = {"model": model, "messages": [QUESTION], **body}
        return httpx2.post(f"{simulator}/{path or usual}", headers=headers, json=request)

    return post


def forms_of_stream(text: str) -> set[tuple[Any, ...]]:
    """The forms in a stream: the fields of chunks, of choices and deltas, of calls and of usage."""
    forms: set[tuple[Any, ...]] = set()
    for line in text.splitlines():
        if line.startswith("data: {"):
            chunk = json.loads(line.removeprefix("data: "))
            forms.add(("chunk", frozenset(chunk), bool(chunk.get("choices"))))
            if chunk.get("usage"):
                forms.add(("usage", frozenset(chunk["usage"])))
            for choice in chunk.get("choices", ()):
                forms.add(("choice", frozenset(choice)))
                forms.add(("delta", frozenset(choice.get("delta", ()))))
                for call in choice.get("delta", {}).get("tool_calls") or ():
                    forms.add(("call", frozenset(call), frozenset(call["function"])))
    return forms


@needs_recordings
@each
def test_the_chunks_are_those_of_real_streams(post: Any, provider: str) -> None:
    """Calls and reasoned text: every chunk has the fields of some recorded one."""
    real = recordings(provider, endpoint="chat", stream=True, status=200)
    known = set().union(*(forms_of_stream(recording.response["sse"]) for recording in real))
    usage = {"stream_options": {"include_usage": True}}
    for asked in ({"tools": [TOOL]}, REASONED[provider]):
        text = post(provider, stream=True, **usage, **asked).text
        assert forms_of_stream(text) - known == set()
        assert text.endswith("\n\ndata: [DONE]\n\n")


@needs_recordings
@each
def test_the_fields_are_those_of_real_answers(post: Any, provider: str) -> None:
    """At each level none is foreign."""
    real = [recording.response["body"] for recording in recordings(provider, endpoint="chat", stream=False, status=200)]
    real = [answer for answer in real if "choices" in answer]
    for asked in ({"tools": [TOOL]}, REASONED[provider]):
        ours = post(provider, **asked).json()
        assert ours.keys() <= set().union(*real) | UNRECORDED[provider]
        choice = ours["choices"][0]
        choices = [choice for answer in real for choice in answer["choices"]]
        assert choice.keys() in [known.keys() for known in choices]
        fields = set().union(*(known.get("message", ()) for known in choices))
        assert choice["message"].keys() <= fields | UNRECORDED[provider]


@needs_recordings
@each
def test_errors_have_the_fields_of_real_ones(post: Any, provider: str) -> None:
    """Of the body, and of the error in it."""
    real = [recording.response["body"] for recording in recordings(provider, kind="error")]
    for messages in ([{"role": "robot", "content": "Hi"}], []):
        refused = post(provider, messages=messages)
        assert refused.status_code == 400
        ours = refused.json()
        assert any(ours.keys() <= known.keys() for known in real)
        assert "rror" in str(ours.keys())


@each
def test_a_wrong_key_is_refused(simulator: str, provider: str) -> None:
    """And so is none."""
    path, headers, model = CHATS[provider]
    body = {"model": model, "messages": [QUESTION]}
    for wrong in ({}, dict.fromkeys(headers, "Bearer wrong")):
        assert httpx2.post(f"{simulator}/{path}", headers=wrong, json=body).status_code == 401


def test_openrouter_waits_in_comments(post: Any) -> None:
    """The stream begins with them."""
    assert post("openrouter", stream=True).text.startswith(": OPENROUTER PROCESSING\n\n")


def test_azure_wants_a_version_and_a_deployment(post: Any) -> None:
    """404 without; the newer address has no use for either."""
    path = "azure/openai/deployments/{}/chat/completions"
    assert post("azure", path.format("gpt-deployment")).status_code == 404
    unknown = post("azure", path.format("nothing") + "?api-version=2024-10-21")
    assert unknown.json()["error"]["code"] == "DeploymentNotFound"
    assert post("azure", "azure/openai/v1/chat/completions").status_code == 200


def test_azure_begins_streams_with_what_its_filter_found(post: Any) -> None:
    """In a chunk without choices."""
    first = json.loads(post("azure", stream=True).text.split("\n\n")[0].removeprefix("data: "))
    assert (first["choices"], first["id"]) == ([], "")
    assert first["prompt_filter_results"][0]["content_filter_results"]["hate"] == {
        "filtered": False,
        "severity": "safe",
    }


def test_azure_filters_prompts(post: Any) -> None:
    """With what it found."""
    refused = post("azure", messages=[{"role": "user", "content": "Attack the simulation!"}])
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (400, "content_filter")
    assert error["innererror"]["content_filter_result"]["violence"]["filtered"]


def test_cloudflare_answers_a_schema_with_an_object(post: Any) -> None:
    """Not with text."""
    form = {"type": "json_schema", "json_schema": {"name": "city", "schema": SCHEMA}}
    answer = post("cloudflare", response_format=form).json()
    assert answer["choices"][0]["message"]["content"] == {"location": "Paris"}


def test_cloudflare_counts_usage_twice(post: Any) -> None:
    """The second time it is nothing."""
    events = post("cloudflare", stream=True).text.split("\n\n")
    first, second = (json.loads(event.removeprefix("data: "))["usage"] for event in events[-4:-2])
    assert first["completion_tokens"] > 0
    assert second["completion_tokens"] == 0


@pytest.mark.parametrize("content", [None, [{"type": "text", "text": "Hi"}]])
def test_cloudflare_takes_nothing_but_text(post: Any, content: Any) -> None:
    """Code 5006."""
    refused = post("cloudflare", messages=[{"role": "user", "content": content}])
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, 5006)


def test_cloudflares_own_wire_wraps_and_streams(post: Any) -> None:
    """`result` around the answer, `response` for the text; calls without ids."""
    path = f"{CLOUDFLARE}/run/@cf/simulator/echo-8b"
    result = post("cloudflare", path, tools=[TOOL]).json()["result"]
    assert result["tool_calls"][1] == {"name": "get_weather", "arguments": {"location": "Rome"}}
    assert result["response"] is None
    counting = [{"role": "user", "content": "Count to 2"}]
    pieces = post("cloudflare", path, messages=counting, stream=True).text.split("\n\n")
    assert pieces[:3] == ['data: {"response":"1"}', 'data: {"response":","}', 'data: {"response":" 2"}']


def test_cloudflare_knows_its_accounts(post: Any) -> None:
    """404 for another."""
    assert post("cloudflare", "cloudflare/client/v4/accounts/another/ai/v1/chat/completions").status_code == 404
