"""Keys and tokens, wrapped so that they cannot be printed by accident."""

from __future__ import annotations

import hmac
from typing import NoReturn

SHOWN_AT_EACH_END = 3
SHORTEST_SHOWN_IN_PART = 16
"""A text shorter than this shows nothing of itself: six known characters would be too many."""


def mask(text: str) -> str:
    """The form of a secret that logs and views may show: `sk-…Q3f`, or `…` for a short one."""
    if len(text) < SHORTEST_SHOWN_IN_PART:
        return "…"
    return f"{text[:SHOWN_AT_EACH_END]}…{text[-SHOWN_AT_EACH_END:]}"


AUTHENTICATION_SCHEMES = ("bearer", "basic", "token", "key")


def without_scheme(credential: str) -> str:
    """What is secret in a header's value: `Bearer sk-one` → `sk-one`. What stands before another blank may be half of
    the secret."""
    scheme, _, secret = credential.partition(" ")
    return secret if scheme.lower() in AUTHENTICATION_SCHEMES else credential


class Secret:
    """A text that shows itself masked everywhere; only `reveal` gives it away.

    Equal to another Secret of the same text (compared in constant time), never to a plain str.
    Refuses to be pickled or copied by value.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself. Call it where it goes on the wire, and nowhere else."""
        return self._text

    @property
    def masked(self) -> str:
        """The form to show to people, see `mask`."""
        return mask(self._text)

    def __repr__(self) -> str:
        return f"Secret({self.masked})"

    def __str__(self) -> str:
        return self.masked

    def __format__(self, format_spec: str) -> str:
        return format(self.masked, format_spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_encoded(self._text), _encoded(other._text))

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret is not pickled or copied; use reveal() where it is needed")


def _encoded(text: str) -> bytes:
    """Bytes for the comparison, also of an environment variable that was not valid UTF-8."""
    return text.encode("utf-8", "surrogatepass")
