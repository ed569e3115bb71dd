"""What is wrong with a configuration, said so that a person can put it right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding, and where it is: its text is `api.yaml:12: providers[2].api: must be …`."""

    source: str
    """File, URL or the word `environment`."""
    line: int | None
    """From 1; None where there are no lines."""
    path: str
    """As `providers[2].api`; empty for the whole text."""
    message: str

    def __str__(self) -> str:
        place = self.source if self.line is None else f"{self.source}:{self.line}"
        return ": ".join(part for part in (place, self.path, self.message) if part)


class ConfigError(Exception):
    """A configuration that cannot be used; its text is one line a finding.

    `problems` are the errors, all of them; `warnings` the lesser findings beside them, which often
    hold the cause (a misspelt key is unknown, and the right one missing).
    """

    def __init__(self, problems: Iterable[Problem], warnings: Iterable[Problem] = ()) -> None:
        self.problems = tuple(problems)
        self.warnings = tuple(warnings)
        super().__init__("\n".join(map(str, in_order((*self.problems, *self.warnings)))))


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """By line, as a person goes through the file."""
    return sorted(problems, key=lambda problem: problem.line or 0)


def listed(words: Iterable[str]) -> str:
    """`a, b or c`, for what is allowed."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last
