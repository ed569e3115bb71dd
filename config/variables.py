"""`${NAME}` and `${NAME:-default}` in a text, filled from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping

REFERENCE = re.compile(
    r"\$\$\{"  # written so for a literal ${
    r"|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}"
    r"|(?P<malformed>\$\{)"
)


class BadReference(ValueError):
    """A reference that has no value; the message says which and what to do."""


def has_references(text: str) -> bool:
    """Whether `fill` has anything to do."""
    return "${" in text


def fill(text: str, environ: Mapping[str, str]) -> str:
    """The text with its references replaced; `$${` gives a literal `${`.

    As in a shell, the default stands in for a variable that is unset or empty.
    Raises BadReference for a variable that is unset and has no default, and for what is no reference.
    """

    def value(found: re.Match[str]) -> str:
        if found["malformed"]:
            raise BadReference("`${` must be followed by NAME} or NAME:-default}; a literal one is `$${`")
        if found["name"] is None:
            return "${"
        if found["default"] is not None:
            return environ.get(found["name"]) or found["default"]
        if found["name"] not in environ:
            name = found["name"]
            raise BadReference(f"the environment variable {name} is not set; set it or write ${{{name}:-default}}")
        return environ[found["name"]]

    return REFERENCE.sub(value, text)
