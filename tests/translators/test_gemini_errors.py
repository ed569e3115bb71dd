"""What Gemini's and Vertex's errors say, by the recorded ones."""

import json
from typing import Any

import pytest

from tests.recordings import Recording, for_recordings
from translators.errors import Kind, UpstreamError
from translators.gemini import Gemini
from translators.vertex import VertexClaude, VertexGemini

KINDS = {401: Kind.CREDENTIALS, 403: Kind.CREDENTIALS, 404: Kind.NOT_FOUND, 429: Kind.RATE_LIMIT, 503: Kind.OVERLOADED}


def failure(recording: Recording) -> UpstreamError:
    engine = Gemini() if recording.provider == "gemini" else VertexGemini()
    return engine.failure(recording.status, recording.response["headers"], recording.response_bytes)


def kind_of(error: dict[str, Any]) -> Kind:
    """What the recorded error asks for, read by hand."""
    if error["code"] != 400:
        return KINDS[error["code"]]
    if "API key not valid" in error["message"]:
        return Kind.CREDENTIALS
    if "exceeds the maximum number of tokens" in error["message"]:
        return Kind.TOO_LARGE
    if "Responsible AI" in error["message"]:
        return Kind.BLOCKED
    return Kind.NOT_FOUND if error["status"] == "FAILED_PRECONDITION" else Kind.BAD_REQUEST


def check(recording: Recording) -> None:
    error = recording.response["body"]["error"]
    found = failure(recording)
    assert found.kind is kind_of(error)
    assert found.message == error["message"]
    assert (found.status, found.upstream_status) == (recording.status, recording.status)
    assert set(json.loads(found.body())["error"]) == {"message", "type", "param", "code"}


@for_recordings("gemini", kind="error")
def test_a_recorded_error_of_geminis_is_understood(recording: Recording) -> None:
    """Status kept, the provider's own message, and what is to be done about it."""
    check(recording)


@for_recordings("vertex-gemini", kind="error")
def test_a_recorded_error_of_vertex_is_understood(recording: Recording) -> None:
    """The same on Vertex."""
    check(recording)


def google_error(code: int, status: str, message: str = "No.", **fields: Any) -> bytes:
    return json.dumps({"error": {"code": code, "message": message, "status": status, **fields}}).encode()


def test_a_wrong_key_is_no_fault_of_the_request() -> None:
    """Gemini says 400 for it; the next key may be right."""
    body = google_error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.")
    error = Gemini().failure(400, {}, body)
    assert (error.kind, error.code) == (Kind.CREDENTIALS, "invalid_api_key")


def test_a_place_that_google_does_not_serve_is_no_fault_of_the_request() -> None:
    """Another channel may be somewhere else (pitfall 113: 400 for a provider's own fault)."""
    error = Gemini().failure(400, {}, google_error(400, "FAILED_PRECONDITION", "User location is not supported."))
    assert (error.kind, error.status, error.code) == (Kind.NOT_FOUND, 400, "failed_precondition")


@pytest.mark.parametrize("wrapped", [False, True])
def test_how_long_to_wait(wrapped: bool) -> None:
    """RetryInfo tells it, also where a stream's error comes as a list."""
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"}
    body = google_error(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", details=[retry])
    error = Gemini().failure(429, {}, b"[" + body + b"]" if wrapped else body)
    assert (error.kind, error.retry_after, error.code) == (Kind.RATE_LIMIT, 34.0, "rate_limit_exceeded")


@pytest.mark.parametrize("body", [b"", b"<html>gone</html>", b"[]", b'{"error": "gone"}', b"\xff"])
def test_an_error_of_any_shape_is_one(body: bytes) -> None:
    """Whatever stands between us and Google."""
    for engine in (Gemini(), VertexGemini(), VertexClaude()):
        assert engine.failure(502, {}, body).kind is Kind.SERVER
        assert engine.failure(400, {}, body).kind is Kind.BAD_REQUEST


def test_claudes_errors_on_vertex() -> None:
    """Anthropic's form, with Vertex's ids."""
    body = b'{"type":"error","error":{"type":"invalid_request_error","message":"No."},"request_id":"req_vrtx_1"}'
    error = VertexClaude().failure(400, {}, body)
    assert (error.kind, error.message, error.request_id) == (Kind.BAD_REQUEST, "No.", "req_vrtx_1")
