"""A provider's own keys: what they are called here, whose turn it is, how often each was used."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from balancing.rotation import Rotation, shuffled
from balancing.timeouts import entry_for
from balancing.windows import SlidingWindow
from config.rates import Rate, parse_rate_limit
from config.schema import Provider
from config.secrets import Secret

type Entry = tuple[str, int]
"""An entry of `providers` across reloads: its name, and which of that name it is."""


@dataclass(frozen=True, slots=True)
class UpstreamKey:
    """A key of one provider entry; without a secret it stands for the provider's other credentials, or none."""

    secret: Secret | None
    id: str = field(repr=False)
    """A digest of entry and key: two entries that share a key (`none`, say) do not share its troubles."""

    @property
    def label(self) -> str:
        """What people are shown: `key sk-…Q3f`."""
        return f"key {self.secret.masked}" if self.secret else "credentials"


def upstream_keys(provider: Provider, entry: Entry) -> tuple[UpstreamKey, ...]:
    """The entry's keys in file order, never empty."""
    secrets: Sequence[Secret | None] = provider.keys or (None,)
    return tuple(UpstreamKey(secret, _digest(entry, secret)) for secret in secrets)


def _digest(entry: Entry, secret: Secret | None) -> str:
    text = json.dumps([*entry, secret and secret.reveal()])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


class KeyTurns:
    """Whose turn it is among the keys of each entry. All models of an entry share the turns."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._rotations: dict[Entry, Rotation[UpstreamKey]] = {}

    def order(self, entry: Entry, keys: Sequence[UpstreamKey], algorithm: str) -> Iterator[int]:
        """Indexes of the keys, the one to use first; `algorithm` is an `api_key_schedule_algorithm`."""
        if len(keys) == 1 or algorithm == "fixed_priority":
            return iter(range(len(keys)))
        if algorithm == "random":
            return shuffled(len(keys), self._chance)
        return self._rotation(entry).order(keys)

    def took(self, entry: Entry, keys: Sequence[UpstreamKey], index: int) -> None:
        """This key is used now."""
        if len(keys) > 1:
            self._rotation(entry).took(keys, index)

    def keep_only(self, entries: Container[Entry]) -> None:
        """Forget entries that exist no longer."""
        self._rotations = {entry: turn for entry, turn in self._rotations.items() if entry in entries}

    def _rotation(self, entry: Entry) -> Rotation[UpstreamKey]:
        rotation = self._rotations.get(entry)
        if rotation is None:
            rotation = self._rotations[entry] = Rotation(attrgetter("id"))
        return rotation


@dataclass(frozen=True, slots=True)
class KeyLimit:
    """How often one key may be used for the models that one entry of `api_key_rate_limit` fits.

    They share it: under `default`, all models that no other entry fits.
    """

    models: str
    rates: tuple[Rate, ...]


def key_limit(table: Mapping[str, str], asked: str, upstream: str) -> KeyLimit | None:
    """The limit for a model of a provider with this `api_key_rate_limit`; None without one."""
    entry = entry_for(table, asked, upstream)
    rates = parse_rate_limit(table[entry]) if entry is not None else ()
    return KeyLimit(entry, rates) if entry is not None and rates else None


class KeyUse:
    """How often each key was used of late, for the rates that limit it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._windows: dict[tuple[str, KeyLimit], list[SlidingWindow]] = {}

    def free_at(self, key: UpstreamKey, limit: KeyLimit) -> float:
        """When the key is within its limit, on the clock's scale; NEVER if it is now."""
        now = self._clock()
        return max(window.free_at(now) for window in self._of(key, limit))

    def add(self, key: UpstreamKey, limit: KeyLimit) -> None:
        """The key is used now."""
        now = self._clock()
        for window in self._of(key, limit):
            window.add(now)

    def keep_only(self, uses: Container[tuple[str, KeyLimit]]) -> None:
        """Forget the pairs of key id and limit that exist no longer."""
        self._windows = {use: windows for use, windows in self._windows.items() if use in uses}

    def _of(self, key: UpstreamKey, limit: KeyLimit) -> list[SlidingWindow]:
        windows = self._windows.get((key.id, limit))
        if windows is None:
            windows = self._windows[key.id, limit] = [SlidingWindow(rate) for rate in limit.rates]
        return windows
