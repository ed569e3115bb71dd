"""A text while it is read: where it is from, what was found wrong in it, and which secrets it holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from config.problems import Problem
from config.secrets import Secret, mask

LONGEST_MESSAGE = 300
"""What was found stands last in a message, so that a very long text loses its own end only."""

SHORTEST_SCRUBBED = 8
"""A shorter secret would be found in common words; it is never quoted where it belongs anyway."""

KEY_SHAPED = re.compile(r"(?:\b(?:sk|pk|rk|gsk|xai|pplx|hf|r8)[-_]|AIza|ya29\.|eyJ|-----BEGIN)[-\w.]{6,}")
"""How providers' keys and tokens begin: one in the wrong place of a file is still a secret."""


@dataclass(slots=True)
class Document:
    """Collects what is found. Findings are ordered sets: a value looked at twice is reported once."""

    source: str
    environ: Mapping[str, str]
    _problems: dict[Problem, None] = field(default_factory=dict)
    _warnings: dict[Problem, None] = field(default_factory=dict)
    _secrets: set[str] = field(default_factory=set)

    def problem(self, line: int, path: str, message: str) -> None:
        """Report what makes the text unusable."""
        self._problems[Problem(self.source, line, path, message)] = None

    def warning(self, line: int, path: str, message: str) -> None:
        """Report what is odd, and can be left alone."""
        self._warnings[Problem(self.source, line, path, message)] = None

    def secret(self, text: str) -> Secret:
        """Wrap a secret, and keep it out of every message, those written before included."""
        if len(text) >= SHORTEST_SCRUBBED:
            self._secrets.add(text)
        return Secret(text)

    def problems(self) -> tuple[Problem, ...]:
        """The errors, to be called when all is read."""
        return tuple(self._cleaned(self._problems))

    def warnings(self) -> tuple[Problem, ...]:
        """The warnings, to be called when all is read."""
        return tuple(self._cleaned(self._warnings))

    def _cleaned(self, found: Iterable[Problem]) -> Iterable[Problem]:
        for problem in sorted(found, key=lambda problem: problem.line or 0):
            yield replace(problem, path=self._clean(problem.path), message=self._clean(problem.message))

    def _clean(self, text: str) -> str:
        """On one line, of bearable length, without secrets."""
        text = _printable(text)
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(_printable(secret), mask(_printable(secret)))
        text = KEY_SHAPED.sub(lambda found: mask(found[0]), text)
        return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
