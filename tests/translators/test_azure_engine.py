"""The engine azure: addresses, the key's header, what Azure adds to answers."""

import json
from typing import Any

import pytest

from tests.recordings import Recording, for_recordings
from tests.translators.openai_wire import answer_of, speaks_openai, streamed, whole
from translators import DIALECTS, ENGINES
from translators.base import AnswerIdentity, AnswerStream
from translators.errors import Kind, UpstreamError
from translators.openai_request import read_request
from translators.relay import open_stream, whole_answer
from translators.types import Target, WireRequest

ENGINE = ENGINES["azure"]
OPENAI = DIALECTS["openai-chat"]
IDENTITY = AnswerIdentity("id", 1, "alias", renamed=False, include_usage=True)
RESOURCE = "https://name.openai.azure.com"
CURRENT = "?api-version=2024-10-21"

FILTERED = {
    "error": {
        "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
        "type": None,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {}},
    }
}
PROMPT_RESULTS = {"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": [{}]}
ROLE = {"id": "1", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]}
TEXT = {"id": "1", "choices": [{"index": 0, "delta": {"content": "Hi"}, "content_filter_results": {}}]}
ANNOTATED = {"id": "", "model": "", "choices": [{"index": 0, "finish_reason": None, "content_filter_offsets": {}}]}


def wire(base_url: str, model: str = "gpt-4o", **fields: Any) -> WireRequest:
    raw = {"model": model, "messages": [{"role": "user", "content": "Hi"}], **fields}
    return ENGINE.build(read_request(json.dumps(raw).encode()), Target(base_url, model, model, key="azure-secret"))


def opened() -> AnswerStream:
    return open_stream(ENGINE, OPENAI, wire(RESOURCE), IDENTITY, arrives_as_stream=True)


def event(chunk: Any) -> bytes:
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        (RESOURCE, f"{RESOURCE}/openai/deployments/gpt-4o/chat/completions{CURRENT}"),
        (f"{RESOURCE}/openai/", f"{RESOURCE}/openai/deployments/gpt-4o/chat/completions{CURRENT}"),
        (
            f"{RESOURCE}/?api-version=2025-04-01-preview",
            f"{RESOURCE}/openai/deployments/gpt-4o/chat/completions?api-version=2025-04-01-preview",
        ),
        (
            f"{RESOURCE}/openai/deployments/mine",
            f"{RESOURCE}/openai/deployments/mine/chat/completions{CURRENT}",
        ),
        (
            f"{RESOURCE}/openai/deployments/mine/chat/completions?api-version=2025-01-01-preview",
            f"{RESOURCE}/openai/deployments/mine/chat/completions?api-version=2025-01-01-preview",
        ),
        (f"{RESOURCE}/openai/v1/", f"{RESOURCE}/openai/v1/chat/completions"),
        (
            f"{RESOURCE}/openai/v1/chat/completions?api-version=preview",
            f"{RESOURCE}/openai/v1/chat/completions?api-version=preview",
        ),
        (
            "https://name.services.ai.azure.com",
            "https://name.services.ai.azure.com/openai/v1/chat/completions",
        ),
        (
            "https://name.services.ai.azure.com/models",
            "https://name.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview",
        ),
        (
            "https://gateway.example/azure",
            f"https://gateway.example/azure/openai/deployments/gpt-4o/chat/completions{CURRENT}",
        ),
    ],
)
def test_the_endpoint(base_url: str, url: str) -> None:
    """A resource's deployments, a deployment, the newer prefix without a version, Foundry's models."""
    assert wire(base_url).url == url


def test_the_key_has_a_header_of_its_own() -> None:
    """And is in no repr."""
    assert wire(RESOURCE).credentials == {"api-key": "azure-secret"}
    assert "azure-secret" not in repr(wire(RESOURCE))


def test_a_deployments_name_tells_its_model() -> None:
    """The one in the address, where there is one; a name of the user's own tells nothing."""
    for base_url, kept in (
        (f"{RESOURCE}/openai/deployments/o3-mini", False),
        (f"{RESOURCE}/openai/deployments/mine", True),
    ):
        assert ("temperature" in json.loads(wire(base_url, temperature=0.5).body)) == kept
    assert "temperature" not in json.loads(wire(RESOURCE, "gpt-5-nano", temperature=0.5).body)
    assert "stop" not in json.loads(wire("https://n.services.ai.azure.com", "grok-4", stop=["x"]).body)


@pytest.mark.parametrize(("version", "asked"), [("2024-02-01", False), ("2024-10-21", True)])
def test_pitfall_104_older_versions_do_not_know_stream_options(version: str, asked: bool) -> None:
    """OR#9750: usage is asked for from version 2024-09-01-preview on."""
    sent = json.loads(wire(f"{RESOURCE}?api-version={version}", stream=True).body)
    assert ("stream_options" in sent) == asked


def test_pitfall_100_a_first_chunk_without_choices_commits_nothing() -> None:
    """BF retries-and-fallbacks: filter results before the answer are not the answer; nor are they behind it."""
    stream = opened()
    for chunk in (PROMPT_RESULTS, ROLE, ANNOTATED):
        assert stream.feed(event(chunk)) == event(chunk)
        assert not stream.has_output
    assert stream.feed(event(TEXT)) == event(TEXT)
    assert stream.has_output
    stream.feed(event(ANNOTATED) + b"data: [DONE]\n\n")
    assert (stream.ended, stream.failure) == (True, None)


def test_pitfall_100_an_error_behind_annotations_is_an_error() -> None:
    """BF retries-and-fallbacks: before any output, so that another provider may be tried."""
    stream = opened()
    stream.feed(event(PROMPT_RESULTS) + event({"error": {"message": "overloaded", "code": "429"}}))
    assert not stream.has_output
    assert stream.failure is not None
    assert stream.failure.kind is Kind.RATE_LIMIT


def test_a_filtered_prompt_is_blocked() -> None:
    """Azure's 400: returned to the client at once, as OpenAI's content_filter."""
    error = ENGINE.failure(400, {"apim-request-id": "r1"}, json.dumps(FILTERED).encode())
    assert (error.kind, error.status, error.code, error.request_id) == (Kind.BLOCKED, 400, "content_filter", "r1")


@for_recordings("azure", endpoint="chat", status=200, stream=True, where=speaks_openai)
def test_a_recorded_stream_reaches_the_client(recording: Recording) -> None:
    """Byte by byte: words, calls, finish and usage, filter results and all."""
    stream = opened()
    data = recording.response_bytes
    sent = b"".join(stream.feed(data[i : i + 1]) for i in range(len(data))) + stream.close()
    assert streamed(sent.decode()) == answer_of(recording)
    assert stream.ended


@for_recordings("azure", endpoint="chat", status=200, stream=False, where=speaks_openai)
def test_a_recorded_answer_reaches_the_client(recording: Recording) -> None:
    """As it came; a filtered prompt under a status of 200 is blocked all the same."""

    def answer() -> Any:
        data = recording.response_bytes
        return whole_answer(ENGINE, OPENAI, wire(RESOURCE), IDENTITY, data, arrives_as_stream=False)

    if "error_in_200" in recording.features:
        with pytest.raises(UpstreamError) as caught:
            answer()
        assert (caught.value.kind, caught.value.status) == (Kind.BLOCKED, 400)
    else:
        assert whole(json.loads(answer().body)) == answer_of(recording)


@for_recordings("azure", kind="error", endpoint="chat", where=speaks_openai)
def test_a_recorded_error_keeps_its_status_and_words(recording: Recording) -> None:
    """Whatever Azure's layers answer."""
    error = ENGINE.failure(recording.status, recording.response["headers"], recording.response_bytes)
    kinds = {401: Kind.CREDENTIALS, 404: Kind.NOT_FOUND, 422: Kind.BAD_REQUEST, 429: Kind.RATE_LIMIT}
    assert (error.status, error.kind) == (recording.status, kinds[recording.status])
    assert error.message == recording.response["body"]["error"]["message"]
