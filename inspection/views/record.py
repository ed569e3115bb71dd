"""What the gateway keeps of a request in `flow.metadata["uniapi"]`, read without trusting it: it may come from a file.

    client    what the client sent: method, path, headers, body, cut (how many bytes of the body were not kept)
    provider  what the provider answered to the attempt that served: status, headers, body, cut
    account   what became of the request, see balancing/account.py

Each may be absent: while the flow is still on, for a request that no provider saw (the flow's own is the client's;
one that was not for a provider, GET /v1/models say, has no account at its end either), in a file of an older version.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mitmproxy import http
from mitmproxy.flow import Flow
from mitmproxy.net.http import status_codes

from translators.jsontext import count_in, object_in, objects_in, text_in

KEY = "uniapi"
CUT_KEY = "uniapi_response_cut"
"""Where the number of bytes stands that a streamed answer had beyond those that are kept of it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A message that is kept beside the flow's own two. `start` is its first line; `cut`: bytes of its body that were
    not kept."""

    start: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    cut: int

    @property
    def content_type(self) -> str:
        return next((value for name, value in self.headers if name.lower() == "content-type"), "")


def record_of(flow: Flow | None) -> dict[str, Any] | None:
    """What is kept with a flow; None for a flow that is not the gateway's."""
    record = flow.metadata.get(KEY) if flow is not None else None
    return record if isinstance(record, dict) else None


def client_message(flow: http.HTTPFlow, record: Mapping[str, Any]) -> Kept | None:
    """What the client sent; None where nobody knows any more."""
    client = object_in(record.get("client"))
    if client:
        return kept(client, f"{text_in(client.get('method'))} {text_in(client.get('path'))}")
    return own_message(flow.request) if nobody_was_asked(flow, record) else None


def own_message(message: http.Message, cut: int = 0) -> Kept:
    """One of the two messages that a flow has itself; `cut`: bytes of its body that were not kept."""
    if isinstance(message, http.Request):
        start = f"{message.method} {message.url}"
    else:
        assert isinstance(message, http.Response)
        start = f"{message.status_code} {message.reason}"
    headers = tuple((decoded(name), decoded(value)) for name, value in message.headers.fields)
    return Kept(start, headers, message.get_content(strict=False) or b"", cut)


def response_cut(flow: Flow) -> int:
    """How many bytes of a long stream the flow's response lacks."""
    return count_in(flow.metadata.get(CUT_KEY))


def provider_message(record: Mapping[str, Any]) -> Kept | None:
    """What the provider answered."""
    provider = object_in(record.get("provider"))
    return kept(provider, status_line(count_in(provider.get("status")))) if provider else None


def status_line(status: int) -> str:
    """`500 Internal Server Error`."""
    return f"{status} {status_codes.RESPONSES.get(status, '')}".rstrip()


def kept(raw: Mapping[str, Any], start: str) -> Kept:
    pairs = raw.get("headers")
    return Kept(
        start,
        tuple(
            (decoded(pair[0]), decoded(pair[1]))
            for pair in (pairs if isinstance(pairs, list | tuple) else ())
            if isinstance(pair, list | tuple) and len(pair) == 2
        ),
        bytes_in(raw.get("body")),
        count_in(raw.get("cut")),
    )


def account_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """What became of the request; empty while nobody knows."""
    return object_in(record.get("account"))


def attempts_of(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The attempts, in their order."""
    attempts = account_of(record).get("attempts")
    return objects_in(list(attempts) if isinstance(attempts, list | tuple) else None)


def nobody_was_asked(flow: http.HTTPFlow, record: Mapping[str, Any]) -> bool:
    """Whether the request is over, and never went to a provider."""
    if account_of(record):
        return not any(attempt.get("url") for attempt in attempts_of(record))
    return has_whole_response(flow)  # With a provider's answer there would be an account.


def is_open(flow: http.HTTPFlow, record: Mapping[str, Any]) -> bool:
    """Whether nothing says what became of the request: it is still on, or it was when the flow was saved."""
    return not account_of(record) and not has_whole_response(flow)


def has_whole_response(flow: http.HTTPFlow) -> bool:
    """Whether the flow's response is more than the head of a stream, whose body is kept at its end."""
    return flow.response is not None and "content-length" in flow.response.headers


def endpoint_of(record: Mapping[str, Any]) -> str:
    """The endpoint that was asked for: `/v1/chat/completions`."""
    named = text_in(account_of(record).get("endpoint"))
    return named or text_in(object_in(record.get("client")).get("path")).partition("?")[0].rstrip("/")


def bytes_in(value: Any) -> bytes:
    """The value if it is bytes, else none."""
    return value if isinstance(value, bytes) else b""


def decoded(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else text_in(value)
