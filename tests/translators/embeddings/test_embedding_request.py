"""translators/embeddings/request.py: what a client may ask for."""

import json
from typing import Any

import pytest

from tests.translators.embeddings.exchange import wire
from translators.embeddings import SERVICES, read
from translators.embeddings.request import EmbeddingRequest
from translators.errors import RequestError, UntranslatableError


def request(**fields: Any) -> EmbeddingRequest:
    return read(json.dumps({"model": "m", **fields}).encode(), "application/json")


def test_every_engine_but_claudes_embeds() -> None:
    """The others are absent, and each knows its name."""
    assert set(SERVICES) == {"gpt", "openrouter", "azure", "cloudflare", "gemini", "vertex-gemini", "cohere"}
    assert all(service.name == engine for engine, service in SERVICES.items())


@pytest.mark.parametrize(
    ("given", "inputs"),
    [
        ("one", ["one"]),
        (["one", "two"], ["one", "two"]),
        ([15, 16], [[15, 16]]),
        ([[15, 16], [17]], [[15, 16], [17]]),
        (["one", [15]], ["one", [15]]),
        ([{"image": "https://host.example/a.png"}], [{"image": "https://host.example/a.png"}]),
    ],
)
def test_every_shape_of_input_is_a_list_of_what_gets_a_vector(given: Any, inputs: list[Any]) -> None:
    """Text, texts, tokens of one text, tokens of several; objects are some hosts' own."""
    assert request(input=given).inputs == inputs


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "input"),
        ({"input": None}, "input"),
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": 5}, "input"),
        ({"input": {"text": "one"}}, "input"),
        ({"input": ["one", None]}, "input[1]"),
        ({"input": [1, "one"]}, "input[0]"),
        ({"input": [True]}, "input[0]"),
        ({"input": [[1.5]]}, "input[0]"),
        ({"input": "one", "dimensions": 0}, "dimensions"),
        ({"input": "one", "dimensions": "256"}, "dimensions"),
        ({"input": "one", "dimensions": True}, "dimensions"),
        ({"input": "one", "encoding_format": "hex"}, "encoding_format"),
        ({"input": "one", "encoding_format": ["float"]}, "encoding_format"),
        ({"images": []}, "input"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], param: str) -> None:
    """400, with the field."""
    with pytest.raises(RequestError) as error:
        request(**fields)
    assert (error.value.status, error.value.param) == (400, param)


def test_empty_input_says_that_it_is_empty() -> None:
    """And not that it has the wrong type."""
    with pytest.raises(RequestError, match="empty"):
        request(input="")
    with pytest.raises(RequestError, match="empty"):
        request(input=[])


def test_a_body_that_is_no_json_or_names_no_model_is_refused() -> None:
    """As at every endpoint that takes JSON."""
    with pytest.raises(RequestError, match="not JSON"):
        read(b"{", "application/json")
    with pytest.raises(RequestError, match="model"):
        read(b'{"input":"one"}', "application/json")


def test_numbers_are_the_default_format() -> None:
    """As OpenAI's API has it, whatever its SDKs ask for."""
    assert request(input="one").encoding_format == "float"
    assert request(input="one", encoding_format=None).encoding_format == "float"
    assert request(input="one", encoding_format="base64").encoding_format == "base64"


@pytest.mark.parametrize("engine", ["gemini", "vertex-gemini", "cohere"])
@pytest.mark.parametrize(
    ("given", "words"),
    [([1, 2], "token ids"), ([[1, 2], [3]], "token ids"), (["one", [3]], "token ids"), ([{"text": "one"}], "objects")],
)
def test_an_engine_of_text_alone_says_so(engine: str, given: Any, words: str) -> None:
    """Another provider may take them, so it is no fault of the request."""
    with pytest.raises(UntranslatableError, match=words) as error:
        wire(engine, {"input": given})
    assert (error.value.status, error.value.param) == (400, "input")


@pytest.mark.parametrize("engine", ["gemini", "vertex-gemini"])
def test_images_alone_are_nothing_to_an_engine_of_text(engine: str) -> None:
    """Cohere's own field, with which a request needs no `input`."""
    sent = request(images=["data:image/png;base64,AAAA"])
    assert sent.inputs == []
    with pytest.raises(UntranslatableError, match="missing"):
        sent.texts(engine)
