"""The view of the attempts: who was asked, what came of it, and each failed answer."""

from collections.abc import Iterator, Mapping
from typing import Any

from inspection.views.provider_side import NOBODY_ASKED
from inspection.views.record import account_of, attempts_of, bytes_in
from inspection.views.text import body_lines, one_line
from inspection.views.view import FlowView, Side
from translators.jsontext import text_in

HEADINGS = ("#", "provider", "model", "key", "status", "ms", "first output", "why")
WIDEST = 40
"""Characters of a column; the last one takes what it needs."""


class Attempts(FlowView):
    """The same on both sides."""

    title = "Attempts"
    most = 1_000_000  # Failed answers are kept up to 64 KiB each, and there may be many.

    def lines(self, side: Side) -> Iterator[str]:
        attempts = attempts_of(side.record)
        if not attempts:
            yield NOBODY_ASKED if account_of(side.record) else "The request is still on its way: no attempt is over."
            return
        yield from table(HEADINGS, [row(number, attempt) for number, attempt in enumerate(attempts, 1)])
        for number, attempt in enumerate(attempts, 1):
            if attempt.get("error"):
                yield from failure_lines(number, attempt)


def row(number: int, attempt: Mapping[str, Any]) -> tuple[str, ...]:
    names = ("provider", "model", "key", "status", "ms", "first_output_ms")
    return (str(number), *(cell(attempt.get(name)) for name in names), why(attempt))


def cell(value: Any) -> str:
    return "-" if value in (None, "") else one_line(str(value), WIDEST)


def why(attempt: Mapping[str, Any]) -> str:
    """What became of an attempt, in a few words."""
    if attempt.get("error"):
        return f"{attempt['error']}: {one_line(text_in(attempt.get('message')), 100)}"
    return "cancelled" if attempt.get("cancelled") else "served"


def table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Columns as wide as what is in them."""
    widths = [max(len(line[column]) for line in (headings, *rows)) for column in range(len(headings) - 1)]
    for line in (headings, *rows):
        *cells, last = line
        yield "  ".join([*(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)), last])


def failure_lines(number: int, attempt: Mapping[str, Any]) -> Iterator[str]:
    """One failed attempt: where it went, what came back."""
    yield ""
    yield f"── {number}. {cell(attempt.get('provider'))}/{cell(attempt.get('model'))} ──"
    yield f"POST {attempt['url']}" if attempt.get("url") else "Nothing was sent."
    if attempt.get("status") is not None:
        yield f"status {attempt['status']}"
    yield text_in(attempt.get("message"))
    answer = bytes_in(attempt.get("answer"))
    if answer:
        yield ""
        yield from body_lines(answer)
