"""How long a model may keep its client waiting, and which entry of a table by model names applies to it."""

from __future__ import annotations

from collections.abc import Mapping

DEFAULT = "default"
"""The entry for models that no other entry fits."""


def entry_for(table: Mapping[str, object], asked: str, upstream: str) -> str | None:
    """The table's entry for a model that clients know as `asked` and its provider as `upstream`.

    For the asked name, then for the upstream one: the entry of that name, else the longest that
    the name begins with, else the longest that it contains. Then `default`; None without that.
    """
    for name in (asked, upstream):
        if name in table:
            return name
        fitting = [entry for entry in table if entry != DEFAULT and entry in name]
        if fitting:
            return max(fitting, key=lambda entry: (name.startswith(entry), len(entry)))
    return DEFAULT if DEFAULT in table else None


def timeout_for(
    table: Mapping[str, float],
    provider_table: Mapping[str, float],
    asked: str,
    upstream: str,
    default: float,
) -> float:
    """Seconds: what the provider's own `model_timeout` says, else the general one, else `default`."""
    for timeouts in (provider_table, table):
        entry = entry_for(timeouts, asked, upstream)
        if entry is not None:
            return timeouts[entry]
    return default
