"""What a provider's error says, whatever shape it has: status, headers and body → UpstreamError.

Shapes seen: {"error": {"message", "type", "code", "param"}} (OpenAI and most), the same without a type (Azure, Gemini,
OpenRouter: numeric codes), {"error": "text", "code"} (xAI), {"message", "code"} (Cohere, Mistral), {"detail"}
(FastAPI hosts), {"errors": [{"message", "code"}]} (Cloudflare), a list with one of them in it (Gemini), HTML.
"""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from translators.errors import Kind, UpstreamError
from translators.jsontext import dumps, loads

MESSAGE_LIMIT = 4000

KIND_OF_STATUS = {
    401: Kind.CREDENTIALS,
    402: Kind.CREDENTIALS,
    403: Kind.CREDENTIALS,
    404: Kind.NOT_FOUND,
    407: Kind.CONNECT,  # not the provider: a proxy on the way to it wants other credentials
    408: Kind.TIMEOUT,
    413: Kind.TOO_LARGE,
    429: Kind.RATE_LIMIT,
    498: Kind.OVERLOADED,  # Groq's own: no capacity for this service tier (GroqCloud documentation, "API Error Codes")
    503: Kind.OVERLOADED,
    529: Kind.OVERLOADED,
}

CLIENT_STATUS = {407: 502, 529: 503}
"""What clients are told instead, where they would misunderstand the status or not know it."""

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
    r"content.?(policy|filter|management)|responsible.?ai|safety system|usage guidelines|input was flagged",
    re.IGNORECASE,
)
QUOTA = re.compile(r"insufficient.?(quota|balance|credit)|exceeded your current quota|credit balance", re.IGNORECASE)
INVALID_KEY = re.compile(r"api.?key not valid|invalid.?api.?key|incorrect api key|api_key_invalid", re.IGNORECASE)
NO_SUCH_MODEL = re.compile(
    r"model_not_found|model_decommissioned|invalid.model\b|model not exist"
    r"|\bmodel\b.{0,100}\b(does not exist|decommissioned)",
    re.IGNORECASE,
)
"""Some hosts answer 400 for a model that they do not have, or have no longer."""
DURATION = re.compile(
    r"(\d{1,9}(?:\.\d{1,9})?) ?(ms|s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?|d(?:ays?)?)(?![a-z])",
    re.IGNORECASE,
)
RETRY_IN_TEXT = re.compile(
    rf"\b(?:try again|retry|wait)\b\D{{0,20}}?((?:{DURATION.pattern},? ?(?:and )?)+)", re.IGNORECASE
)
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
RETRY_INFO = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")
REQUEST_ID_HEADERS = (
    "x-request-id",
    "request-id",  # Anthropic
    "apim-request-id",  # Azure
    "mistral-correlation-id",
    "x-debug-trace-id",  # Cohere
    "x-ds-trace-id",  # DeepSeek
    "x-generation-id",  # OpenRouter
    "cf-ray",  # whoever is behind Cloudflare
)
STATUS_CODE = re.compile(r"[45][0-9][0-9]")
CODE_WORD = re.compile(r"[\w.-]{1,64}")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What no message may hold: a terminal, or a log, would obey it."""
MOST_UNREADABLE = 0.1
"""What part of a text may be control characters and bytes that are no UTF-8."""


def read_failure(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """The failure of an answer whose status is not 2xx. Header names are in lower case."""
    try:
        payload = loads(body)
    except ValueError:
        payload = None
    fields = error_fields(payload)
    html = payload is None and body.lstrip()[:1] == b"<"
    if not fields["message"]:
        fields["message"] = ("" if html else readable_text(body)) or wordless(status, body, html=html)
    wait = retry_after(headers)
    return make_failure(
        status,
        fields,
        retry_after=retry_delay(payload, fields["message"]) if wait is None else wait,
        request_id=request_id(headers, payload),
        client_status=502 if html else None,
    )


def failure_inside_answer(payload: Mapping[str, Any]) -> UpstreamError:
    """The failure of an error object inside a 200: its own code or type tells the status that it stands for."""
    fields = error_fields(payload)
    named = STATUS_OF_TYPE.get(str(fields["type"])) or STATUS_OF_TYPE.get(str(fields["code"]))
    codes = (str(fields["code"]), str(fields["status"]))
    numeric = [int(code) for code in codes if STATUS_CODE.fullmatch(code)]
    words = words_of(fields)
    refused = CONTEXT_LENGTH.search(words) or BLOCKED.search(words)  # Not the provider's fault.
    fields["message"] = fields["message"] or "The provider reported an error inside its answer."
    return make_failure(
        numeric[0] if numeric else named or (400 if refused else 500),
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
    code, type_ = openai_code(kind, status, fields, retry_after)
    if client_status is None:
        client_status = CLIENT_STATUS.get(status, status if 400 <= status <= 599 else 502)
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
    words = words_of(fields)
    if status in (400, 422) and CONTEXT_LENGTH.search(words):
        return Kind.TOO_LARGE
    if status in (400, 403) and BLOCKED.search(words):
        return Kind.BLOCKED
    if status == 400 and INVALID_KEY.search(words):
        return Kind.CREDENTIALS
    if status == 400 and QUOTA.search(words):
        return Kind.RATE_LIMIT
    if status == 400 and NO_SUCH_MODEL.search(words):
        return Kind.NOT_FOUND
    if status in KIND_OF_STATUS:
        return KIND_OF_STATUS[status]
    return Kind.BAD_REQUEST if 400 <= status < 500 else Kind.SERVER


def openai_code(kind: Kind, status: int, fields: Mapping[str, Any], retry_after: float | None) -> tuple[str, str]:
    """OpenAI's `code` and `type` for a failure; a provider's own code is kept where OpenAI has no word for it."""
    own = fields["code"] if isinstance(fields["code"], str) and not fields["code"].isdigit() else ""
    own = own if CODE_WORD.fullmatch(own) else ""  # xAI's codes are sentences.
    match kind:
        case Kind.RATE_LIMIT:
            # A quota that comes back by itself (Gemini's per minute) is a rate limit.
            spent = retry_after is None and QUOTA.search(words_of(fields))
            return "insufficient_quota" if spent else "rate_limit_exceeded", "rate_limit_error"
        case Kind.TOO_LARGE:
            return "request_too_large" if status == 413 else "context_length_exceeded", "invalid_request_error"
        case Kind.BLOCKED:
            return "content_filter", "invalid_request_error"
        case Kind.NOT_FOUND:
            return own or "model_not_found", "invalid_request_error"
        case Kind.CREDENTIALS:
            if status == 402:
                return "insufficient_quota", "authentication_error"
            return "permission_denied" if status == 403 else "invalid_api_key", "authentication_error"
        case Kind.OVERLOADED:
            return "overloaded", "server_error"
        case Kind.BAD_REQUEST:
            return own or "invalid_request_error", "invalid_request_error"
        case _:
            return own or "server_error", "server_error"


def words_of(fields: Mapping[str, Any]) -> str:
    """Everything in which a provider may name the reason."""
    return f"{fields['type']} {fields['code']} {fields['message']}"


# --- reading the pieces ---------------------------------------------------------------------------------------


def reports_failure(answer: Mapping[str, Any]) -> bool:
    """Whether an object inside a 200 is an error: `error` (most), `object: error` (vLLM, Mistral), `success: false`
    (Cloudflare)."""
    return bool(answer.get("error")) or answer.get("object") == "error" or answer.get("success") is False


def error_fields(payload: Any) -> dict[str, Any]:
    """message, type, code, param and status of an error object, whatever its shape; absent ones are None or ""."""
    if isinstance(payload, list):
        payload = payload[0] if payload else None
    found: dict[str, Any] = {"message": "", "type": None, "code": None, "param": None, "status": None}
    if not isinstance(payload, Mapping):
        return found
    inner = payload.get("error")
    errors = payload.get("errors")
    if not inner and isinstance(errors, list) and errors:
        inner = errors[0]
    source = inner if isinstance(inner, Mapping) else payload
    for name in ("type", "code", "param"):
        found[name] = source.get(name)
    found["status"] = source.get("status_code") or source.get("status")
    message = inner if isinstance(inner, str) else source.get("message") or source.get("detail") or ""
    found["message"] = message if isinstance(message, str) else dumps(message).decode()
    nested = nested_message(source.get("metadata"))
    if nested:
        found["message"] = f"{found['message']}: {nested}"
    found["message"] = CONTROL.sub("", found["message"])
    return found


def wordless(status: int, body: bytes, *, html: bool) -> str:
    """What is said of an answer that says nothing itself."""
    if html:
        return f"The provider answered with status {status} and an HTML page."
    return f"The provider answered with status {status}" + (" and bytes that are no text." if body.strip() else ".")


def readable_text(body: bytes) -> str:
    """A body that is no JSON as text, as far as a message may be long; empty if it is none."""
    text = body.decode("utf-8", "replace").strip()[:MESSAGE_LIMIT]
    readable = CONTROL.sub("", text)
    unreadable = len(text) - len(readable) + readable.count("\ufffd")
    return readable if unreadable <= len(text) * MOST_UNREADABLE else ""


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
    milliseconds = number_in(headers.get("retry-after-ms", ""))
    if milliseconds:  # Azure sends 0 beside a `retry-after` of 1.
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    seconds = number_in(value)
    if seconds is not None:
        return seconds
    until, now = http_date(value), http_date(headers.get("date", ""))
    return max(0.0, (until - now).total_seconds()) if until and now else None


def number_in(value: str) -> float | None:
    """A header's number, at least 0; None if it is none."""
    try:
        number = float(value)
    except ValueError:
        return None
    return max(0.0, number) if math.isfinite(number) else None


def http_date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
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
        seconds = RETRY_INFO.fullmatch(delay) if isinstance(delay, str) else None
        if seconds:
            return float(seconds[1])
    found = RETRY_IN_TEXT.search(message)
    if not found:
        return None
    pieces = DURATION.findall(found[1])
    return sum(float(value) * SECONDS["ms" if unit.lower() == "ms" else unit[0].lower()] for value, unit in pieces)


def request_id(headers: Mapping[str, str], payload: Any) -> str | None:
    """The provider's id of the request, for its support."""
    for name in REQUEST_ID_HEADERS:
        if headers.get(name):
            return headers[name]
    found = payload.get("request_id") if isinstance(payload, Mapping) else None
    return found if isinstance(found, str) else None
