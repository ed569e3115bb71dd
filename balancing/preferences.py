"""What a provider's `preferences` change in every request to it: headers, and parameters of the body."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from balancing.channels import Channel
from translators.jsontext import dumps, loads
from translators.types import WireRequest

REMOVE = "__remove__"
"""Among overrides: a list of the names that have to go."""


def preferred(wire: WireRequest, channel: Channel) -> WireRequest:
    """The request as the provider's preferences want it; the same object where they want nothing."""
    preferences = channel.provider.preferences
    wire = with_headers(wire, preferences.headers)
    # A form has no place for them: they are for JSON.
    if preferences.post_body_parameter_overrides and "json" in wire.headers.get("content-type", ""):
        wire = replace(wire, body=dumps(overridden(loads(wire.body), channel)))
    return wire


def with_headers(wire: WireRequest, wanted: Mapping[str, str]) -> WireRequest:
    """The request with a provider's `headers`, which go before its own. They may hold secrets: kept with those."""
    if not wanted:
        return wire
    names = {name.lower() for name in wanted}
    return replace(
        wire,
        headers={name: value for name, value in wire.headers.items() if name.lower() not in names},
        credentials={name: value for name, value in wire.credentials.items() if name.lower() not in names}
        | {name.lower(): value for name, value in wanted.items()},
    )


def overridden(body: Mapping[str, Any], channel: Channel) -> dict[str, Any]:
    """The body with the general overrides, then those under the model's own name (upstream name or alias)."""
    overrides = channel.provider.preferences.post_body_parameter_overrides
    models = {name for model in channel.provider.models or () for name in (model.upstream, model.alias)}
    own = (channel.model.upstream, channel.model.alias)
    general = {name: value for name, value in overrides.items() if name not in models and name not in own}
    merged = deep_merged(body, general)
    for name in dict.fromkeys(own):
        if isinstance(overrides.get(name), Mapping):
            merged = deep_merged(merged, overrides[name])
    return merged


def deep_merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Objects are merged, anything else is replaced, and what `__remove__` names goes."""
    merged = dict(below)
    for name, value in above.items():
        if name == REMOVE:
            continue
        before = merged.get(name)
        if isinstance(value, Mapping):
            value = deep_merged(before if isinstance(before, Mapping) else {}, value)
        merged[name] = value
    for name in above.get(REMOVE, ()):
        merged.pop(name, None)
    return merged
