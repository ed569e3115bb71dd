"""What providers' errors say."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recordings import Recording, for_recordings, needs_recordings, recordings
from translators.errors import Kind, UpstreamError
from translators.failures import failure_inside_answer, read_failure, reports_failure

EVERY_PROVIDER = (
    "anthropic",
    "azure",
    "cloudflare",
    "cohere",
    "deepseek",
    "gemini",
    "groq",
    "mistral",
    "openai",
    "openrouter",
    "vertex-gemini",
    "xai",
)
"""Of the thirteen only vertex-claude has no recorded error."""
CODES = {
    Kind.CREDENTIALS: {"invalid_api_key", "permission_denied", "insufficient_quota"},
    Kind.RATE_LIMIT: {"rate_limit_exceeded", "insufficient_quota"},
    Kind.TOO_LARGE: {"context_length_exceeded", "request_too_large"},
    Kind.BLOCKED: {"content_filter"},
    Kind.OVERLOADED: {"overloaded"},
}
"""The kinds that have codes of OpenAI's; the others keep the provider's."""
KINDS_OF_STATUS = {
    400: {Kind.BAD_REQUEST, Kind.TOO_LARGE, Kind.BLOCKED, Kind.CREDENTIALS, Kind.NOT_FOUND},
    401: {Kind.CREDENTIALS},
    403: {Kind.CREDENTIALS, Kind.BLOCKED},
    404: {Kind.NOT_FOUND},
    422: {Kind.BAD_REQUEST},
    429: {Kind.RATE_LIMIT},
    500: {Kind.SERVER},
}
MEMBERS = ["error", "errors", "message", "detail", "details", "code", "type", "status", "status_code", "param"]
MEMBERS += ["metadata", "raw", "retryDelay", "success", "object", "request_id"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(MEMBERS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


def read(status: int, body: Any = b"", **headers: str) -> UpstreamError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_failure(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def own_message(body: Any) -> str:
    """A provider's message, found by hand."""
    if isinstance(body, list):
        body = body[0]
    error = body.get("errors", [None])[0] or body.get("error") or body
    return error if isinstance(error, str) else error.get("message") or error["detail"]


# --- recorded errors --------------------------------------------------------------------------------------------


@for_recordings(EVERY_PROVIDER, where=lambda recording: recording.status >= 400)
def test_recorded_errors_keep_status_and_message(recording: Recording) -> None:
    """Every recorded error: OpenAI's form, the provider's own words, a kind that fits the status."""
    error = failure_of(recording)
    assert error.status == error.upstream_status == recording.status, recording.id
    assert error.message.startswith(own_message(recording.response["body"])), recording.id
    assert error.kind in KINDS_OF_STATUS[recording.status], recording.id
    assert error.code in CODES.get(error.kind, {error.code}), recording.id
    assert " " not in str(error.code), recording.id
    assert set(json.loads(error.body())["error"]) == {"message", "type", "param", "code"}


@needs_recordings
@pytest.mark.parametrize(
    ("provider", "part_of_id", "kind", "code"),
    [
        ("anthropic", "815e1f", Kind.TOO_LARGE, "context_length_exceeded"),
        ("cohere", "ce3b09", Kind.TOO_LARGE, "context_length_exceeded"),
        ("openrouter", "499030", Kind.TOO_LARGE, "context_length_exceeded"),
        ("vertex-gemini", "3d4708", Kind.TOO_LARGE, "context_length_exceeded"),
        ("openrouter", "6dc4da", Kind.BLOCKED, "content_filter"),
        ("vertex-gemini", "6d7ba6", Kind.BLOCKED, "content_filter"),
        ("gemini", "b6ddec", Kind.CREDENTIALS, "invalid_api_key"),
        ("gemini", "1eb96f", Kind.CREDENTIALS, "permission_denied"),
        ("gemini", "956f03", Kind.RATE_LIMIT, "rate_limit_exceeded"),
        ("groq", "b2aaea", Kind.NOT_FOUND, "model_decommissioned"),
        ("groq", "636150", Kind.BAD_REQUEST, "tool_use_failed"),
        ("mistral", "a0e788", Kind.NOT_FOUND, "model_not_found"),
        ("openai", "e17693", Kind.BAD_REQUEST, "unsupported_parameter"),
        ("openai", "7d59b8", Kind.NOT_FOUND, "model_not_found"),
        ("xai", "ed96e3", Kind.BAD_REQUEST, "invalid_request_error"),
        ("azure", "1e01e1", Kind.BAD_REQUEST, "invalid_request_error"),
        ("cloudflare", "51304f", Kind.SERVER, "server_error"),
    ],
)
def test_recorded_errors_are_told_apart(provider: str, part_of_id: str, kind: Kind, code: str) -> None:
    """The reason behind a status that has several."""
    (recording,) = recordings(provider, where=lambda recording: recording.id.endswith(part_of_id))
    error = failure_of(recording)
    assert (error.kind, error.code) == (kind, code)


def failure_of(recording: Recording) -> UpstreamError:
    headers = {name.lower(): value for name, value in recording.response["headers"].items()}
    return read_failure(recording.status, headers, recording.response_bytes)


# --- shapes, statuses, codes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "m", "type": "t", "code": "c"}}, "m"),
        ({"error": {"code": 400, "message": "m", "status": "INVALID_ARGUMENT"}}, "m"),
        ([{"error": {"code": 400, "message": "m"}}], "m"),
        ({"code": "some sentence", "error": "m"}, "m"),
        ({"message": "m", "id": "x"}, "m"),
        ({"detail": "m"}, "m"),
        ({"detail": [{"loc": ["body"], "msg": "m"}]}, '[{"loc":["body"],"msg":"m"}]'),
        ({"object": "error", "message": {"detail": "m"}}, '{"detail":"m"}'),
        ({"success": False, "errors": [{"code": 3043, "message": "m"}]}, "m"),
        ({"success": False, "errors": ["m"]}, "m"),
        ({"error": {"message": "m", "metadata": {"raw": '{"error": {"message": "inner"}}'}}}, "m: inner"),
        ({"error": {"message": "m", "metadata": {"raw": "inner text"}}}, "m: inner text"),
        ({}, "{}"),
        (b"plain text", "plain text"),
        (b"", "The provider answered with status 400."),
        (b"\xff", "The provider answered with status 400 and bytes that are no text."),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "The provider answered with status 400 and bytes that are no text."),
        ("Zu viele Anfragen, später".encode("latin-1"), "Zu viele Anfragen, sp\ufffdter"),
        (
            b"\x1b[31mred\x1b[0m and a bell\x07, all in a text of some length",
            "[31mred[0m and a bell, all in a text of some length",
        ),
        ({"error": {"message": "a\r\n\tb\u0000\u001b[2J"}}, "a\n\tb[2J"),
    ],
)
def test_the_message_is_found_in_every_shape(body: Any, message: str) -> None:
    """Each shape that a provider was seen to use; what has no shape is shown as it came."""
    assert read(400, body).message == message


@pytest.mark.parametrize(
    ("status", "kind", "code", "type_", "client_status"),
    [
        (302, Kind.SERVER, "server_error", "server_error", 502),
        (400, Kind.BAD_REQUEST, "invalid_request_error", "invalid_request_error", 400),
        (401, Kind.CREDENTIALS, "invalid_api_key", "authentication_error", 401),
        (402, Kind.CREDENTIALS, "insufficient_quota", "authentication_error", 402),
        (403, Kind.CREDENTIALS, "permission_denied", "authentication_error", 403),
        (404, Kind.NOT_FOUND, "model_not_found", "invalid_request_error", 404),
        (407, Kind.CONNECT, "server_error", "server_error", 502),
        (408, Kind.TIMEOUT, "server_error", "server_error", 408),
        (409, Kind.BAD_REQUEST, "invalid_request_error", "invalid_request_error", 409),
        (413, Kind.TOO_LARGE, "request_too_large", "invalid_request_error", 413),
        (422, Kind.BAD_REQUEST, "invalid_request_error", "invalid_request_error", 422),
        (429, Kind.RATE_LIMIT, "rate_limit_exceeded", "rate_limit_error", 429),
        (498, Kind.OVERLOADED, "overloaded", "server_error", 498),
        (500, Kind.SERVER, "server_error", "server_error", 500),
        (503, Kind.OVERLOADED, "overloaded", "server_error", 503),
        (529, Kind.OVERLOADED, "overloaded", "server_error", 503),
        (599, Kind.SERVER, "server_error", "server_error", 599),
    ],
)
def test_pitfall_105_statuses_keep_their_meaning(
    status: int, kind: Kind, code: str, type_: str, client_status: int
) -> None:
    """envoyproxy/ai-gateway#2161, litellm PR#18698: the status is kept, 529 becomes 503, the code is OpenAI's.

    407 is said by a proxy between gateway and provider, no matter of the client's."""
    error = read(status, {"error": {"message": "m"}}, x_request_id="req_1")
    assert (error.kind, error.code, error.type, error.status) == (kind, code, type_, client_status)
    assert (error.upstream_status, error.request_id, error.message) == (status, "req_1", "m")


def test_pitfall_105_numeric_codes_are_no_codes() -> None:
    """uni-api ab85148: `code` is a word in OpenAI's form; a number there only repeats the status."""
    assert read(400, {"error": {"message": "m", "code": 400}}).code == "invalid_request_error"
    assert read(400, {"error": {"message": "m", "code": "400"}}).code == "invalid_request_error"
    assert read(404, {"error": {"message": "m", "code": "DeploymentNotFound"}}).code == "DeploymentNotFound"


@pytest.mark.parametrize("status", [400, 403, 429, 502, 503])
def test_pitfall_105_html_is_a_502_without_the_page(status: int) -> None:
    """A proxy in between spoke, not the provider: the page is of no use to a client."""
    error = read(status, b"\n <!DOCTYPE html><html><body>cloudflare</body></html>")
    assert (error.status, error.upstream_status) == (502, status)
    assert error.message == f"The provider answered with status {status} and an HTML page."


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "Your input was flagged for review", Kind.BLOCKED),
        (403, "deepseek requires moderation and your input was flagged for 'hate'", Kind.BLOCKED),
        (400, "The response was filtered due to Azure OpenAI's content management policy", Kind.BLOCKED),
        (400, "Your credit balance is too low to access the Anthropic API", Kind.RATE_LIMIT),
        (400, "Incorrect API key provided: ab***cd", Kind.CREDENTIALS),
        (400, "Model Not Exist", Kind.NOT_FOUND),
        (400, "This model's maximum context length is 8192 tokens", Kind.TOO_LARGE),
        (422, "prompt is too long: 9 tokens > 8 maximum", Kind.TOO_LARGE),
        (400, "The model does not support this parameter", Kind.BAD_REQUEST),
        (500, "context length", Kind.SERVER),
    ],
)
def test_the_reason_is_read_from_the_words_where_the_status_is_vague(status: int, message: str, kind: Kind) -> None:
    """400 and 403 mean many things; what is tried next depends on which."""
    assert read(status, {"error": {"message": message}}).kind is kind


def test_a_spent_quota_is_told_from_a_rate_limit() -> None:
    """`insufficient_quota` does not come back by itself; a quota with a time to wait does."""
    body = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}
    assert read(429, body).code == "insufficient_quota"
    assert read(429, body, retry_after="5").code == "rate_limit_exceeded"


def test_a_message_has_a_limit() -> None:
    """A whole page of text is of no use."""
    assert len(read(500, b"x" * 70_000).message) == 4000


@pytest.mark.parametrize(
    "header", ["x-request-id", "request-id", "apim-request-id", "mistral-correlation-id", "x-debug-trace-id", "cf-ray"]
)
def test_the_request_id_is_found(header: str) -> None:
    """Each provider has a header of its own for it."""
    assert read_failure(500, {header: "id-1"}, b"").request_id == "id-1"
    assert read(500, {"error": {}, "request_id": "id-2"}).request_id == "id-2"
    assert read(500, {"error": {}, "request_id": None}).request_id is None


# --- when to come back ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after-ms": "1234"}, 1.234),
        ({"retry-after-ms": "0", "retry-after": "1"}, 1.0),
        ({"retry-after-ms": "soon", "retry-after": "1"}, 1.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT", "date": "Wed, 21 Oct 2026 07:29:00 GMT"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "tomorrow"}, None),
        ({"retry-after": "Wed, 99 Oct 99999 07:28:30 +9999"}, None),
        ({}, None),
    ],
)
def test_pitfall_107_retry_after_is_read(headers: dict[str, str], seconds: float | None) -> None:
    """litellm#21553, aisix#144: seconds, a date (RFC 9110, §10.2.3), milliseconds. Never a number without end."""
    assert read_failure(429, headers, b"{}").retry_after == seconds


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Rate limit reached. Please try again in 7.66s. Visit …", 7.66),
        ("Please try again in 1m26.4s.", 86.4),
        ("Please try again in 2h3m4s", 7384.0),
        ("Please try again in 6m0s.", 360.0),
        ("Please try again in 250ms.", 0.25),
        ("Please retry in 34.074824224s.", 34.074824224),
        ("Please retry after 86400 seconds.", 86400.0),
        ("try again in 20 sec", 20.0),
        ("Try again in 5 minutes", 300.0),
        ("Try again in 1 minute and 30 seconds", 90.0),
        ("wait for 2 hours", 7200.0),
        ("Please try again in 2 days", 172_800.0),
        ("try again in 1 day and 3 hours", 97_200.0),
        ("Please try again in 1d2h3m", 93_780.0),
        ("Please retry shortly", None),
        ("Please retry your request with at most 3 steps", None),
        ("wait a moment; 5 stop sequences are allowed", None),
        ("If you created the deployment within the last 5 minutes, please wait a moment and try again.", None),
        ("try again in " + "9" * 400 + "s", None),
    ],
)
def test_the_time_to_wait_is_read_from_the_message(message: str, seconds: float | None) -> None:
    """OpenAI, Groq, Azure and Google write it in words."""
    found = read(429, {"error": {"message": message}}).retry_after
    assert found == pytest.approx(seconds) if seconds is not None else found is None


def test_the_time_to_wait_is_read_from_googles_retry_info() -> None:
    """google.rpc.RetryInfo in the error's details."""
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}]
    assert read(429, {"error": {"code": 429, "message": "m", "details": details}}).retry_after == 34.5
    assert read(429, [{"error": {"code": 429, "message": "m", "details": details}}]).retry_after == 34.5
    assert read(429, {"error": {"message": "m", "details": [{"retryDelay": "soon"}, None]}}).retry_after is None


# --- inside a 200 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "status", "kind"),
    [
        ({"error": {"message": "m", "code": 429}}, 429, Kind.RATE_LIMIT),
        ({"error": {"message": "m", "code": "502"}}, 502, Kind.SERVER),
        ({"error": {"message": "m", "status_code": 400}}, 400, Kind.BAD_REQUEST),
        ({"error": {"message": "m", "type": "overloaded_error"}}, 503, Kind.OVERLOADED),
        ({"error": {"message": "m", "type": "rate_limit_error"}}, 429, Kind.RATE_LIMIT),
        ({"error": {"message": "m", "code": "insufficient_quota"}}, 429, Kind.RATE_LIMIT),
        ({"error": {"message": "m", "type": "invalid_request_error"}}, 400, Kind.BAD_REQUEST),
        ({"error": {"message": "m"}}, 500, Kind.SERVER),
        ({"error": {"message": "m", "code": 200}}, 500, Kind.SERVER),
        ({"error": {"message": "m", "code": "²"}}, 500, Kind.SERVER),
        ({"error": {"message": "m", "code": "4" * 5000}}, 500, Kind.SERVER),
        ({"error": {"message": "m", "code": "content_filter"}}, 400, Kind.BLOCKED),
        ({"error": {"message": "m", "code": "context_length_exceeded"}}, 400, Kind.TOO_LARGE),
        ({"error": {"message": "m", "code": 500, "type": "content_filter"}}, 500, Kind.SERVER),
        ({"error": {"message": "m", "code": "content_filter", "type": "server_error"}}, 500, Kind.SERVER),
        ({"error": "m"}, 500, Kind.SERVER),
        ({"object": "error", "message": "m", "code": 404}, 404, Kind.NOT_FOUND),
        ({"success": False, "errors": [{"message": "m", "code": 3043}]}, 500, Kind.SERVER),
    ],
)
def test_an_error_inside_a_200_has_the_status_it_stands_for(payload: dict[str, Any], status: int, kind: Kind) -> None:
    """By its number, else by its type or code, else by its words, else 500."""
    assert reports_failure(payload)
    error = failure_inside_answer(payload)
    assert (error.message, error.status, error.kind) == ("m", status, kind)


@pytest.mark.parametrize(
    "answer", [{}, {"error": None}, {"error": {}}, {"object": "chat.completion"}, {"success": True}]
)
def test_an_answer_without_an_error_reports_none(answer: dict[str, Any]) -> None:
    """An empty `error` member is none."""
    assert not reports_failure(answer)


# --- anything at all ------------------------------------------------------------------------------------------------


@given(
    st.integers(300, 599), st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms", "date"]), st.text()), JSON
)
def test_any_error_body_can_be_read(status: int, headers: dict[str, str], body: Any) -> None:
    """Whatever the types inside, the outcome is an error that can be shown: a status, text, OpenAI's body."""
    raw = json.dumps(body).encode()
    shown(read_failure(status, headers, raw))
    if isinstance(body, dict):
        shown(failure_inside_answer(body))


@given(st.integers(300, 599), st.binary(max_size=100))
def test_any_bytes_can_be_read(status: int, body: bytes) -> None:
    """Bodies that are no JSON too."""
    shown(read_failure(status, {}, body))


def shown(error: UpstreamError) -> None:
    fields = json.loads(error.body())["error"]
    assert 400 <= error.status <= 599
    assert isinstance(fields["message"], str)
    assert fields["message"]
    assert isinstance(fields["code"], str)
    assert error.retry_after is None or 0 <= error.retry_after < float("inf")
