"""What the engine claude makes of Anthropic's error answers."""

import pytest

from tests.recordings import Recording, for_recordings, needs_recordings, recordings
from translators.anthropic import Claude
from translators.errors import Kind, UpstreamError

KINDS = {
    400: (Kind.BAD_REQUEST, "invalid_request_error"),
    401: (Kind.CREDENTIALS, "invalid_api_key"),
    404: (Kind.NOT_FOUND, "model_not_found"),
    429: (Kind.RATE_LIMIT, "rate_limit_exceeded"),
}


def failure(recording: Recording) -> UpstreamError:
    headers = {name.lower(): value for name, value in recording.response["headers"].items()}
    return Claude().failure(recording.status, headers, recording.response_bytes)


@for_recordings("anthropic", kind="error")
def test_pitfall_105_a_recorded_error_keeps_what_it_says(recording: Recording) -> None:
    """EN#2161: status, Anthropic's own message, OpenAI's code for it, and the id of the request."""
    found, sent = failure(recording), recording.response["body"]
    assert (found.status, found.upstream_status) == (recording.status, recording.status)
    assert found.message == sent["error"]["message"]
    too_long = found.message.startswith("prompt is too long")
    expected = (Kind.TOO_LARGE, "context_length_exceeded") if too_long else KINDS[recording.status]
    assert (found.kind, found.code) == expected
    assert found.request_id == recording.response["headers"].get("request-id", sent.get("request_id"))


@needs_recordings
def test_pitfall_107_how_long_to_wait_is_kept() -> None:
    """LL#21553: where the recorded 429 has a `retry-after`."""
    limited = recordings("anthropic", kind="error", status=429)
    waits = [recording.response["headers"].get("retry-after") for recording in limited]
    assert [failure(recording).retry_after for recording in limited] == [
        float(wait) if wait else None for wait in waits
    ]


@pytest.mark.parametrize(
    ("status", "type_", "message", "kind", "client_status", "code"),
    [
        (529, "overloaded_error", "Overloaded", Kind.OVERLOADED, 503, "overloaded"),
        (500, "api_error", "Internal server error", Kind.SERVER, 500, "server_error"),
        (413, "request_too_large", "Request too large", Kind.TOO_LARGE, 413, "request_too_large"),
        (403, "permission_error", "Not allowed", Kind.CREDENTIALS, 403, "permission_denied"),
        (
            400,
            "invalid_request_error",
            "prompt is too long: 210000 tokens > 200000 maximum",
            Kind.TOO_LARGE,
            400,
            "context_length_exceeded",
        ),
        (
            400,
            "invalid_request_error",
            "Your credit balance is too low to access the Anthropic API.",
            Kind.RATE_LIMIT,
            400,
            "insufficient_quota",
        ),
        (
            400,
            "invalid_request_error",
            "Output blocked by content filtering policy",
            Kind.BLOCKED,
            400,
            "content_filter",
        ),
    ],
)
def test_errors_that_nobody_recorded(
    status: int, type_: str, message: str, kind: Kind, client_status: int, code: str
) -> None:
    """Shapes and types of Claude's documentation, "Errors"."""
    body = f'{{"type":"error","error":{{"type":"{type_}","message":"{message}"}},"request_id":"req_1"}}'
    found = Claude().failure(status, {}, body.encode())
    assert (found.kind, found.status, found.code) == (kind, client_status, code)
    assert (found.message, found.request_id) == (message, "req_1")
