"""Errors of the wire, as data and as exceptions.

The tree:

    WireError                   can be shown to a client in OpenAI's form
    ├── RequestError            the client's request cannot be served as it stands
    │   └── UntranslatableError     … by this engine; another one might
    └── UpstreamError           a provider's attempt failed; `kind` decides what happens next

OpenAI's error body: {"error": {"message", "type", "param", "code"}} (OpenAI API reference, "Error codes").
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from translators.jsontext import dumps


class Kind(Enum):
    """Why an attempt failed; balancing decides by it what to try next and what to cool down."""

    CONNECT = "connect"  # no connection, TLS or DNS failed
    CLOSED = "closed"  # the connection ended before the answer did
    TIMEOUT = "timeout"  # no output in time, or silence between two pieces of it
    SERVER = "server"  # 5xx, an error event inside a 200
    OVERLOADED = "overloaded"  # 529, 503: come back later
    EMPTY = "empty"  # a 200 without an answer in it
    MALFORMED = "malformed"  # a 200 that is not the provider's format
    RATE_LIMIT = "rate_limit"  # 429, quota
    CREDENTIALS = "credentials"  # 401, 402, 403: this key is of no use
    NOT_FOUND = "not_found"  # 404: not this model, not this URL
    TOO_LARGE = "too_large"  # 413, context length exceeded
    BAD_REQUEST = "bad_request"  # other 4xx: the client's own fault
    BLOCKED = "blocked"  # the provider's safety filter refused the prompt
    UNSUITABLE = "unsuitable"  # the request asks for what this engine cannot say; never sent
    INTERNAL = "internal"  # a bug of ours while translating


class WireError(Exception):
    """An error with everything OpenAI's error body holds.

    `status` is the HTTP status for the client. `headers` are sent along (`retry-after` in seconds).
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.type = type
        self.code = code
        self.param = param
        self.headers = dict(headers or {})

    def body(self, **extra: Any) -> bytes:
        """OpenAI's error body; `extra` members stand beside the message."""
        return dumps({"error": self.fields() | extra})

    def fields(self) -> dict[str, Any]:
        """The members of OpenAI's `error` object."""
        return {"message": self.message, "type": self.type, "param": self.param, "code": self.code}


class RequestError(WireError):
    """The client's request is wrong: 400 unless said otherwise, never retried."""

    def __init__(self, message: str, *, param: str | None = None, status: int = 400, code: str | None = None) -> None:
        super().__init__(
            status, message, type="invalid_request_error", code=code or "invalid_request_error", param=param
        )


class UntranslatableError(RequestError):
    """The request asks for something that this engine's wire cannot say."""


class UpstreamError(WireError):
    """One attempt at a provider failed.

    `status` is the status for the client, `upstream_status` the provider's own (None when there was none).
    `retry_after` is in seconds; `request_id` the provider's id of the request.
    """

    def __init__(
        self,
        kind: Kind,
        message: str,
        *,
        status: int = 502,
        upstream_status: int | None = None,
        type: str = "server_error",
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(status, message, type=type, code=code, param=param)
        self.kind = kind
        self.upstream_status = upstream_status
        self.retry_after = retry_after
        self.request_id = request_id
