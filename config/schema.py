"""The configuration as the rest of the program sees it: typed, frozen and validated.

Keys are wrapped, and whatever may hold a credential is left out of the repr.

Built by `config.load`; behaviour of each key: api.example.yaml. Durations are seconds.
Mappings are read-only views; what lies inside `post_body_parameter_overrides` is plain JSON data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from config.secrets import Secret


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Model:
    """One model of a provider: what the provider calls it, and what clients ask for."""

    upstream: str
    alias: str

    @property
    def renamed(self) -> bool:
        """Whether clients know it by another name than the provider does."""
        return self.alias != self.upstream


@dataclass(frozen=True, slots=True)
class ProviderPreferences:
    """`providers[].preferences`; None means: what the general `preferences` say."""

    headers: Mapping[str, str] = field(default_factory=_nothing, repr=False)
    """Sent with every request to this provider; values may be credentials."""
    proxy: str | None = field(default=None, repr=False)
    """http, https or socks5 URL; may carry a user and password."""
    api_key_rate_limit: Mapping[str, str] = field(default_factory=_nothing)
    """Model → rate limit of one key (`config.rates`); a single limit stands under `default`."""
    api_key_cooldown_period: float | None = None
    api_key_schedule_algorithm: str = "round_robin"
    """round_robin, fixed_priority or random."""
    cooldown_period: float | None = None
    model_timeout: Mapping[str, float] = field(default_factory=_nothing)
    post_body_parameter_overrides: Mapping[str, Any] = field(default_factory=_nothing, repr=False)
    hedge_after: float | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """One entry of `providers`. Two entries may have the same name."""

    name: str
    base_url: str | None
    """http(s) URL as written; None where the engine has a host of its own."""
    keys: tuple[Secret, ...]
    """Upstream keys in file order; empty for Vertex and for servers that want none."""
    models: tuple[Model, ...] | None
    """In file order, no pair twice; None = to be discovered from the provider's model list."""
    tools: bool
    image: bool
    engine: str
    """gpt, claude, gemini, openrouter, cohere, cloudflare, azure, vertex-claude, vertex-gemini,
    or vertex, which picks one of the two by the model."""
    project_id: str | None
    private_key: Secret | None
    """PEM text with real newlines."""
    client_email: str | None
    credentials_file: str | None
    """Path of a service account's JSON key file."""
    token_uri: str | None
    regions: tuple[str, ...]
    """Vertex regions that replace the table's; empty = the table's."""
    cf_account_id: str | None
    notes: str
    preferences: ProviderPreferences
    line: int = field(compare=False)
    """Where the entry starts in its file, from 1."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a client key's `model` list, read by `config.rules`."""

    text: str
    weight: int | None


@dataclass(frozen=True, slots=True)
class ClientPreferences:
    """`api_keys[].preferences`."""

    scheduling_algorithm: str = "fixed_priority"
    """fixed_priority, round_robin, random, weighted_round_robin or lottery."""
    auto_retry: bool | int = True
    """True, False (one attempt), or the number of attempts at most."""
    rate_limit: str = "60/min"
    """Valid for `config.rates.parse_rate_limit`; `none` = unlimited."""
    enable_moderation: bool = False
    hedge_after: float | None = None


@dataclass(frozen=True, slots=True)
class ClientKey:
    """One entry of `api_keys`: who may ask, for what, and how it is served."""

    api: Secret
    rules: tuple[Rule, ...]
    """Never empty: a missing or empty list is the rule `all`."""
    role: str
    """`admin` may use the admin endpoints."""
    preferences: ClientPreferences


@dataclass(frozen=True, slots=True)
class Preferences:
    """The general `preferences`, which a provider's own go before."""

    model_timeout: Mapping[str, float] = field(default_factory=_nothing)
    """Model name, part of one, or `default` → timeout."""
    cooldown_period: float = 300.0
    """0 = never cool anything down."""


@dataclass(frozen=True, slots=True)
class Config:
    """A whole api.yaml."""

    providers: tuple[Provider, ...]
    client_keys: tuple[ClientKey, ...]
    preferences: Preferences
