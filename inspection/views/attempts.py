"""The view of the attempts: who was asked, what came of it, and each failed answer."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from inspection.views.layout import GAP, prose, table
from inspection.views.progress import nothing_yet
from inspection.views.record import attempts_of, bytes_in, status_line
from inspection.views.text import body_lines, one_line
from inspection.views.view import FlowView, Side
from translators.jsontext import count_in, text_in

HEADINGS = ("#", "provider", "model", "key", "status", "first output", "total", "why")
NUMBERS = frozenset({"#", "status", "first output", "total"})
WIDEST = 40
"""Characters of a cell."""


class Attempts(FlowView):
    """The same on both sides."""

    title = "Attempts"
    most = 1_000_000  # Failed answers are kept up to 64 KiB each, and there may be many.

    def lines(self, side: Side) -> Iterator[str]:
        attempts = attempts_of(side.record)
        if not attempts:
            yield nothing_yet(side.flow, side.record)
            return
        yield from attempts_table(attempts)
        for number, attempt in enumerate(attempts, 1):
            if attempt.get("error"):
                yield from failure_lines(number, attempt)


def attempts_table(attempts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A line for each."""
    return table(HEADINGS, [row(number, attempt) for number, attempt in enumerate(attempts, 1)], NUMBERS)


def row(number: int, attempt: Mapping[str, Any]) -> tuple[str, ...]:
    names = (cell(attempt.get(name)) for name in ("provider", "model", "key", "status"))
    times = (cell(attempt.get(name), " ms") for name in ("first_output_ms", "ms"))
    return (str(number), *names, *times, outcome(attempt))


def cell(value: Any, unit: str = "") -> str:
    return "-" if value in (None, "") else one_line(str(value), WIDEST) + unit


def outcome(attempt: Mapping[str, Any]) -> str:
    """What became of an attempt, in a word: why it failed."""
    if attempt.get("error"):
        return cell(attempt["error"])
    return "cancelled" if attempt.get("cancelled") else "served"


def failure_lines(number: int, attempt: Mapping[str, Any]) -> Iterator[str]:
    """One failed attempt: where it went, what came back."""
    yield GAP
    yield f"── {number}. {cell(attempt.get('provider'))}/{cell(attempt.get('model'))}: {outcome(attempt)} ──"
    yield f"POST {attempt['url']}" if attempt.get("url") else "Nothing was sent."
    if attempt.get("status") is not None:
        yield status_line(count_in(attempt["status"]))
    message, answer = text_in(attempt.get("message")), bytes_in(attempt.get("answer"))
    if message.encode("utf-8", "replace") not in answer:
        yield from prose([message])
    if answer:
        yield GAP
        yield from body_lines(answer)
