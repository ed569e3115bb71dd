"""What is left alone for a while because it failed."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Container, Hashable
from dataclasses import dataclass

NEVER = -math.inf
"""The end of what is not: earlier than any time."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is left alone, for people: a provider's model, in one region or in all, or a provider's key (masked)."""

    provider: str
    model: str = ""
    key: str = ""
    region: str = ""

    def __str__(self) -> str:
        if self.key:
            return f"{self.provider}, {self.key}"
        name = f"{self.provider}/{self.model}" if self.model else self.provider
        return f"{name} in {self.region}" if self.region else name


@dataclass(frozen=True, slots=True)
class Cooling:
    """One cooldown in force."""

    what: Subject
    seconds_left: float
    why: str


@dataclass(slots=True)
class _Cooldown:
    what: Subject
    why: str
    since: float
    """When it last failed."""


class Cooldowns[Name: Hashable]:
    """Cooldowns of one sort of thing, by name. What is over is dropped as soon as anything is looked for."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ends: dict[Name, float] = {}
        self._cooldowns: dict[Name, _Cooldown] = {}
        self._next_end = math.inf
        self._generation = 0
        self.ended_early = 0
        """How many were ended before their time: whoever waits for the soonest end has to look again."""

    def is_cooling(self, name: Name) -> bool:
        """Whether to leave it alone for now."""
        return self.end(name) != NEVER

    def end(self, name: Name) -> float:
        """When it may be used again, on the clock's scale; NEVER if it may be used now."""
        end = self._ends.get(name)
        return end if end is not None and end > self._clock() else NEVER

    def cool(self, name: Name, what: Subject, seconds: float, why: str) -> bool:
        """Leave it alone for so long; False if that is over before the cooldown that it has already is."""
        now = self._clock()
        self._drop_ended(now)
        end = now + seconds
        if end <= max(now, self.end(name)):
            if name in self._cooldowns:
                self._cooldowns[name].since = now
            return False
        self._ends[name] = end
        self._cooldowns[name] = _Cooldown(what, why, since=now)
        self._next_end = min(self._next_end, end)
        self._generation += 1
        return True

    def heal(self, name: Name, began: float) -> None:
        """It worked, in an attempt that began at that time; one from before the failure proves nothing."""
        cooldown = self._cooldowns.get(name)
        if cooldown is not None and began >= cooldown.since:
            self._drop([name])
            self.ended_early += 1

    def clear(self, matching: Callable[[Subject], bool]) -> int:
        """End the cooldowns of these at once, as if they had recovered. Returns how many there were."""
        cleared = [name for name, cooldown in self._cooldowns.items() if matching(cooldown.what)]
        self._drop(cleared)
        self.ended_early += len(cleared)
        return len(cleared)

    def keep_only(self, names: Container[Name]) -> None:
        """Forget what exists no longer."""
        gone = [name for name in self._ends if name not in names]
        self._drop(gone)
        self.ended_early += len(gone)

    def generation(self) -> int:
        """A number that is another one whenever something else is cooling than before."""
        self._drop_ended(self._clock())
        return self._generation

    def names(self) -> Collection[Name]:
        """What is cooling now."""
        self._drop_ended(self._clock())
        return self._ends.keys()

    def of(self, name: Name) -> Cooling | None:
        """Its cooldown, if it is cooling now."""
        end, cooldown = self.end(name), self._cooldowns.get(name)
        return Cooling(cooldown.what, end - self._clock(), cooldown.why) if cooldown and end != NEVER else None

    def in_force(self) -> list[Cooling]:
        """What is cooling now, in no order."""
        return [cooling for name in self.names() if (cooling := self.of(name))]

    def _drop_ended(self, now: float) -> None:
        if now >= self._next_end:
            self._drop([name for name, end in self._ends.items() if end <= now])
            self._next_end = min(self._ends.values(), default=math.inf)

    def _drop(self, names: list[Name]) -> None:
        for name in names:
            del self._ends[name], self._cooldowns[name]
        self._generation += 1
