"""What the client gets that is no stream: whole answers, and errors that are not one provider's."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from balancing.plan import Attempt
from translators.errors import Kind, UpstreamError, WireError
from translators.jsontext import dumps


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer to the client."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class AttemptRecord:
    """What became of one attempt; times are on the exchange's clock, in seconds."""

    attempt: Attempt
    url: str
    started: float
    ended: float = 0.0
    first_output: float | None = None
    status: int | None = None
    error: UpstreamError | None = None
    cancelled: bool = False
    """The client went away, or another attempt was quicker."""
    is_hedge: bool = False
    """Begun beside another one that was silent."""
    answer: bytes = b""

    @property
    def milliseconds(self) -> int:
        return round((self.ended - self.started) * 1000)


def json_reply(value: Mapping[str, object]) -> Reply:
    return Reply(200, {"content-type": "application/json"}, dumps(value))


def error_reply(error: WireError, **extra: object) -> Reply:
    headers = {"content-type": "application/json", **error.headers}
    return Reply(error.status, headers, error.body(**extra))


def last_error(failed: Sequence[AttemptRecord]) -> UpstreamError:
    """Attempts beside each other fail in another order than they began; one that an engine could not say at all tells
    the client nothing about those that were sent."""
    errors = [record.error for record in sorted(failed, key=lambda record: record.ended) if record.error]
    return next((error for error in reversed(errors) if error.kind is not Kind.UNSUITABLE), errors[-1])


def refusal(records: Sequence[AttemptRecord]) -> Reply:
    """The error that ends the request: that of the attempt that failed last, of those that were sent; unless the fault
    is the gateway's own keys."""
    failed = [record for record in records if record.error]
    if not failed:
        return error_reply(
            WireError(
                503,
                "No provider is available for this model just now.",
                type="server_error",
                code="no_channel_available",
            )
        )
    last = last_error(failed)
    error: WireError = last
    if last.kind is Kind.CREDENTIALS:
        error = WireError(
            502,
            "The providers of this model refused the gateway's credentials; its operator has to mend them.",
            type="server_error",
            code="upstream_credentials_rejected",
        )
    if last.retry_after is not None:
        error.headers["retry-after"] = str(max(1, math.ceil(last.retry_after)))
    if last.request_id:
        error.headers["x-uniapi-upstream-request-id"] = last.request_id
    attempts = [
        {
            "provider": record.attempt.channel.provider.name,
            "model": record.attempt.channel.model.upstream,
            "status": record.status,
            "ms": record.milliseconds,
            "reason": record.error.kind.value,
        }
        for record in failed
        if record.error
    ]
    return error_reply(error, attempts=attempts)


def loaded_anew() -> WireError:
    """To a connection whose layers an earlier load of the script has made, which this one cannot serve."""
    return WireError(
        503,
        "The gateway was loaded anew; connect again.",
        type="server_error",
        code="server_error",
        headers={"connection": "close"},
    )


def internal_error() -> WireError:
    """A mistake of the gateway's own."""
    return WireError(
        500, "The gateway failed on this request; its log says more.", type="server_error", code="internal_error"
    )
