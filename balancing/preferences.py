"""What a provider's `preferences` change in every request to it: headers, and parameters of the body."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from balancing.channels import Channel
from config.overrides import REMOVE
from translators.jsontext import dumps, loads
from translators.types import WireRequest

BETAS = "anthropic-beta"
"""A header that is a list: the provider's preferences add to what the request has in it."""

CHANNELS_KEPT = 256
"""Channels whose overrides need not be looked for again."""


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
    added = {name.lower(): value for name, value in wanted.items()}
    if BETAS in added:
        added[BETAS] = in_one_list(
            value
            for headers in (wire.headers, wire.credentials, wanted)
            for name, value in headers.items()
            if name.lower() == BETAS
        )
    return replace(
        wire,
        headers={name: value for name, value in wire.headers.items() if name.lower() not in added},
        credentials={name: value for name, value in wire.credentials.items() if name.lower() not in added} | added,
    )


def in_one_list(values: Iterable[str]) -> str:
    """Comma-separated lists as one, each entry once."""
    entries = (entry.strip() for value in values for entry in value.split(","))
    return ",".join(dict.fromkeys(entry for entry in entries if entry))


def overridden(body: Mapping[str, Any], channel: Channel) -> dict[str, Any]:
    """The body with the general overrides, then those under the model's own name (upstream name or alias)."""
    merged = dict(body)
    for overrides in overrides_for(channel):
        merged = deep_merged(merged, overrides)
    return merged


@lru_cache(CHANNELS_KEPT)
def overrides_for(channel: Channel) -> tuple[Mapping[str, Any], ...]:
    """What goes over the bodies of a channel, one after the other. A channel stays as it is, so once is enough."""
    overrides = channel.provider.preferences.post_body_parameter_overrides
    models = {name for model in channel.provider.models or () for name in (model.upstream, model.alias)}
    own = dict.fromkeys((channel.model.upstream, channel.model.alias))
    general = {name: value for name, value in overrides.items() if name not in models and name not in own}
    return general, *(overrides[name] for name in own if isinstance(overrides.get(name), Mapping))


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
