"""What became of a request, as plain data without secrets: for the flow, the log and the statistics."""

from typing import Any

from balancing.exchange import Exchange
from balancing.replies import AttemptRecord


def account_of(exchange: Exchange) -> dict[str, Any]:
    """The whole request; times in milliseconds."""
    last = exchange.records[-1] if exchange.records else None
    served = last if last and (exchange.committed or not (last.error or last.cancelled)) else None
    usage = exchange.usage
    return {
        "asked": exchange.asked,
        "stream": exchange.request.stream,
        "outcome": outcome_of(exchange),
        "provider": served.attempt.channel.provider.name if served else None,
        "model": served.attempt.channel.model.upstream if served else None,
        "total_ms": round((exchange.clock() - exchange.started) * 1000),
        "first_output_ms": round((served.first_output - exchange.started) * 1000)
        if served and served.first_output
        else None,
        "prompt_tokens": usage.prompt if usage else None,
        "completion_tokens": usage.completion if usage else None,
        "cached_tokens": usage.cached if usage else None,
        "reasoning_tokens": usage.reasoning if usage else None,
        "attempts": [attempt_account(record) for record in exchange.records],
        "dropped": [{"field": note.field, "reason": note.reason} for note in exchange.notes],
    }


def outcome_of(exchange: Exchange) -> str:
    """ok, error, broken (after output began) or cancelled (the client went away)."""
    last = exchange.records[-1] if exchange.records else None
    if last and last.cancelled:
        return "cancelled"
    if exchange.reply is not None and exchange.reply.status >= 400:
        return "error"
    if last and last.error:
        return "broken" if exchange.committed else "error"
    return "ok"


def attempt_account(record: AttemptRecord) -> dict[str, Any]:
    attempt, error = record.attempt, record.error
    return {
        "provider": attempt.channel.provider.name,
        "model": attempt.channel.model.upstream,
        "key": attempt.key.masked if attempt.key else "",
        "url": record.url,
        "status": record.status,
        "ms": record.milliseconds,
        "error": error.kind.value if error else None,
        "message": error.message if error else None,
        "answer": record.answer if error else b"",
    }
