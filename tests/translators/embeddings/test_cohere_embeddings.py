"""translators/embeddings/cohere.py: Cohere's Embed."""

import json
from typing import Any

import cohere
import httpx
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
from translators.errors import Kind, RequestError, UntranslatableError, UpstreamError
from translators.types import WireRequest

IMAGE = "data:image/png;base64,iVBORw0KGgo="
META = {"billed_units": {"input_tokens": 2, "image_tokens": 0}}


def cohere_answer(meta: Any = META, /, **embeddings: Any) -> dict[str, Any]:
    return {"id": "1", "embeddings": embeddings, "meta": meta, "response_type": "embeddings_by_type"}


def sdk_sends(**request: Any) -> tuple[str, Any]:
    """The URL and the body with which Cohere's own SDK asks for the same."""
    seen: list[httpx.Request] = []

    def answer(sent: httpx.Request) -> httpx.Response:
        seen.append(sent)
        return httpx.Response(200, json=cohere_answer(float=VECTORS))

    client = cohere.ClientV2("k", httpx_client=httpx.Client(transport=httpx.MockTransport(answer)))
    client.embed(**request)
    return str(seen[0].url), json.loads(seen[0].content)


# --- the request ----------------------------------------------------------------------------------------------


def test_a_request_is_what_coheres_sdk_sends() -> None:
    """URL and body."""
    sent = wire("cohere", {"model": "embed-v4.0", "dimensions": 512}, key="k")
    assert (sent.url, json.loads(sent.body)) == sdk_sends(
        model="embed-v4.0",
        texts=["one", "two"],
        input_type="search_document",
        embedding_types=["float"],
        output_dimension=512,
    )
    assert sent.credentials == {"authorization": "Bearer k"}
    assert sent.notes == ()


@pytest.mark.parametrize(
    "base_url", ["https://proxy.example/cohere", "https://proxy.example/cohere/v2", "https://proxy.example/cohere/v1/"]
)
def test_version_2_is_asked_whatever_base_url_says(base_url: str) -> None:
    """As for chat."""
    assert wire("cohere", base_url=base_url).url == "https://proxy.example/cohere/v2/embed"


def test_coheres_own_parameters_pass() -> None:
    """Null is not said."""
    own = {"input_type": "search_query", "truncate": "END", "max_tokens": 64, "priority": 1, "output_dimension": 256}
    sent = body("cohere", own)
    assert {name: sent[name] for name in own} == own
    assert "truncate" not in body("cohere", {"truncate": None})


def test_dimensions_go_before_coheres_own_name_of_them() -> None:
    """OpenAI's field is the API's."""
    assert body("cohere", {"dimensions": 512, "output_dimension": 256})["output_dimension"] == 512


def test_what_has_no_place_is_noted() -> None:
    """And nothing that says nothing."""
    assert noted(wire("cohere", {"user": "u", "taskType": "CLUSTERING", "title": ""})) == {"user", "taskType"}


@pytest.mark.parametrize("name", ["images", "inputs"])
def test_images_and_mixed_inputs_pass(name: str) -> None:
    """In place of `input`."""
    content = [{"content": [{"type": "image_url", "image_url": {"url": IMAGE}}]}]
    value = [IMAGE] if name == "images" else content
    sent = wire("cohere", {"input": None, name: value})
    given = json.loads(sent.body)
    assert given[name] == value
    assert "texts" not in given
    assert given["input_type"] == ("image" if name == "images" else "search_document")
    assert sent.notes == ()
    assert vectors(answered("cohere", sent, cohere_answer(float=VECTORS[:1]))) == VECTORS[:1]
    with pytest.raises(UntranslatableError, match="without images"):
        wire("cohere", {"input": None, name: value}, image=False)


def test_mixed_inputs_of_text_need_no_images() -> None:
    """A provider configured without them takes these."""
    value = [{"content": [{"type": "text", "text": "one"}]}]
    assert body("cohere", {"input": None, "inputs": value}, image=False)["inputs"] == value


@pytest.mark.parametrize("names", [("input", "images"), ("input", "inputs"), ("images", "inputs")])
def test_two_kinds_of_inputs_are_refused(names: tuple[str, str]) -> None:
    """Cohere takes one; its answer would not have as many vectors as there are inputs."""
    with pytest.raises(UntranslatableError) as error:
        wire("cohere", {"input": None, names[0]: ["one"], names[1]: ["one"]})
    assert (error.value.status, error.value.param) == (400, names[1])
    assert all(f"`{name}`" in error.value.message for name in names)


def test_images_that_are_no_list_are_refused() -> None:
    """Named."""
    with pytest.raises(RequestError) as error:
        wire("cohere", {"input": None, "images": IMAGE})
    assert error.value.param == "images"


# --- types of numbers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["float", "int8", "uint8", "binary", "ubinary"])
def test_numbers_of_another_type_are_given(kind: str) -> None:
    """The type that the client named, in the format that it reads."""
    sent = wire("cohere", {"embedding_types": [kind]})
    assert json.loads(sent.body)["embedding_types"] == [kind]
    assert vectors(answered("cohere", sent, cohere_answer(**{kind: [[1, 2], [3, 4]]}))) == [[1, 2], [3, 4]]
    assert sent.notes == ()


def test_of_several_types_the_first_is_given() -> None:
    """OpenAI's answer has room for one: said in a note."""
    sent = wire("cohere", {"embedding_types": ["int8", "float"]})
    assert json.loads(sent.body)["embedding_types"] == ["int8"]
    assert noted(sent) == {"embedding_types"}


def test_base64_as_a_type_is_the_format() -> None:
    """Numbers are asked for: how Cohere orders the bytes is nowhere written."""
    sent = wire("cohere", {"embedding_types": ["base64"]})
    assert json.loads(sent.body)["embedding_types"] == ["float"]
    assert vectors(answered("cohere", sent, cohere_answer(float=VECTORS))) == ENCODED


@pytest.mark.parametrize("types", ["float", ["hex"], [{}], {"float": True}])
def test_a_type_that_is_none_is_refused(types: Any) -> None:
    """Named, with those that there are."""
    with pytest.raises(RequestError, match="ubinary") as error:
        wire("cohere", {"embedding_types": types})
    assert error.value.param == "embedding_types"


# --- the answer -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("asked", "expected"), [("float", VECTORS), ("base64", ENCODED)])
def test_an_answer_becomes_openais(asked: str, expected: list[Any]) -> None:
    """The tokens are those that Cohere bills."""
    got = whole("cohere", wire("cohere", {"encoding_format": asked}), cohere_answer(float=VECTORS), alias="alias")
    assert json.loads(got.body) == openai_answer(*expected, model="alias")
    assert got.usage is not None
    assert (got.usage.prompt, got.usage.total) == (2, 2)


def test_tokens_of_images_are_tokens() -> None:
    """Billed apart."""
    answer = cohere_answer({"billed_units": {"images": 1, "image_tokens": 300}}, float=VECTORS)
    assert answered("cohere", wire("cohere"), answer)["usage"]["prompt_tokens"] == 300


@pytest.mark.parametrize("meta", [None, {}, {"billed_units": None}, {"billed_units": {"images": 1}}])
def test_tokens_that_cohere_does_not_tell_are_not_made_up(meta: Any) -> None:
    """Zero for the client, unknown for the statistics."""
    got = whole("cohere", wire("cohere"), cohere_answer(meta, float=VECTORS))
    assert json.loads(got.body)["usage"] == {"prompt_tokens": 0, "total_tokens": 0}
    assert got.usage is None


@pytest.mark.parametrize(
    "answer",
    [cohere_answer(), cohere_answer(float=VECTORS[:1]), cohere_answer(int8=VECTORS), {"embeddings": VECTORS}, b"[]"],
)
def test_an_answer_without_a_vector_for_each_input_fails(answer: Any) -> None:
    """Which is whose would be a guess."""
    sent: WireRequest = wire("cohere")
    with pytest.raises(UpstreamError) as error:
        whole("cohere", sent, answer)
    assert error.value.kind is Kind.MALFORMED
