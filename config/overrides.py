"""`post_body_parameter_overrides`: parameters for every body, and under a model's name those for its own."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from config.nodes import Pairs
from config.reader import Value

REMOVE = "__remove__"
"""Among the parameters of a mapping: the names of those that have to go."""

LIKE_A_MODEL = re.compile(r"[-/@:]|[0-9]\.[0-9]")
"""Names of models have such signs in them; parameters at the top of a body do not, in any engine's format."""


def read_overrides(value: Value, models: Collection[str] | None) -> Mapping[str, Any] | None:
    """JSON data in which every `__remove__` of a mapping is a list of texts.

    `models`: the names the provider's models go by; None when they are not known.
    """
    entries = value.entries()
    if entries is None:
        return None
    if models is not None:
        for name, entry in entries:
            _check_name(name, entry, models)
    return MappingProxyType(_parameters(entries))


def _check_name(name: str, entry: Value, models: Collection[str]) -> None:
    """Warn of what is neither a model's parameters nor, by its looks, a parameter."""
    is_mapping = isinstance(entry.node, Pairs)
    if name in models and not is_mapping:
        entry.warning("is a model, whose parameters are a mapping (lines of `key: value`); this is ignored")
    if name not in models and is_mapping and LIKE_A_MODEL.search(name):
        near = difflib.get_close_matches(name, models, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        entry.warning(f"is no model in this provider's list, so it goes into every body as a parameter{hint}")


def _parameters(entries: list[tuple[str, Value]]) -> dict[str, Any]:
    return {name: _names(entry) if name == REMOVE else _parameter(entry) for name, entry in entries}


def _parameter(value: Value) -> Any:
    """Lists are taken as they are: nothing is merged into them."""
    return _parameters(value.entries() or []) if isinstance(value.node, Pairs) else value.json()


def _names(value: Value) -> list[str]:
    allowed = "the name of a parameter, or a list of names"
    names: list[str] = []
    if value.absent():
        return names  # Every line of the list is commented out.
    for entry in value.one_or_more():
        name = entry.word(allowed)
        if isinstance(name, str):
            names.append(name)
        elif name is not None:
            entry.must_be(allowed)
    return names
