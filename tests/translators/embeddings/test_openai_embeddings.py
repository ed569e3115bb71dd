"""translators/embeddings/openai_wire.py and hosts.py: hosts of OpenAI's wire, and what differs between them."""

import json
from typing import Any

import httpx2
import openai
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
from translators.base import AnswerIdentity
from translators.embeddings import SERVICES, read
from translators.errors import Kind, UpstreamError
from translators.types import Target

OPENAI = "https://api.openai.com/v1"
MISTRAL = "https://api.mistral.ai/v1"
VOYAGE = "https://api.voyageai.com/v1"
JINA = "https://api.jina.ai/v1"
SOMEWHERE = "https://llm.example/v1"


def bytes_of(**fields: Any) -> bytes:
    return json.dumps({"model": "m", "input": "one", **fields}, indent=1).encode()


# --- the request ----------------------------------------------------------------------------------------------


def test_a_request_goes_out_byte_for_byte() -> None:
    """With fields that nobody here knows."""
    sent = bytes_of(input=[[1, 2]], encoding_format="base64", dimensions=8, user="u", late_chunking=True)
    built = SERVICES["gpt"].build(read(sent, ""), Target(SOMEWHERE, "m", "m", key="secret-key"))
    assert built.body == sent
    assert (built.method, built.url, built.notes) == ("POST", f"{SOMEWHERE}/embeddings", ())
    assert built.credentials == {"authorization": "Bearer secret-key"}
    assert built.headers["content-type"] == "application/json"
    assert "secret-key" not in repr(built)


def test_only_the_models_name_differs_where_it_is_another() -> None:
    """The white space stays."""
    built = SERVICES["gpt"].build(read(bytes_of(), ""), Target(SOMEWHERE, "upstream", "m"))
    assert built.body == bytes_of().replace(b'"m"', b'"upstream"')


@pytest.mark.parametrize(
    ("engine", "target", "url"),
    [
        ("gpt", {"base_url": "https://host.example/v1/chat/completions"}, "https://host.example/v1/embeddings"),
        ("openrouter", {}, "https://openrouter.ai/api/v1/embeddings"),
        (
            "azure",
            {"base_url": "https://name.openai.azure.com", "model": "ada"},
            "https://name.openai.azure.com/openai/deployments/ada/embeddings?api-version=2024-10-21",
        ),
        (
            "azure",
            {"base_url": "https://n.services.ai.azure.com"},
            "https://n.services.ai.azure.com/openai/v1/embeddings",
        ),
        ("cloudflare", {"account": "acc"}, "https://api.cloudflare.com/client/v4/accounts/acc/ai/v1/embeddings"),
    ],
)
def test_the_endpoint_is_behind_each_engines_prefix(engine: str, target: dict[str, Any], url: str) -> None:
    """As for chat."""
    assert wire(engine, **target).url == url


@pytest.mark.parametrize("base_url", [MISTRAL, VOYAGE])
def test_dimensions_have_another_name_at_some_hosts(base_url: str) -> None:
    """Mistral: a recorded request, gbrain#3001; Voyage: gbrain#735."""
    sent = wire("gpt", {"dimensions": 64, "user": "u"}, base_url=base_url)
    assert json.loads(sent.body) == {"model": "m", "input": ["one", "two"], "output_dimension": 64}
    assert noted(sent) == {"user"}


def test_the_providers_own_name_of_a_field_passes() -> None:
    """Nothing in the way of who writes for one host."""
    assert body("gpt", {"output_dimension": 64}, base_url=MISTRAL)["output_dimension"] == 64


@pytest.mark.parametrize(
    ("engine", "base_url", "asked", "wanted"),
    [
        ("gpt", SOMEWHERE, "base64", "base64"),
        ("gpt", MISTRAL, "base64", "base64"),
        ("gpt", VOYAGE, "base64", "base64"),
        ("gpt", VOYAGE, "float", None),
        ("gpt", JINA, "base64", None),
        ("gpt", JINA, "float", None),
        ("gpt", "https://openrouter.ai/api/v1", "base64", "float"),
        ("openrouter", "", "base64", "float"),
        ("openrouter", "https://proxy.example/v1", "base64", "float"),
        ("openrouter", "", "float", "float"),
        ("openrouter", "", None, None),
        ("cloudflare", "https://proxy.example/ai/v1", "base64", None),
    ],
)
def test_a_format_that_a_host_refuses_is_not_asked_for(
    engine: str, base_url: str, asked: str | None, wanted: str | None
) -> None:
    """The vectors are converted, so nothing is lost and nobody has to be told (sources in hosts.py)."""
    sent = wire(engine, {"encoding_format": asked} if asked else {}, base_url=base_url)
    assert json.loads(sent.body).get("encoding_format") == wanted
    assert sent.notes == ()
    assert sent.context["format"] == (asked or "float")


# --- the answer -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("asked", "given"), [("float", VECTORS), ("base64", ENCODED)])
def test_an_answer_as_asked_for_goes_through_as_it_came(asked: str, given: list[Any]) -> None:
    """Byte for byte, with members that OpenAI does not know, and with its tokens counted."""
    answer = json.dumps(openai_answer(*given, provider="someone"), indent=1).encode()
    got = whole("gpt", wire("gpt", {"encoding_format": asked}, base_url=SOMEWHERE), answer)
    assert got.body == answer
    assert got.usage is not None
    assert (got.usage.prompt, got.usage.completion, got.usage.total) == (2, 0, 2)


@pytest.mark.parametrize(
    ("asked", "given", "expected"),
    [("base64", VECTORS, ENCODED), ("float", ENCODED, VECTORS), (None, ENCODED, VECTORS)],
)
def test_the_client_gets_the_format_that_it_asked_for(asked: Any, given: list[Any], expected: list[Any]) -> None:
    """Hosts that ignore encoding_format give clients zeros, or half a vector (karakeep#2698, lmstudio#756)."""
    sent = wire("gpt", {"encoding_format": asked}, base_url=SOMEWHERE)
    answer = openai_answer(*given, id="kept")
    assert answered("gpt", sent, answer) == openai_answer(*expected, id="kept")


def test_order_and_index_stay_as_the_provider_sent_them() -> None:
    """Also where every entry is written anew."""
    answer = openai_answer(*VECTORS)
    answer["data"] = [entry | {"index": 1 - entry["index"]} for entry in answer["data"]]
    got = answered("gpt", wire("gpt", {"encoding_format": "base64"}, base_url=SOMEWHERE), answer)
    assert [(entry["index"], entry["embedding"]) for entry in got["data"]] == [(1, ENCODED[0]), (0, ENCODED[1])]


@pytest.mark.parametrize(
    ("said", "renamed", "model"), [("m-001", False, "m-001"), ("m-001", True, "alias"), (None, False, "alias")]
)
def test_the_model_is_the_alias_where_it_is_renamed(said: str | None, renamed: bool, model: str) -> None:
    """Else what the provider said, else what was asked for."""
    answer = openai_answer(*VECTORS, model=said)
    sent = wire("gpt", base_url=SOMEWHERE)
    assert answered("gpt", sent, answer, alias="alias", renamed=renamed) == openai_answer(*VECTORS, model=model)


def test_a_new_name_leaves_the_numbers_as_they_were_written() -> None:
    """0.10 stays 0.10."""
    answer = b'{"object": "list", "data": [{"index": 0, "embedding": [0.10, 1e-3]}], "model": "m-001", "usage": %s}'
    answer %= b'{"prompt_tokens": 1, "total_tokens": 1}'
    got = whole("gpt", wire("gpt", {"input": "one"}, base_url=SOMEWHERE), answer, alias="alias", renamed=True)
    assert got.body == answer.replace(b"m-001", b"alias")


def test_what_a_host_leaves_out_of_openais_form_is_put_in() -> None:
    """Voyage counts only the total; some say neither what a thing is nor which."""
    answer = {"data": [{"embedding": vector} for vector in VECTORS], "model": "m-001", "usage": {"total_tokens": 7}}
    got = whole("gpt", wire("gpt", base_url=VOYAGE), answer)
    assert json.loads(got.body) == openai_answer(*VECTORS, usage={"prompt_tokens": 7, "total_tokens": 7})
    assert got.usage is not None
    assert (got.usage.prompt, got.usage.total) == (7, 7)


def test_tokens_that_nobody_counted_are_zero() -> None:
    """And not made up."""
    answer = openai_answer(*VECTORS)
    del answer["usage"]
    got = answered("gpt", wire("gpt", base_url=SOMEWHERE), answer)
    assert got["usage"] == {"prompt_tokens": 0, "total_tokens": 0}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (openai_answer(), Kind.MALFORMED),
        (openai_answer(VECTORS[0]), Kind.MALFORMED),
        (openai_answer(*VECTORS, VECTORS[0]), Kind.MALFORMED),
        (openai_answer(VECTORS[0], None), Kind.MALFORMED),
        (openai_answer(VECTORS[0], []), Kind.MALFORMED),
        (openai_answer(*VECTORS, data=None), Kind.MALFORMED),
        (b"<html></html>", Kind.MALFORMED),
        (b" ", Kind.EMPTY),
        (b"[]", Kind.MALFORMED),
        ({"error": {"message": "overloaded", "code": 429}}, Kind.RATE_LIMIT),
        ({"object": "error", "message": "broken"}, Kind.SERVER),
    ],
)
def test_an_answer_that_is_none_fails(answer: Any, kind: Kind) -> None:
    """Another provider may do better; which vector is whose would be a guess (honcho#932: none at all)."""
    with pytest.raises(UpstreamError) as error:
        whole("gpt", wire("gpt", base_url=SOMEWHERE), answer)
    assert error.value.kind is kind


def test_an_input_of_a_hosts_own_is_not_counted() -> None:
    """How many vectors there have to be is unknown; one at least."""
    sent = wire("gpt", {"input": None, "images": ["a", "b"]}, base_url=SOMEWHERE)
    assert vectors(answered("gpt", sent, openai_answer(*VECTORS))) == VECTORS
    with pytest.raises(UpstreamError):
        whole("gpt", sent, openai_answer())


@pytest.mark.parametrize("engine", SERVICES)
def test_an_answer_is_never_a_stream(engine: str) -> None:
    """Whatever the client or the provider says."""
    sent = wire(engine, base_url="https://host.example/v1", account="a", project="p", region="global")
    identity = AnswerIdentity("", 0, "m", renamed=False, include_usage=False)
    service = SERVICES[engine]
    assert service.open(sent, identity, stream=True, content_type="text/event-stream", see=None) is None


@pytest.mark.parametrize("engine", SERVICES)
def test_errors_are_read_as_the_engine_reads_them(engine: str) -> None:
    """With what there is to wait."""
    failure = SERVICES[engine].failure(429, {"retry-after": "7"}, b'{"error": {"message": "slow down"}}')
    assert (failure.kind, failure.status, failure.retry_after) == (Kind.RATE_LIMIT, 429, 7)


# --- OpenAI's SDK ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [VECTORS, ENCODED], ids=["host of numbers", "host of base64"])
@pytest.mark.parametrize("options", [{}, {"encoding_format": "float"}], ids=["SDK's base64", "float"])
def test_the_sdk_sees_the_vectors_whatever_the_host_sends(given: list[Any], options: dict[str, Any]) -> None:
    """It asks for base64 unless told otherwise, and decodes whatever comes."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent = SERVICES["gpt"].build(read(request.content, ""), Target(SOMEWHERE, "m", "m"))
        return httpx2.Response(200, json=answered("gpt", sent, openai_answer(*given)))

    client = openai.OpenAI(api_key="k", http_client=httpx2.Client(transport=httpx2.MockTransport(answer)))
    response = client.embeddings.create(model="m", input=["one", "two"], **options)
    assert [entry.embedding for entry in response.data] == VECTORS
    assert response.usage.prompt_tokens == 2
