"""What the configuration offers: channels, and which of them a client's rules give for a model."""

from __future__ import annotations

import hmac
import json
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from cachetools import LRUCache

from balancing.keys import Entry, KeyLimit, UpstreamKey, key_limit, upstream_keys
from balancing.regions import NO_REGION, regions_for
from balancing.timeouts import timeout_for
from config.rules import ModelIndex
from config.schema import ClientKey, Config, Model, Provider, Rule
from config.secrets import Secret

PREFIXES_KEPT = 1000
"""Answers to `gpt-4o*` and the like that are kept for one set of rules."""


@dataclass(frozen=True, slots=True, eq=False)
class Channel:
    """One model of one provider: what a request can be sent to."""

    provider: Provider
    position: int
    """The provider's index in the configuration."""
    entry: Entry
    model: Model
    engine: str
    """One that has a wire: `vertex` is resolved by the model."""
    keys: tuple[UpstreamKey, ...]
    """Never empty."""
    limit: KeyLimit | None
    """How often each of the keys may be used for this model."""
    regions: tuple[str, ...]
    """Never empty: (NO_REGION,) where the engine has none."""
    key: str = field(init=False)
    """The channel's identity for cooldowns and statistics, also after a reload. No secrets in it."""

    def __post_init__(self) -> None:
        key = json.dumps([*self.entry, self.model.upstream, self.model.alias], ensure_ascii=False)
        object.__setattr__(self, "key", key)

    @property
    def has_regions(self) -> bool:
        """Whether requests are spread over regions."""
        return self.regions[0] != NO_REGION

    @property
    def names(self) -> tuple[str, str]:
        """What people may call it."""
        return f"{self.provider.name}/{self.model.alias}", self.label

    @property
    def label(self) -> str:
        """What people are shown."""
        return f"{self.provider.name}/{self.model.upstream}"


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A channel that may serve a request."""

    channel: Channel
    weight: int | None
    """What the client's rule says; the whole weight is each channel's that the rule names."""
    timeout: float
    """The model's timeout in seconds."""


class Catalogue:
    """A configuration, arranged for looking up. Lookups are kept; what nobody offers is not."""

    def __init__(
        self,
        config: Config,
        default_timeout: float,
        discovered: Mapping[int, tuple[Model, ...]] = MappingProxyType({}),
    ) -> None:
        """`default_timeout`: TIMEOUT, in seconds. `discovered`: models by position, for providers that list none."""
        providers = [
            provider if provider.models is not None else replace(provider, models=discovered.get(position, ()))
            for position, provider in enumerate(config.providers)
        ]
        self._index = ModelIndex(providers)
        self._unweighted: dict[tuple[int, Model], Candidate] = {}
        entries = entries_of(config.providers)
        for position, provider in enumerate(providers):
            keys = upstream_keys(provider, entries[position])
            for model in provider.models or ():
                channel = _channel(provider, position, entries[position], model, keys)
                timeout = timeout_for(
                    config.preferences.model_timeout,
                    provider.preferences.model_timeout,
                    model.alias,
                    model.upstream,
                    default_timeout,
                )
                self._unweighted[position, model] = Candidate(channel, None, timeout)
        self._salt = secrets.token_bytes(32)
        self._clients = {self._digest(client.api.reveal()): client for client in config.client_keys}
        self._offers: dict[Secret, _Offers] = {}
        by_rules: dict[tuple[Rule, ...], _Offers] = {}
        for client in config.client_keys:
            self._offers[client.api] = by_rules.setdefault(client.rules, _Offers(client.rules))

    @property
    def channels(self) -> list[Channel]:
        """Every channel of the configuration, in file order."""
        return [candidate.channel for candidate in self._unweighted.values()]

    def client(self, key: str) -> ClientKey | None:
        """The entry that lists this key. The time it takes says nothing about the keys: digests are looked up."""
        return self._clients.get(self._digest(key))

    def lists(self, api: Secret) -> bool:
        """Whether this is a client's key."""
        return api in self._offers

    def candidates(self, client: ClientKey, asked: str) -> tuple[Candidate, ...]:
        """The channels that may serve the client's request for this model: in the order of its rules, each once.

        `gpt-4o*` asks for any alias that begins so. Empty: not offered, or not to this client.
        """
        offers = self._offers_to(client)
        exactly = offers.by_alias.get(asked)
        if exactly is not None or not asked.endswith("*"):
            return exactly or ()
        found = offers.by_prefix.get(asked)
        if found is None:
            prefix = asked.removesuffix("*")
            found = tuple(each for each in offers.all if each.channel.model.alias.startswith(prefix))
            if found:
                offers.by_prefix[asked] = found
        return found

    def named(self, destination: str) -> tuple[Candidate, ...]:
        """The channels that are called so, `provider/model` by either of the model's names; no client's rules."""
        return tuple(each for each in self._unweighted.values() if destination in each.channel.names)

    def rule_of(self, client: ClientKey, channel: Channel) -> Rule | None:
        """The first of the client's rules that names the channel."""
        place = (channel.position, channel.model)
        return next((rule for rule in client.rules if place in self._index.matches(rule.text)), None)

    def models(self, client: ClientKey) -> tuple[str, ...]:
        """What the client may ask for: in the order of its rules, each once."""
        return tuple(self._offers_to(client).by_alias)

    def _offers_to(self, client: ClientKey) -> _Offers:
        """What the rules of its key mean; nothing for a key that another configuration had."""
        offers = self._offers.get(client.api)
        if offers is None:
            return _Offers(())
        if not offers.known:
            offers.learn(self._named_by(offers.rules))
        return offers

    def _named_by(self, rules: tuple[Rule, ...]) -> tuple[Candidate, ...]:
        """Everything that rules name. Where several name a channel, the first of them gives its place,
        and the first with a weight its weight."""
        weights: dict[tuple[int, Model], int | None] = {}
        for rule in rules:
            for place in self._index.matches(rule.text):
                if weights.get(place) is None:
                    weights[place] = rule.weight
        return tuple(
            self._unweighted[place] if weight is None else replace(self._unweighted[place], weight=weight)
            for place, weight in weights.items()
        )

    def _digest(self, key: str) -> bytes:
        return hmac.digest(self._salt, key.encode("utf-8", "surrogatepass"), "sha256")


class _Offers:
    """What one set of rules offers, learnt when it is first asked for."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = rules
        self.known = False
        self.all: tuple[Candidate, ...] = ()
        self.by_alias: dict[str, tuple[Candidate, ...]] = {}
        self.by_prefix: LRUCache[str, tuple[Candidate, ...]] = LRUCache(PREFIXES_KEPT)

    def learn(self, candidates: tuple[Candidate, ...]) -> None:
        by_alias: dict[str, list[Candidate]] = {}
        for candidate in candidates:
            by_alias.setdefault(candidate.channel.model.alias, []).append(candidate)
        self.all = candidates
        self.by_alias = {alias: tuple(found) for alias, found in by_alias.items()}
        self.known = True


def entries_of(providers: tuple[Provider, ...]) -> list[Entry]:
    """What identifies each across reloads."""
    seen: Counter[str] = Counter()
    entries = []
    for provider in providers:
        seen[provider.name] += 1
        entries.append((provider.name, seen[provider.name]))
    return entries


def _channel(provider: Provider, position: int, entry: Entry, model: Model, keys: tuple[UpstreamKey, ...]) -> Channel:
    engine = provider.engine
    if engine == "vertex":
        engine = "vertex-claude" if "claude" in model.upstream.lower() else "vertex-gemini"
    limit = key_limit(provider.preferences.api_key_rate_limit, model.alias, model.upstream)
    regions = regions_for(engine, model.upstream, provider.regions)
    return Channel(provider, position, entry, model, engine, keys, limit, regions)
