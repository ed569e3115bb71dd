"""The engine claude builds what real clients sent: recorded requests, put into OpenAI's form and built again."""

import json
from typing import Any

from tests.recordings import Recording, for_recordings
from tests.translators.anthropic_to_openai import normalised, openai_request
from tests.translators.anthropic_types import type_problems
from translators.anthropic import Claude
from translators.media import read_base64
from translators.openai_request import read_request
from translators.types import Target

DIFFERENT = {
    "anthropic-chat-chat-web-search-with-anthropic-claude-haiku-4-5-replays-6a21de": (
        "a text block of one space between two others: left out, as Claude refuses empty text"
    ),
    "anthropic-error-anthropic-json-cf1c4f": "the prefill for which the model answered 400: the user says Continue",
    "anthropic-error-claude-haiku-4-5-20251001-object-basic-471820": (
        "`minimum`, for which it was refused with 400, is said in the description"
    ),
    "anthropic-error-dangling-local-root-ref-is-rejected-eb831c": (
        "a strict schema that was refused with 400: not strict, and of type object"
    ),
    "anthropic-error-top-level-one-of-is-rejected-for-tool-input-5a1de2": (
        "a schema without `type`, refused with 400: it gets one"
    ),
    "anthropic-error-f59a9391-643b-422c-96dc-1f28bc7ea4d7-b331d5": (
        "a result without its call, for which it was refused with 400: left out"
    ),
    "vertex-claude-chat-claude-haiku-4-5-20251001-tool-round-trip-2-1e976c": (
        "calls in the history and no tools, which Vertex took: defined all the same, which others insist on"
    ),
    "vertex-claude-chat-claude-sonnet-4-5-20250929-tool-round-trip-2-a57e18": (
        "calls in the history and no tools, which Vertex took: defined all the same, which others insist on"
    ),
}
"""Recording → why it is, on purpose, not built as it was sent."""


def speaks_messages(recording: Recording) -> bool:
    """Whether both sides of Anthropic's wire were recorded."""
    url = recording.request["url"]
    return (
        recording.request_recorded
        and isinstance(recording.request_body, dict)
        and "messages" in recording.request_body
        and ("/messages" in url or "awPredict" in url)
    )


def model_of(recording: Recording) -> str:
    """The model, which Vertex has in the URL."""
    named: str | None = recording.request_body.get("model")
    return named or recording.request["url"].rpartition("/models/")[2].partition(":")[0]


def built(recording: Recording) -> tuple[dict[str, Any], dict[str, str]]:
    model = model_of(recording)
    betas = recording.request["headers"].get("anthropic-beta", "")
    body = json.dumps(openai_request(recording.request_body, model=model, betas=betas)).encode()
    wire = Claude().build(read_request(body), Target(base_url="", model=model, alias=model))
    return json.loads(wire.body), dict(wire.headers)


def with_true_media_types(value: Any) -> Any:
    """Recordings whose media were cut hold a tiny PNG under the types that the real ones had."""
    if isinstance(value, list):
        return [with_true_media_types(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "base64":
        return {**value, "media_type": read_base64(value["data"], value["media_type"]).mime}
    return {name: with_true_media_types(item) for name, item in value.items()}


def expected(recording: Recording) -> dict[str, Any]:
    body = normalised(recording.request_body)
    return with_true_media_types(body) if recording.shortened else body


def check(recording: Recording) -> None:
    body, headers = built(recording)
    assert type_problems(body) == []
    assert body.pop("model") == model_of(recording)
    same = normalised(body) == expected(recording)
    if recording.id in DIFFERENT:
        assert not same, f"{recording.id} is built as it was sent: no exception is needed any more"
        return
    assert normalised(body) == expected(recording)
    betas = {beta.strip() for beta in recording.request["headers"].get("anthropic-beta", "").split(",")} - {""}
    assert set(headers.get("anthropic-beta", "").split(",")) - {""} == betas


@for_recordings("anthropic", endpoint="chat", where=speaks_messages)
def test_a_recorded_request_of_anthropics_is_built_equal(recording: Recording) -> None:
    """Up to key order and to what the documentation calls the same."""
    check(recording)


@for_recordings("vertex-claude", endpoint="chat", where=speaks_messages)
def test_a_recorded_request_of_vertex_is_built_equal(recording: Recording) -> None:
    """The same body; only model and version stand elsewhere there."""
    check(recording)


@for_recordings("azure", endpoint="chat", where=speaks_messages)
def test_a_recorded_request_of_azure_is_built_equal(recording: Recording) -> None:
    """Azure hosts Anthropic's wire as it is."""
    check(recording)
