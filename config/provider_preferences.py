"""`providers[].preferences`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType

from config.fields import read_header_value, read_model_timeouts, read_rate_limit, read_url
from config.nodes import Pairs
from config.overrides import read_overrides
from config.reader import Value
from config.schema import ProviderPreferences
from config.sections import Section

KEYS = (
    "headers",
    "proxy",
    "api_key_rate_limit",
    "api_key_cooldown_period",
    "api_key_schedule_algorithm",
    "cooldown_period",
    "model_timeout",
    "post_body_parameter_overrides",
    "region",
    "hedge_after",
)
KEY_ALGORITHMS = ("round_robin", "fixed_priority", "random")
PROXY_SCHEMES = ("http", "https", "socks5")

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token: RFC 9110, section 5.6.2."""

ANY_MODEL = "default"
"""Stands for the models that a mapping by model does not name."""


def read_provider_preferences(section: Section, models: Collection[str] | None) -> ProviderPreferences:
    """All of them but `region`, which belongs to the provider.

    `models`: the names the provider's models go by; None when they are not known.
    """
    usual = ProviderPreferences()
    return ProviderPreferences(
        headers=section.given("headers", _headers, usual.headers),
        proxy=section.given("proxy", lambda value: read_url(value, PROXY_SCHEMES), None),
        api_key_rate_limit=section.given("api_key_rate_limit", _rate_limits, usual.api_key_rate_limit),
        api_key_cooldown_period=section.given("api_key_cooldown_period", Value.seconds, None),
        api_key_schedule_algorithm=section.given(
            "api_key_schedule_algorithm",
            lambda value: value.choice(KEY_ALGORITHMS),
            usual.api_key_schedule_algorithm,
        ),
        cooldown_period=section.given("cooldown_period", Value.seconds, None),
        model_timeout=section.given("model_timeout", read_model_timeouts, usual.model_timeout),
        post_body_parameter_overrides=section.given(
            "post_body_parameter_overrides",
            lambda value: read_overrides(value, models),
            usual.post_body_parameter_overrides,
        ),
        hedge_after=section.given("hedge_after", Value.seconds_above_zero, None),
    )


def _headers(value: Value) -> Mapping[str, str]:
    """Header values are read as secrets: an authorisation header is what they are mostly for."""
    headers = {}
    for name, entry in value.entries() or []:
        content = read_header_value(entry)
        if not HEADER_NAME.fullmatch(name):
            entry.problem("is no name of a header; letters, digits and `-` make one")
        elif content is not None:
            headers[name] = content.reveal()
    return MappingProxyType(headers)


def _rate_limits(value: Value) -> Mapping[str, str]:
    """One limit for all models, or a mapping by model."""
    limits = (value.entries() or []) if isinstance(value.node, Pairs) else [(ANY_MODEL, value)]
    read = {model: read_rate_limit(limit) for model, limit in limits}
    return MappingProxyType({model: limit for model, limit in read.items() if limit is not None})
