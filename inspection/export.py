"""One exchange as JSON, for tests: what the client sent and got, what the provider got and answered; no secrets.

The provider's side stands on the outside, in the form of recordings of a provider's traffic; the client's beside it:

    {"id", "provider", "engine", "model", "kind", "endpoint", "stream",
     "request": {"method", "url", "headers", "body"},
     "response": {"status", "headers", "body" | "sse" | "text"},
     "client": {"request": {…}, "response": {…}}}

`body` is parsed JSON, `sse` a stream's text as it came, `text` any other text. Where there is more, `cut` says how many
bytes; binary data is left out, and `binary` says how many bytes it had. Where no provider answered, `response` is null;
where none was asked, so is `request`.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from mitmproxy import http

from inspection.views.record import (
    Kept,
    account_of,
    attempts_of,
    client_message,
    endpoint_of,
    nobody_was_asked,
    own_message,
    provider_message,
    record_of,
    response_cut,
)
from translators.jsontext import loads, text_in

SHOWN_HEADERS = ("content-type", "accept", "retry-after", "request-id", "x-request-id")
SHOWN_ENDINGS = ("-version", "-beta")
"""What headers are exported by: any other may be a secret of its own, as a provider's `headers` are."""
SHOWN_PARAMETERS = ("alt", "api-version")
"""And parameters of a URL."""


def exported(flow: http.HTTPFlow) -> bytes:
    """The exchange of a flow of ours, as a file in UTF-8."""
    record = record_of(flow) or {}
    account = account_of(record)
    endpoint = endpoint_of(record)
    served: Mapping[str, Any] = next(
        (one for one in attempts_of(record) if not one.get("error") and not one.get("cancelled")), {}
    )
    exchange = {
        "id": flow.id,
        "provider": text_in(account.get("provider")) or None,
        "engine": text_in(served.get("engine")) or None,
        "model": text_in(account.get("model")) or None,
        "kind": kind_of(endpoint),
        "endpoint": endpoint,
        "stream": bool(account.get("stream")),
        "request": None if nobody_was_asked(flow, record) else request_of(own_message(flow.request)),
        "response": response_of(provider_message(record)),
        "client": {
            "request": request_of(client_message(flow, record)),
            "response": response_of(own_message(flow.response, response_cut(flow)) if flow.response else None),
        },
    }
    try:
        text = json.dumps(exchange, ensure_ascii=False, indent=1)
    except RecursionError:  # Before Python 3.13, JSON with indentation is not written as deep as it is read.
        text = json.dumps(exchange, ensure_ascii=False)
    return f"{text}\n".encode("utf-8", "backslashreplace")  # Halves of surrogate pairs, as JSON escapes them too.


def kind_of(endpoint: str) -> str:
    """`/v1/chat/completions` → chat, `/v1/embeddings` → embeddings."""
    parts = endpoint.strip("/").split("/")[1:]
    return parts[0] if parts else ""


def request_of(message: Kept | None) -> dict[str, Any] | None:
    if message is None:
        return None
    method, _, url = message.start.partition(" ")
    return {"method": method, "url": without_query(url), "headers": shown(message.headers), **content_of(message)}


def response_of(message: Kept | None) -> dict[str, Any] | None:
    if message is None:
        return None
    status = int(message.start.partition(" ")[0])
    return {"status": status, "headers": shown(message.headers), **content_of(message)}


def without_query(url: str) -> str:
    """The URL without parameters that might be a key."""
    address, _, query = url.partition("#")[0].partition("?")
    kept = [pair for pair in query.split("&") if pair.partition("=")[0] in SHOWN_PARAMETERS]
    return f"{address}?{'&'.join(kept)}" if kept else address


def shown(headers: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    named = ((name.lower(), value) for name, value in headers)
    return {name: value for name, value in named if name in SHOWN_HEADERS or name.endswith(SHOWN_ENDINGS)}


def content_of(message: Kept) -> dict[str, Any]:
    """The body, as what it is."""
    content: dict[str, Any] = {"cut": message.cut} if message.cut else {}
    try:
        text = message.body.decode()
    except UnicodeDecodeError:
        return content | {"binary": len(message.body)}
    if "event-stream" in message.content_type:
        return content | {"sse": text}
    try:
        return content | {"body": loads(text) if text else None}
    except ValueError:
        return content | {"text": text}
