"""Embeddings of every engine against what providers really took, and really answered.

Vectors of some recordings are cut short, which changes nothing here: 32 numbers are a vector. Only base64 that was cut
within a number has to be cut once more where it is to be decoded.
"""

import json
from base64 import b64decode
from typing import Any

import pytest

from tests.recordings import Recording, for_recordings
from tests.translators.embeddings.exchange import answered, body, vectors, whole, wire
from translators.base import WholeAnswer
from translators.embeddings import SERVICES
from translators.embeddings.vectors import in_format
from translators.errors import Kind, UpstreamError

COMPATIBLE = ("openai", "azure", "mistral", "openrouter")
BASE_URLS = {
    "openai": "https://api.openai.com/v1",
    "azure": "https://example-resource.openai.azure.com",
    "mistral": "https://api.mistral.ai/v1",
    "openrouter": "",
}


def engine_of(recording: Recording) -> str:
    return recording.provider if recording.provider in SERVICES else "gpt"


def asked(recording: Recording, **fields: Any) -> Any:
    """The wire request for a recorded request of OpenAI's form."""
    return wire(engine_of(recording), recording.request_body | fields, base_url=BASE_URLS[recording.provider])


def with_whole_numbers(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer, base64 in it cut to a multiple of 12 bytes, which are 16 characters, where it is no vector."""
    data = []
    for entry in answer["data"]:
        vector = entry["embedding"]
        if isinstance(vector, str) and len(b64decode(vector)) % 4:
            vector = vector[: len(vector) // 16 * 16]
        data.append(entry | {"embedding": vector})
    return answer | {"data": data}


# --- OpenAI's wire --------------------------------------------------------------------------------------------


@for_recordings(COMPATIBLE, kind="embeddings", status=200)
def test_an_answer_in_the_format_asked_for_goes_through_as_it_came(recording: Recording) -> None:
    """Byte for byte, its tokens counted."""
    got = whole(engine_of(recording), asked(recording), recording.response_bytes)
    assert got.body == recording.response_bytes
    assert got.usage is not None
    assert got.usage.prompt == recording.response["body"]["usage"]["prompt_tokens"] > 0


@for_recordings(COMPATIBLE, kind="embeddings", status=200)
@pytest.mark.parametrize("wanted", ["float", "base64"])
def test_an_answer_in_either_format_becomes_the_other(recording: Recording, wanted: Any) -> None:
    """Nothing else in it differs."""
    original = with_whole_numbers(recording.response["body"])
    got = answered(engine_of(recording), asked(recording, encoding_format=wanted), original)
    data = [entry | {"embedding": in_format(entry["embedding"], wanted)} for entry in original["data"]]
    assert got == original | {"data": data}
    assert all(isinstance(vector, list if wanted == "float" else str) for vector in vectors(got))


@for_recordings(COMPATIBLE, kind="embeddings", status=200)
def test_a_renamed_model_is_called_by_its_alias(recording: Recording) -> None:
    """And the vectors are not touched."""
    sent = asked(recording)
    got = answered(engine_of(recording), sent, recording.response_bytes, alias="alias", renamed=True)
    assert got == recording.response["body"] | {"model": "alias"}


@for_recordings("mistral", kind="embeddings", features=["dimensions"])
def test_mistral_is_asked_as_it_was(recording: Recording) -> None:
    """With the name that it has for the length of a vector."""
    request = dict(recording.request_body)
    request["dimensions"] = request.pop("output_dimension")
    assert body("gpt", request, base_url=BASE_URLS["mistral"]) == recording.request_body


@for_recordings(
    ("openai", "mistral", "gemini", "cohere"), endpoint="embeddings", where=lambda recording: recording.status >= 400
)
def test_a_refusal_keeps_its_status_and_words(recording: Recording) -> None:
    """A model that is not there is not the client's fault; a key that is refused is not the client's."""
    failure = SERVICES[engine_of(recording)].failure(recording.status, {}, recording.response_bytes)
    assert failure.upstream_status == recording.status
    assert failure.message in json.dumps(recording.response["body"], ensure_ascii=False)
    kinds = {401: Kind.CREDENTIALS, 403: Kind.CREDENTIALS, 404: Kind.NOT_FOUND}
    no_key = recording.provider == "gemini"  # "API key not valid", with status 400
    assert failure.kind is kinds.get(recording.status, Kind.CREDENTIALS if no_key else Kind.NOT_FOUND)


# --- other wires ----------------------------------------------------------------------------------------------


def fits(got: WholeAnswer, recorded: list[list[float]], tokens: int | None) -> None:
    """The client's answer holds the provider's vectors."""
    answer = json.loads(got.body)
    assert vectors(answer) == recorded
    assert [entry["index"] for entry in answer["data"]] == list(range(len(recorded)))
    assert answer["usage"] == {"prompt_tokens": tokens or 0, "total_tokens": tokens or 0}
    assert (got.usage and got.usage.prompt) == tokens


@for_recordings("vertex-gemini", kind="embeddings", status=200)
def test_vertex_is_asked_as_it_was_and_its_answer_is_read(recording: Recording) -> None:
    """A predict for three texts."""
    theirs = recording.request_body
    request = {
        "model": "text-embedding-004",
        "input": [instance["content"] for instance in theirs["instances"]],
        "dimensions": theirs["parameters"]["outputDimensionality"],
    }
    sent = wire("vertex-gemini", request, project="example-project", region="global")
    assert json.loads(sent.body) == theirs
    assert sent.url == recording.request["url"].replace("<GOOGLE_CLOUD_LOCATION>", "global")
    recorded = [prediction["embeddings"]["values"] for prediction in recording.response["body"]["predictions"]]
    fits(whole("vertex-gemini", sent, recording.response_bytes), recorded, tokens=4)


@for_recordings("cohere", kind="embeddings", status=200)
def test_cohere_is_asked_as_it_was_and_its_answer_is_read(recording: Recording) -> None:
    """What the recorded clients left to the default, with null, is left out."""
    theirs = {name: value for name, value in recording.request_body.items() if value is not None}
    own = {name: theirs[name] for name in ("truncate",) if name in theirs}
    sent = wire("cohere", {"model": theirs["model"], "input": theirs["texts"], **own})
    assert json.loads(sent.body) == theirs
    answer = recording.response["body"]
    fits(
        whole("cohere", sent, recording.response_bytes),
        answer["embeddings"]["float"],
        answer["meta"]["billed_units"]["input_tokens"],
    )


@for_recordings("gemini", kind="embeddings", status=200)
def test_gemini_takes_what_it_took_in_a_batch(recording: Recording) -> None:
    """The recording asks for one embedding alone; a batch holds the same request, with the model in it."""
    theirs = recording.request_body
    request = {
        "model": "text-embedding-004",
        "input": theirs["content"]["parts"][0]["text"],
        "task_type": theirs["taskType"],
        "title": theirs["title"],
    }
    sent = wire("gemini", request)
    assert json.loads(sent.body) == {"requests": [{"model": "models/text-embedding-004", **theirs}]}
    vector = recording.response["body"]["embedding"]
    fits(whole("gemini", sent, {"embeddings": [vector]}), [vector["values"]], None)


@for_recordings("gemini", endpoint="embeddings", status=400)
def test_a_recorded_batch_of_gemini_is_ours(recording: Recording) -> None:
    """Its key was refused, not its form."""
    theirs = recording.request_body["requests"]
    texts = [request["content"]["parts"][0]["text"] for request in theirs]
    ours = body("gemini", {"model": "gemini-embedding-001", "input": texts})["requests"]
    for request in ours:
        assert request["content"].pop("role") == "user"
    assert ours == theirs
    with pytest.raises(UpstreamError, match="API key not valid"):
        whole("gemini", wire("gemini"), recording.response_bytes)
