"""translators/embeddings/cloudflare.py: Workers AI by OpenAI's wire and by its own."""

import json
from typing import Any

import pytest

from tests.translators.embeddings.exchange import (
    ENCODED,
    VECTORS,
    answered,
    body,
    noted,
    openai_answer,
    vectors,
    whole,
    wire,
)
from translators.errors import Kind, UntranslatableError, UpstreamError

RUN = "https://api.cloudflare.com/client/v4/accounts/acc/ai/run"
MODEL = "@cf/baai/bge-m3"


def run_answer(*embeddings: Any, **result: Any) -> dict[str, Any]:
    shape = [len(embeddings), 3]
    return {"result": {"shape": shape, "data": list(embeddings), **result}, "success": True, "errors": []}


def test_its_own_wire_takes_texts_and_names_the_model_in_the_address() -> None:
    """Only where base_url says so."""
    sent = wire("cloudflare", {"model": MODEL}, base_url=RUN, key="k")
    assert sent.url == f"{RUN}/{MODEL}"
    assert json.loads(sent.body) == {"text": ["one", "two"]}
    assert sent.credentials == {"authorization": "Bearer k"}
    assert sent.notes == ()


def test_its_own_parameters_pass_and_openais_are_noted() -> None:
    """The length of its vectors is the model's."""
    sent = wire("cloudflare", {"pooling": "cls", "truncate_inputs": True, "dimensions": 8, "user": "u"}, base_url=RUN)
    assert json.loads(sent.body) == {"text": ["one", "two"], "pooling": "cls", "truncate_inputs": True}
    assert noted(sent) == {"dimensions", "user"}


@pytest.mark.parametrize(("asked", "expected"), [("float", VECTORS), ("base64", ENCODED)])
def test_its_own_answer_becomes_openais(asked: str, expected: list[Any]) -> None:
    """It counts no tokens."""
    sent = wire("cloudflare", {"encoding_format": asked}, base_url=RUN)
    got = whole("cloudflare", sent, run_answer(*VECTORS))
    usage = {"prompt_tokens": 0, "total_tokens": 0}
    assert json.loads(got.body) == openai_answer(*expected, model="m", usage=usage)
    assert got.usage is None


def test_tokens_are_told_where_it_counts_them() -> None:
    """Newer models may."""
    got = whole("cloudflare", wire("cloudflare", base_url=RUN), run_answer(*VECTORS, usage={"prompt_tokens": 9}))
    assert json.loads(got.body)["usage"] == {"prompt_tokens": 9, "total_tokens": 9}
    assert got.usage is not None
    assert got.usage.prompt == 9


def test_tokens_cannot_be_sent_to_its_own_wire() -> None:
    """They can to the other, which may know what to do with them."""
    with pytest.raises(UntranslatableError, match="token ids"):
        wire("cloudflare", {"input": [1, 2]}, base_url=RUN)
    assert body("cloudflare", {"input": [1, 2]}, account="acc")["input"] == [1, 2]


@pytest.mark.parametrize("answer", [run_answer(VECTORS[0]), run_answer(data=None), {"success": True}])
def test_an_answer_without_a_vector_for_each_input_fails(answer: Any) -> None:
    """Which is whose would be a guess."""
    with pytest.raises(UpstreamError) as error:
        whole("cloudflare", wire("cloudflare", base_url=RUN), answer)
    assert error.value.kind is Kind.MALFORMED


def test_a_failure_inside_its_answer_is_one() -> None:
    """Status 200 notwithstanding."""
    answer = {"success": False, "errors": [{"code": 5007, "message": "No such model"}], "result": None}
    with pytest.raises(UpstreamError, match="No such model"):
        whole("cloudflare", wire("cloudflare", base_url=RUN), answer)


def test_numbers_become_base64_on_the_compatible_endpoint() -> None:
    """It answers in numbers whatever was asked for, which SDKs decode to zeros (karakeep#2698)."""
    sent = wire("cloudflare", {"encoding_format": "base64"}, account="acc")
    assert vectors(answered("cloudflare", sent, openai_answer(*VECTORS))) == ENCODED
