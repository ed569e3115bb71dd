"""translators/embeddings/vertex.py: predict, embedContent and batchEmbedContents."""

import json
from typing import Any

import pytest

from tests.translators.embeddings.exchange import ENCODED, VECTORS, noted, openai_answer, whole, wire
from tests.translators.embeddings.google_sdk import PROJECT, sdk_sends
from translators.errors import Kind, UntranslatableError, UpstreamError

MAAS = "publishers/intfloat/models/multilingual-e5-large-instruct-maas"
GECKO = "text-embedding-005"
GEMINI = "gemini-embedding-001"
GEMINI_2 = "gemini-embedding-2"


def predicted(*embeddings: Any, tokens: int | None = 1) -> dict[str, Any]:
    statistics = {} if tokens is None else {"statistics": {"truncated": False, "token_count": tokens}}
    return {"predictions": [{"embeddings": {"values": vector, **statistics}} for vector in embeddings]}


# --- the request ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "texts"),
    [
        (GECKO, ["one"]),
        (GECKO, ["one", "two"]),
        (GEMINI, ["one"]),
        (GEMINI, ["one", "two"]),
        (GEMINI_2, ["one"]),
        (GEMINI_2, ["one", "two"]),
        (MAAS, ["one"]),
    ],
)
@pytest.mark.parametrize("settled", [False, True], ids=["plain", "parameters"])
def test_a_request_is_what_googles_sdk_sends(model: str, texts: list[str], settled: bool) -> None:
    """URL and body, for each of the three methods."""
    config: dict[str, Any] = {"task_type": "RETRIEVAL_QUERY", "title": "T", "auto_truncate": False} if settled else {}
    dimensions = {"dimensions": 256} if settled else {}
    sent = wire("vertex-gemini", {"model": model, "input": texts, **config, **dimensions}, key="token", **PROJECT)
    if settled:
        config["output_dimensionality"] = 256
    assert (sent.url, json.loads(sent.body)) == sdk_sends(model, texts, config, vertex=True)
    assert sent.credentials == {"authorization": "Bearer token"}
    assert sent.notes == ()


def test_each_model_has_its_method() -> None:
    """As google-genai 3.4 chooses."""
    methods = {
        (model, count): wire("vertex-gemini", {"model": model, "input": ["text"] * count}, **PROJECT).url.rpartition(
            ":"
        )[2]
        for model in (GECKO, GEMINI_2)
        for count in (1, 2)
    }
    assert methods == {
        (GECKO, 1): "predict",
        (GECKO, 2): "predict",
        (GEMINI_2, 1): "embedContent",
        (GEMINI_2, 2): "batchEmbedContents",
    }


def test_a_model_of_one_text_a_request_says_so() -> None:
    """Another provider may take a list."""
    with pytest.raises(UntranslatableError, match="one text a request") as error:
        wire("vertex-gemini", {"model": MAAS, "input": ["one", "two"]}, **PROJECT)
    assert error.value.param == "input"


def test_what_has_no_place_is_noted() -> None:
    """documentOcr is known to embedContent alone."""
    fields = {"user": "u", "document_ocr": True, "autoTruncate": True}
    assert noted(wire("vertex-gemini", {"model": GECKO, **fields}, **PROJECT)) == {"user", "document_ocr"}
    assert noted(wire("vertex-gemini", {"model": GEMINI_2, **fields}, **PROJECT)) == {"user"}


def test_a_base_url_replaces_the_host() -> None:
    """The path behind it stays Vertex's."""
    sent = wire("vertex-gemini", {"model": GECKO}, base_url="http://127.0.0.1:8000", **PROJECT)
    assert sent.url == (
        "http://127.0.0.1:8000/v1beta1/projects/example-project/locations/us-central1"
        f"/publishers/google/models/{GECKO}:predict"
    )


# --- the answer -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("asked", "expected"), [("float", VECTORS), ("base64", ENCODED)])
@pytest.mark.parametrize(
    "answer",
    [
        predicted(*VECTORS),
        {"embeddings": [{"values": vector} for vector in VECTORS], "usageMetadata": {"promptTokenCount": 2}},
        {"embeddings": [{"values": vector, "statistics": {"token_count": 1}} for vector in VECTORS]},
    ],
    ids=["predict", "batchEmbedContents", "statistics"],
)
def test_an_answer_becomes_openais(answer: Any, asked: str, expected: list[Any]) -> None:
    """With the tokens, however they are told."""
    got = whole("vertex-gemini", wire("vertex-gemini", {"encoding_format": asked}, **PROJECT), answer, alias="alias")
    assert json.loads(got.body) == openai_answer(*expected, model="alias")
    assert got.usage is not None
    assert (got.usage.prompt, got.usage.total) == (2, 2)


def test_the_answer_of_embed_content_is_one_embedding() -> None:
    """With its usage."""
    answer = {"embedding": {"values": VECTORS[0]}, "usageMetadata": {"promptTokenCount": 2, "totalTokenCount": 2}}
    got = whole("vertex-gemini", wire("vertex-gemini", {"model": GEMINI_2, "input": "one"}, **PROJECT), answer)
    assert json.loads(got.body) == openai_answer(VECTORS[0], model="m")


def test_tokens_that_vertex_does_not_tell_are_not_made_up() -> None:
    """Zero for the client, unknown for the statistics."""
    got = whole("vertex-gemini", wire("vertex-gemini", **PROJECT), predicted(*VECTORS, tokens=None))
    assert json.loads(got.body)["usage"] == {"prompt_tokens": 0, "total_tokens": 0}
    assert got.usage is None


@pytest.mark.parametrize(
    "answer", [{}, predicted(), predicted(VECTORS[0]), {"embedding": {"values": VECTORS[0]}}, {"predictions": [{}, {}]}]
)
def test_an_answer_without_a_vector_for_each_input_fails(answer: Any) -> None:
    """One vector for a list is what embedContent gives (hindsight#1139)."""
    with pytest.raises(UpstreamError) as error:
        whole("vertex-gemini", wire("vertex-gemini", **PROJECT), answer)
    assert error.value.kind is Kind.MALFORMED
