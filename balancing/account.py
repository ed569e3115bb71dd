"""What became of a request, as plain data without secrets: for the flow, the log and the statistics."""

import time
from dataclasses import dataclass
from typing import Any

from balancing.exchange import Exchange
from balancing.replies import AttemptRecord
from translators.errors import WireError
from translators.types import Usage


@dataclass(frozen=True, slots=True)
class Visit:
    """What is known of a request whatever became of it. `time` is Unix time, `client` no secret, `status` what the
    client got, `refusal` why the gateway itself did not serve it, `stopped` whether a person or another script did."""

    time: float
    endpoint: str
    client: str
    ip: str
    status: int | None
    refusal: WireError | None
    stopped: bool = False

    def account(self) -> dict[str, Any]:
        return {
            "time": self.time,
            "endpoint": self.endpoint,
            "client": self.client,
            "ip": self.ip,
            "status": self.status,
            "refused": self.refusal.code if self.refusal else None,
            "flagged": self.refusal is not None and self.refusal.code == "content_policy_violation",
            "stopped": self.stopped,
        }


def refused_account(visit: Visit) -> dict[str, Any]:
    """Of a request that no provider was to see."""
    return visit.account() | {
        "asked": "",
        "stream": False,
        "outcome": "error" if visit.status else "cancelled",
        "hedged": False,
        "provider": None,
        "model": None,
        "total_ms": round((time.time() - visit.time) * 1000),
        "first_output_ms": None,
        **tokens_of(None),
        "attempts": [],
        "dropped": [],
    }


def account_of(exchange: Exchange, visit: Visit) -> dict[str, Any]:
    """Of a request that was to be served; times in milliseconds."""
    winner = exchange.winner
    served = winner.record if winner else None
    return visit.account() | {
        "asked": writable(exchange.asked),
        "stream": exchange.request.stream,
        "outcome": outcome_of(exchange),
        "hedged": any(one.is_hedge for one in exchange.records),
        "provider": served.attempt.channel.provider.name if served else None,
        "model": served.attempt.channel.model.upstream if served else None,
        "total_ms": round((exchange.clock() - exchange.started) * 1000),
        "first_output_ms": first_output_ms(served, exchange.started) if served else None,
        **tokens_of(winner.usage if winner else None),
        "attempts": [attempt_account(record) for record in exchange.records],
        "dropped": [{"field": writable(note.field), "reason": writable(note.reason)} for note in exchange.notes],
    }


def tokens_of(usage: Usage | None) -> dict[str, int | None]:
    return {
        "prompt_tokens": usage.prompt if usage else None,
        "completion_tokens": usage.completion if usage else None,
        "cached_tokens": usage.cached if usage else None,
        "reasoning_tokens": usage.reasoning if usage else None,
    }


def outcome_of(exchange: Exchange) -> str:
    """ok, error, broken (after output began) or cancelled (the client went away)."""
    if exchange.client_left:
        return "cancelled"
    if exchange.winner is None:
        return "error"
    return "broken" if exchange.winner.record.error else "ok"


def first_output_ms(record: AttemptRecord, since: float) -> int | None:
    return None if record.first_output is None else round((record.first_output - since) * 1000)


def attempt_account(record: AttemptRecord) -> dict[str, Any]:
    attempt, error = record.attempt, record.error
    return {
        "provider": attempt.channel.provider.name,
        "engine": attempt.channel.engine,
        "model": attempt.channel.model.upstream,
        "alias": attempt.channel.model.alias,
        "base_url": (attempt.channel.provider.base_url or "").partition("?")[0],  # A key may stand behind it.
        "tools": attempt.channel.provider.tools,
        "image": attempt.channel.provider.image,
        "key": attempt.key.masked if attempt.key else "",
        "url": record.url,
        "status": record.status,
        "ms": record.milliseconds,
        "first_output_ms": first_output_ms(record, record.started),
        "cancelled": record.cancelled,
        "error": error.kind.value if error else None,
        "message": writable(error.message) if error else None,
        "answer": record.answer if error else b"",
    }


def writable(text: str) -> str:
    """A client's or a provider's text without halves of surrogate pairs, which no file can hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
