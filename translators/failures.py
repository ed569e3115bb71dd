"""What a provider's error says, whatever shape it has: status, headers and body → UpstreamError.

Shapes seen: {"error": {"message", "type", "code", "param"}} (OpenAI and most), the same without a type (Azure, Gemini,
OpenRouter: numeric codes), {"error": "text", "code"} (xAI), {"message", "code"} (Cohere, Mistral), {"detail"}
(FastAPI hosts), {"errors": [{"message", "code"}]} (Cloudflare), a list with one of them in it (Gemini), HTML.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from translators.errors import Kind, UpstreamError
from translators.jsontext import loads

MESSAGE_LIMIT = 4000

KIND_OF_STATUS = {
    401: Kind.CREDENTIALS,
    402: Kind.CREDENTIALS,
    403: Kind.CREDENTIALS,
    404: Kind.NOT_FOUND,
    408: Kind.TIMEOUT,
    413: Kind.TOO_LARGE,
    429: Kind.RATE_LIMIT,
    503: Kind.OVERLOADED,
    529: Kind.OVERLOADED,
}

STATUS_OF_TYPE = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "api_error": 500,
    "server_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""Error types that errors inside a 200 name instead of a status (Anthropic API reference, "Errors"; OpenAI's own)."""

CONTEXT_LENGTH = re.compile(
    r"context.?(length|window)|maximum context|prompt is too long|input is too long|too many (input )?tokens"
    r"|exceeds? the (maximum|model).{0,40}tokens|input token count .{0,40}exceeds",
    re.IGNORECASE,
)
BLOCKED = re.compile(
    r"content.?(policy|filter|management)|responsibleai|safety system|usage guidelines", re.IGNORECASE
)
QUOTA = re.compile(
    r"insufficient.?(quota|balance|credit)|exceeded your current quota|credit balance", re.IGNORECASE
)
INVALID_KEY = re.compile(
    r"api.?key not valid|invalid.?api.?key|incorrect api key|api_key_invalid", re.IGNORECASE
)
RETRY_IN_TEXT = re.compile(
    r"(?:try again|retry|wait)\D{0,20}?(?:(\d+)h)?(?:(\d+)m(?!s))?(\d+(?:\.\d+)?)\s*(ms|s)", re.IGNORECASE
)


def read_failure(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """The failure of an answer whose status is not 2xx. Header names are in lower case."""
    try:
        payload = loads(body)
    except ValueError:
        payload = None
    fields = error_fields(payload)
    html = payload is None and body.lstrip()[:1] == b"<"
    if not fields["message"]:
        text = "" if html else body.decode("utf-8", "replace").strip()
        fields["message"] = text or f"The provider answered with status {status}" + (
            " and an HTML page." if html else "."
        )
    return make_failure(
        status,
        fields,
        retry_after=retry_after(headers) or retry_delay(payload, fields["message"]),
        request_id=request_id(headers, payload),
        client_status=502 if html else None,
    )


def failure_inside_answer(payload: Mapping[str, Any]) -> UpstreamError:
    """The failure of an error object inside a 200: its own code or type tells the status that it stands for."""
    fields = error_fields(payload)
    named = STATUS_OF_TYPE.get(str(fields["type"])) or STATUS_OF_TYPE.get(str(fields["code"]))
    codes = (fields["code"], fields["status"])
    numeric = [int(code) for code in codes if str(code).isdigit() and 400 <= int(code) <= 599]
    fields["message"] = fields["message"] or "The provider reported an error inside its answer."
    return make_failure(
        numeric[0] if numeric else named or 500,
        fields,
        retry_after=retry_delay(payload, fields["message"]),
        request_id=request_id({}, payload),
    )


def make_failure(
    status: int,
    fields: Mapping[str, Any],
    *,
    retry_after: float | None = None,
    request_id: str | None = None,
    client_status: int | None = None,
) -> UpstreamError:
    """An UpstreamError with OpenAI's type and code for it."""
    kind = kind_of(status, fields)
    code, type_ = openai_code(kind, status, fields)
    if client_status is None:
        client_status = 503 if status == 529 else status if 400 <= status <= 599 else 502
    return UpstreamError(
        kind,
        fields["message"][:MESSAGE_LIMIT],
        status=client_status,
        upstream_status=status,
        type=type_,
        code=code,
        param=fields["param"] if isinstance(fields["param"], str) else None,
        retry_after=retry_after,
        request_id=request_id,
    )


def kind_of(status: int, fields: Mapping[str, Any]) -> Kind:
    words = f"{fields['type']} {fields['code']} {fields['message']}"
    if status in (400, 422) and CONTEXT_LENGTH.search(words):
        return Kind.TOO_LARGE
    if status in (400, 403) and BLOCKED.search(words):
        return Kind.BLOCKED
    if status == 400 and INVALID_KEY.search(words):
        return Kind.CREDENTIALS
    if status == 400 and QUOTA.search(words):
        return Kind.RATE_LIMIT
    if status in KIND_OF_STATUS:
        return KIND_OF_STATUS[status]
    return Kind.BAD_REQUEST if 400 <= status < 500 else Kind.SERVER


def openai_code(kind: Kind, status: int, fields: Mapping[str, Any]) -> tuple[str, str]:
    """OpenAI's `code` and `type` for a failure; a provider's own code is kept where OpenAI has no word for it."""
    own = fields["code"] if isinstance(fields["code"], str) and not fields["code"].isdigit() else None
    match kind:
        case Kind.RATE_LIMIT:
            words = f"{fields['type']} {fields['code']} {fields['message']}"
            return (
                "insufficient_quota" if QUOTA.search(words) else "rate_limit_exceeded"
            ), "rate_limit_error"
        case Kind.TOO_LARGE:
            return (
                "request_too_large" if status == 413 else "context_length_exceeded"
            ), "invalid_request_error"
        case Kind.BLOCKED:
            return "content_filter", "invalid_request_error"
        case Kind.NOT_FOUND:
            return own or "model_not_found", "invalid_request_error"
        case Kind.CREDENTIALS:
            return "invalid_api_key" if status == 401 else "permission_denied", "authentication_error"
        case Kind.OVERLOADED:
            return "overloaded", "server_error"
        case Kind.BAD_REQUEST:
            return own or "invalid_request_error", "invalid_request_error"
        case _:
            return own or "server_error", "server_error"


# --- reading the pieces ---------------------------------------------------------------------------------------


def error_fields(payload: Any) -> dict[str, Any]:
    """message, type, code, param and status of an error object, whatever its shape; absent ones are None or ""."""
    if isinstance(payload, list):
        payload = payload[0] if payload else None
    found: dict[str, Any] = {"message": "", "type": None, "code": None, "param": None, "status": None}
    if not isinstance(payload, Mapping):
        return found
    inner = payload.get("error")
    errors = payload.get("errors")
    if isinstance(inner, str):
        found["message"] = inner
    elif isinstance(errors, list) and errors and isinstance(errors[0], Mapping):
        inner = errors[0]
    source = inner if isinstance(inner, Mapping) else payload
    for name in ("type", "code", "param"):
        found[name] = source.get(name)
    found["status"] = source.get("status_code") or source.get("status")
    message = found["message"] or source.get("message") or source.get("detail") or ""
    found["message"] = message if isinstance(message, str) else str(message)
    nested = nested_message(source.get("metadata"))
    if nested:
        found["message"] = f"{found['message']}: {nested}"
    return found


def nested_message(metadata: Any) -> str:
    """The message of the provider behind a router, which OpenRouter hands on as text in `metadata.raw`."""
    raw = metadata.get("raw") if isinstance(metadata, Mapping) else None
    if not isinstance(raw, str):
        return ""
    try:
        return str(error_fields(loads(raw))["message"]) or raw
    except ValueError:
        return raw


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by the headers: `retry-after-ms`, or `retry-after` in seconds or as a date (RFC 9110, §10.2.3),
    the latter measured against the answer's own `date`."""
    try:
        milliseconds = float(headers.get("retry-after-ms", ""))
        if milliseconds > 0:
            return milliseconds / 1000
    except ValueError:
        pass
    value = headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    until, now = http_date(value), http_date(headers.get("date", ""))
    return max(0.0, (until - now).total_seconds()) if until and now else None


def http_date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return date if date.tzinfo else None


def retry_delay(payload: Any, message: str) -> float | None:
    """Seconds to wait by the body: Google's RetryInfo ("retryDelay": "34s"), or words like "try again in 7.66s"."""
    if isinstance(payload, list):
        payload = payload[0] if payload else None
    error = payload.get("error") if isinstance(payload, Mapping) else None
    details = error.get("details") if isinstance(error, Mapping) else None
    for detail in details if isinstance(details, list) else ():
        delay = detail.get("retryDelay") if isinstance(detail, Mapping) else None
        if isinstance(delay, str) and re.fullmatch(r"\d+(\.\d+)?s", delay):
            return float(delay[:-1])
    found = RETRY_IN_TEXT.search(message)
    if not found:
        return None
    hours, minutes, value, unit = found.groups()
    seconds = float(value) / (1000 if unit.lower() == "ms" else 1)
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + seconds


def request_id(headers: Mapping[str, str], payload: Any) -> str | None:
    """The provider's id of the request, for its support."""
    for name in ("x-request-id", "request-id", "apim-request-id", "cf-ray", "x-goog-request-id"):
        if headers.get(name):
            return headers[name]
    found = payload.get("request_id") if isinstance(payload, Mapping) else None
    return found if isinstance(found, str) else None
