"""Lists of models: where they are, and what they say."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recordings import needs_recordings, recordings
from translators import ENGINES
from translators.errors import Kind, UpstreamError
from translators.model_lists import MODEL_LISTS, ModelPage, list_answer, list_request
from translators.types import Target

KEY = "fake-key-of-a-provider"
RECORDED = {"groq": "gpt", "deepseek": "gpt", "openrouter": "openrouter", "anthropic": "claude"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "models", "result", "id", "name", "has_more", "last_id", "error"]), inner
        )
    ),
    max_leaves=10,
)


def target(base_url: str = "") -> Target:
    return Target(base_url, model="", alias="", key=KEY, account="acc")


def url(engine: str, base_url: str = "", next_query: Mapping[str, str] | None = None) -> str | None:
    wire = list_request(engine, target(base_url), next_query)
    return wire.url if wire else None


def page(engine: str, answer: Any, number: int = 1) -> ModelPage:
    return list_answer(engine, json.dumps(answer).encode(), number)


@pytest.mark.parametrize(
    ("engine", "base_url", "expected"),
    [
        ("gpt", "https://api.groq.com/openai/v1/chat/completions", "https://api.groq.com/openai/v1/models"),
        ("gpt", "https://host/api/paas/v4/chat/completions", "https://host/api/paas/v4/models"),
        ("gpt", "http://localhost:11434", "http://localhost:11434/v1/models"),
        ("openrouter", "", "https://openrouter.ai/api/v1/models"),
        ("claude", "", "https://api.anthropic.com/v1/models?limit=1000"),
        ("claude", "https://host/anthropic/v1/messages", "https://host/anthropic/v1/models?limit=1000"),
        ("gemini", "", "https://generativelanguage.googleapis.com/v1beta/models?pageSize=1000"),
        ("gemini", "http://localhost:1/v1", "http://localhost:1/v1/models?pageSize=1000"),
        ("cohere", "https://api.cohere.com/v2/chat", "https://api.cohere.com/v1/models?page_size=1000"),
        ("cloudflare", "", "https://api.cloudflare.com/client/v4/accounts/acc/ai/models/search?per_page=100"),
        ("cloudflare", "http://h/client/v4/accounts/x/ai/run", "http://h/client/v4/accounts/x/ai/models/search?per_page=100"),
        ("azure", "https://n.openai.azure.com", "https://n.openai.azure.com/openai/deployments?api-version=2023-03-15-preview"),
        ("azure", "https://n.openai.azure.com/openai/v1", "https://n.openai.azure.com/openai/deployments?api-version=2023-03-15-preview"),
        ("azure", "https://n.services.ai.azure.com/models", "https://n.services.ai.azure.com/openai/deployments?api-version=2023-03-15-preview"),
    ],
)  # fmt: skip
def test_addresses(engine: str, base_url: str, expected: str) -> None:
    """Beside the endpoint for chat, or at the place of the provider's own."""
    assert url(engine, base_url) == expected


@pytest.mark.parametrize(
    ("engine", "base_url"),
    [
        ("vertex", ""),
        ("vertex-gemini", ""),
        ("vertex-claude", ""),
        ("azure", "https://n.openai.azure.com/openai/deployments/mine/chat/completions"),
        ("cloudflare", "https://gateway.ai.cloudflare.com/v1/account/gateway/compat"),
    ],
)
def test_some_list_nothing(engine: str, base_url: str) -> None:
    """Their models have to be in the configuration."""
    assert url(engine, base_url) is None


@pytest.mark.parametrize("engine", MODEL_LISTS)
def test_the_key_goes_where_it_goes_for_chat(engine: str) -> None:
    """And nowhere else."""
    wire = list_request(engine, target("https://n.openai.azure.com" if engine in ("gpt", "azure") else ""))
    assert wire
    assert wire.credentials == ENGINES[engine].credentials(target())
    assert any(KEY in value for value in wire.credentials.values())
    assert KEY not in wire.url
    assert KEY not in str(wire.headers)


def test_claude_wants_its_version_named() -> None:
    """As with every request to it."""
    wire = list_request("claude", target())
    assert wire
    assert wire.headers["anthropic-version"] == "2023-06-01"


@needs_recordings
@pytest.mark.parametrize("provider", RECORDED)
def test_recorded_lists(provider: str) -> None:
    """Every model that a real list names."""
    (recording,) = recordings(provider, endpoint="models", status=200)
    found = list_answer(RECORDED[provider], recording.response_bytes, 1)
    assert list(found.names) == [model["id"] for model in recording.response["body"]["data"]]
    assert found.next_query == {}


@needs_recordings
def test_a_recorded_list_of_models_that_are_of_no_use_here() -> None:
    """Gemini's last page: models for films, and for speech both ways."""
    (recording,) = recordings("gemini", endpoint="models", status=200)
    assert "models/veo-3.1-fast-generate-preview" in str(recording.response["body"])
    assert list_answer("gemini", recording.response_bytes, 2) == ModelPage((), {})


@pytest.mark.parametrize(
    ("engine", "answer", "names"),
    [
        ("gpt", {"object": "list", "data": [{"id": "a"}, {"id": "b/c"}]}, ("a", "b/c")),
        ("gpt", [{"id": "a", "object": "model"}], ("a",)),
        ("gpt", {"object": "list", "data": None}, ()),
        ("gpt", {"data": [{"id": "models/gemini-x"}, {"id": 7}, {"id": ""}, "a", {}]}, ("gemini-x",)),
        ("cohere", {"models": [{"name": "command-a", "endpoints": ["chat"]}]}, ("command-a",)),
        ("cloudflare", {"success": True, "result": [{"id": "0b1c", "name": "@cf/meta/llama"}]}, ("@cf/meta/llama",)),
        (
            "gemini",
            {
                "models": [
                    {"name": "models/gemini-x", "supportedGenerationMethods": ["generateContent", "countTokens"]},
                    {"name": "models/embedding-x", "supportedGenerationMethods": ["embedContent"]},
                    {"name": "models/veo", "supportedGenerationMethods": ["predictLongRunning"]},
                    {"name": "models/unsaid"},
                ]
            },
            ("gemini-x", "embedding-x", "unsaid"),
        ),
        (
            "azure",
            {
                "data": [
                    {"object": "deployment", "id": "mine", "model": "gpt-4o", "status": "succeeded"},
                    {"object": "deployment", "id": "coming", "model": "gpt-4o", "status": "running"},
                ]
            },
            ("mine",),
        ),
    ],
)
def test_names(engine: str, answer: Any, names: tuple[str, ...]) -> None:
    """What a model is asked for by."""
    assert page(engine, answer).names == names


@pytest.mark.parametrize(
    ("engine", "answer", "next_query"),
    [
        ("claude", {"data": [], "has_more": True, "last_id": "z"}, {"after_id": "z"}),
        ("claude", {"data": [], "has_more": False, "last_id": "z"}, {}),
        ("claude", {"data": [], "has_more": True, "last_id": None}, {}),
        ("gpt", {"data": []}, {}),
        ("gemini", {"models": [], "nextPageToken": "t=&"}, {"pageToken": "t=&"}),
        ("gemini", {"models": []}, {}),
        ("cohere", {"models": [], "next_page_token": "t"}, {"page_token": "t"}),
        ("cloudflare", {"result": [{"name": "x"}] * 100}, {"page": "4"}),
        ("cloudflare", {"result": [{"name": "x"}] * 99}, {}),
    ],
)
def test_pages(engine: str, answer: Any, next_query: dict[str, str]) -> None:
    """Each engine has its own way to say that there is more; this is page 3."""
    assert page(engine, answer, 3).next_query == next_query


def test_the_next_page_is_asked_for_beside_what_asked_for_the_first() -> None:
    """With the same size of pages."""
    assert url("gemini", "", {"pageToken": "t=&"}) == (
        "https://generativelanguage.googleapis.com/v1beta/models?pageSize=1000&pageToken=t%3D%26"
    )


@pytest.mark.parametrize("answer", [b"", b"<html>", b"7", b"{}", b'{"data": {}}', b'{"data": "a"}'])
def test_what_is_no_list(answer: bytes) -> None:
    """A wrong address may answer anything with 200."""
    with pytest.raises(UpstreamError, match="no list of models") as caught:
        list_answer("gpt", answer, 1)
    assert caught.value.kind is Kind.MALFORMED


def test_an_error_inside_a_200_is_one() -> None:
    """Cloudflare's way."""
    with pytest.raises(UpstreamError, match="Authentication error"):
        page("cloudflare", {"success": False, "errors": [{"code": 10000, "message": "Authentication error"}]})


@given(engine=st.sampled_from(sorted(MODEL_LISTS)), answer=JSON)
def test_any_answer_is_a_page_or_an_upstream_error(engine: str, answer: Any) -> None:
    """Nothing that a provider says is a crash."""
    try:
        found = page(engine, answer)
    except UpstreamError:
        return
    assert all(found.names)
