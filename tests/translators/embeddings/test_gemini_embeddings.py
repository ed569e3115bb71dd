"""translators/embeddings/gemini.py: the Gemini API's batchEmbedContents."""

import json
from typing import Any

import pytest

from tests.translators.embeddings.exchange import ENCODED, VECTORS, noted, openai_answer, whole, wire
from tests.translators.embeddings.google_sdk import sdk_sends
from translators.errors import Kind, UpstreamError

MODEL = "gemini-embedding-001"


def gemini_answer(*embeddings: Any, **fields: Any) -> dict[str, Any]:
    return {"embeddings": [{"values": vector} for vector in embeddings], **fields}


# --- the request ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [MODEL, "gemini-embedding-2", "text-embedding-004"])
@pytest.mark.parametrize("texts", [["one"], ["one", "two"]])
def test_a_request_is_what_googles_sdk_sends(model: str, texts: list[str]) -> None:
    """URL and body; every text a content of its own, or they would share a vector (graphiti#1848)."""
    request = {"model": model, "input": texts, "dimensions": 256, "task_type": "RETRIEVAL_DOCUMENT", "title": "T"}
    sent = wire("gemini", request, key="k")
    config = {"output_dimensionality": 256, "task_type": "RETRIEVAL_DOCUMENT", "title": "T"}
    assert (sent.url, json.loads(sent.body)) == sdk_sends(model, texts, config, vertex=False)
    assert sent.credentials == {"x-goog-api-key": "k"}
    assert sent.notes == ()


@pytest.mark.parametrize("name", ["taskType", "task_type"])
def test_googles_parameters_go_by_both_spellings(name: str) -> None:
    """As in chat."""
    requests = json.loads(wire("gemini", {name: "CLUSTERING"}).body)["requests"]
    assert [request["taskType"] for request in requests] == ["CLUSTERING", "CLUSTERING"]


def test_dimensions_go_before_googles_own_name_of_them() -> None:
    """OpenAI's field is the API's; Google's is taken where that is absent."""
    request = {"output_dimensionality": 128, "input": "one"}
    assert json.loads(wire("gemini", request).body)["requests"][0]["outputDimensionality"] == 128
    both = json.loads(wire("gemini", request | {"dimensions": 256}).body)["requests"][0]
    assert both["outputDimensionality"] == 256


def test_what_has_no_place_is_noted() -> None:
    """autoTruncate is Vertex's, input_type Cohere's."""
    sent = wire("gemini", {"user": "u", "autoTruncate": True, "input_type": "search_query", "dimensions": None})
    assert noted(sent) == {"user", "autoTruncate", "input_type"}


def test_a_name_with_a_path_stays() -> None:
    """Models of one's own are named like this."""
    sent = wire("gemini", {"model": "tunedModels/mine", "input": "one"}, base_url="https://proxy.example/v1")
    assert sent.url == "https://proxy.example/v1/tunedModels/mine:batchEmbedContents"
    assert json.loads(sent.body)["requests"][0]["model"] == "tunedModels/mine"


# --- the answer -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("asked", "expected"), [("float", VECTORS), ("base64", ENCODED)])
def test_an_answer_becomes_openais(asked: str, expected: list[Any]) -> None:
    """Gemini names no model: it is called what the client called it."""
    sent = wire("gemini", {"encoding_format": asked})
    got = whole("gemini", sent, gemini_answer(*VECTORS, usageMetadata={"promptTokenCount": 2}), alias="alias")
    assert json.loads(got.body) == openai_answer(*expected, model="alias")
    assert got.usage is not None
    assert (got.usage.prompt, got.usage.total) == (2, 2)


def test_tokens_that_gemini_does_not_tell_are_not_made_up() -> None:
    """Zero for the client, unknown for the statistics."""
    got = whole("gemini", wire("gemini"), gemini_answer(*VECTORS))
    assert json.loads(got.body)["usage"] == {"prompt_tokens": 0, "total_tokens": 0}
    assert got.usage is None


@pytest.mark.parametrize(
    "answer", [{}, gemini_answer(), gemini_answer(VECTORS[0]), gemini_answer(None, None), {"embeddings": VECTORS}]
)
def test_an_answer_without_a_vector_for_each_input_fails(answer: Any) -> None:
    """One vector for a batch is what a model gives that merges contents (hindsight#1139)."""
    with pytest.raises(UpstreamError) as error:
        whole("gemini", wire("gemini"), answer)
    assert error.value.kind is Kind.MALFORMED
