"""What is known of the providers just now: what is cooling, whose turn it is, how much was used."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from balancing.blame import Blame
from balancing.channels import Channel
from balancing.cooldown import NEVER, Cooldowns, Cooling, Subject
from balancing.keys import KeyTurns, KeyUse, UpstreamKey
from balancing.rotation import Rotation


@dataclass(frozen=True, slots=True)
class Way:
    """One way to use a channel."""

    key: UpstreamKey
    key_index: int
    region: str


@dataclass(slots=True)
class Spent:
    """What one request has used up of a channel, and does not try again."""

    whole: bool = False
    keys: set[str] = field(default_factory=set)
    regions: set[str] = field(default_factory=set)
    ways: set[tuple[str, str]] = field(default_factory=set)

    def holds(self, key: UpstreamKey, region: str) -> bool:
        """Whether this way is used up."""
        return self.whole or key.id in self.keys or region in self.regions or (key.id, region) in self.ways


@dataclass(frozen=True, slots=True)
class ChannelState:
    """How a channel is at one moment, for people. `seconds_left` is how long it is until it can be used, 0 if it can
    be now; `cooling` is the whole channel's cooldown, `keys` has each key's, `regions` those of its regions."""

    seconds_left: float
    cooling: Cooling | None
    keys: tuple[Cooling | None, ...]
    regions: tuple[Cooling, ...]


class Upstreams:
    """Shared by all clients and all requests; survives reloads."""

    def __init__(self, clock: Callable[[], float], chance: random.Random) -> None:
        self._clock = clock
        self.channels: Cooldowns[str] = Cooldowns(clock)
        self.keys: Cooldowns[str] = Cooldowns(clock)
        self.regions: Cooldowns[tuple[str, str]] = Cooldowns(clock)
        """By channel and region: what a region lacks of one model says nothing about another."""
        self._key_turns = KeyTurns(chance)
        self._key_use = KeyUse(clock)
        self._region_turns: dict[tuple[str, str], Rotation[str]] = {}
        """By channel and key: so that every key comes by every region."""

    @property
    def ended_early(self) -> int:
        """How many cooldowns were ended before their time."""
        return self.channels.ended_early + self.keys.ended_early + self.regions.ended_early

    def free_way(self, channel: Channel, spent: Spent | None) -> Way | None:
        """Whose turn it is among the ways that are neither cooling, at their limit nor spent."""
        if self.channels.is_cooling(channel.key):
            return None
        for index in self._key_order(channel):
            key = channel.keys[index]
            if self.keys.is_cooling(key.id) or (channel.limit and self._limited_until(channel, key) != NEVER):
                continue
            for region in self._region_order(channel, key):
                if channel.has_regions and self.regions.is_cooling((channel.key, region)):
                    continue
                if spent is None or not spent.holds(key, region):
                    return Way(key, index, region)
        return None

    def soonest_way(self, channel: Channel, spent: Spent | None) -> tuple[float, Way] | None:
        """The unspent way that is free first, in turn among equals, and when, on the clock's scale; NEVER is now."""
        soonest: tuple[float, Way] | None = None
        for index in self._key_order(channel):
            key = channel.keys[index]
            key_end = max(self.channels.end(channel.key), self.keys.end(key.id), self._limited_until(channel, key))
            for region in self._region_order(channel, key):
                end = max(key_end, self.regions.end((channel.key, region)))
                is_sooner = soonest is None or end < soonest[0]
                if is_sooner and not (spent and spent.holds(key, region)):
                    soonest = end, Way(key, index, region)
        return soonest

    def took(self, channel: Channel, way: Way) -> None:
        """A request goes this way now."""
        self._key_turns.took(channel.entry, channel.keys, way.key_index)
        if channel.limit:
            self._key_use.add(way.key, channel.limit)
        if channel.has_regions:
            turns = self._region_turns.setdefault((channel.key, way.key.id), Rotation(str))
            turns.took(channel.regions, channel.regions.index(way.region))

    def cool(
        self, blame: Blame, channel: Channel, key: UpstreamKey, region: str, seconds: float, why: str
    ) -> Subject | None:
        """Leave what is to blame alone for so long. Returns what that is, for people; None if it is so already."""
        provider, model = channel.provider.name, channel.model.upstream
        if blame is Blame.CHANNEL:
            what = Subject(provider, model)
            is_new = self.channels.cool(channel.key, what, seconds, why)
        elif blame is Blame.KEY:
            what = Subject(provider, key=key.label)
            is_new = self.keys.cool(key.id, what, seconds, why)
        else:
            what = Subject(provider, model, region=region)
            is_new = self.regions.cool((channel.key, region), what, seconds, why)
        return what if is_new else None

    def heal(self, channel: Channel, key: UpstreamKey, region: str, began: float) -> None:
        """This way worked, in an attempt that began at that time."""
        self.channels.heal(channel.key, began)
        self.keys.heal(key.id, began)
        self.regions.heal((channel.key, region), began)

    def keep_only(self, channels: Collection[Channel]) -> None:
        """Forget everything about what exists no longer."""
        self.channels.keep_only({channel.key for channel in channels})
        self.keys.keep_only({key.id for channel in channels for key in channel.keys})
        self.regions.keep_only({(channel.key, region) for channel in channels for region in channel.regions})
        self._key_turns.keep_only({channel.entry for channel in channels})
        self._key_use.keep_only(
            {(key.id, channel.limit) for channel in channels if channel.limit for key in channel.keys}
        )
        spread = {(channel.key, key.id) for channel in channels if channel.has_regions for key in channel.keys}
        self._region_turns = {pair: turns for pair, turns in self._region_turns.items() if pair in spread}

    def state(self, channel: Channel) -> ChannelState:
        """How the channel is just now."""
        soonest = self.soonest_way(channel, None)
        assert soonest
        regions = (self.regions.of((channel.key, region)) for region in channel.regions)
        return ChannelState(
            seconds_left=max(0.0, soonest[0] - self._clock()),
            cooling=self.channels.of(channel.key),
            keys=tuple(self.keys.of(key.id) for key in channel.keys),
            regions=tuple(cooling for cooling in regions if cooling),
        )

    def cooling(self) -> list[Cooling]:
        """Every cooldown in force, the longest first."""
        cooling = self.channels.in_force() + self.keys.in_force() + self.regions.in_force()
        return sorted(cooling, key=lambda each: -each.seconds_left)

    def clear(self, matching: Callable[[Subject], bool]) -> int:
        """End the cooldowns of these. Returns how many there were."""
        return sum(cooldowns.clear(matching) for cooldowns in (self.channels, self.keys, self.regions))

    def _key_order(self, channel: Channel) -> Iterator[int]:
        algorithm = channel.provider.preferences.api_key_schedule_algorithm
        return self._key_turns.order(channel.entry, channel.keys, algorithm)

    def _region_order(self, channel: Channel, key: UpstreamKey) -> Iterator[str]:
        turns = self._region_turns.get((channel.key, key.id)) if channel.has_regions else None
        if turns is None:
            return iter(channel.regions)
        return (channel.regions[index] for index in turns.order(channel.regions))

    def _limited_until(self, channel: Channel, key: UpstreamKey) -> float:
        return self._key_use.free_at(key, channel.limit) if channel.limit else NEVER
