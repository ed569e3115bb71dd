"""A bad day: how much is asked, what is down and when, which keys are worth nothing."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from balancing.plan import Attempt
from translators.errors import Kind, UpstreamError

FAILURES = ((Kind.CONNECT, 0.05), (Kind.CONNECT, 0.05), (Kind.SERVER, 1.0), (Kind.OVERLOADED, 0.3))
"""How a provider that is down fails, one as often as another, and after how many seconds."""
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Outage:
    """A provider is down from one second to another."""

    provider: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens, apart from what balancing makes of it."""

    requests: int = 1_000_000
    rate: float = 50.0
    """Requests a second."""
    down: float = 0.3
    """The part of the providers that is down at any moment; each goes down and comes back by chance."""
    outage: float = 600.0
    """How long each is down on average, in seconds."""
    outages: tuple[Outage, ...] = ()
    """Outages of named providers, which then have no others."""
    hanging: float = 0.0
    """The part of the failures that are silence until the attempt's patience ends."""
    dead_keys: float = 0.0
    """The part of the keys that are refused."""
    quota: int = 0
    """Requests that each key may make in each minute; 0 = any number."""
    seed: int = 1


class Backend:
    """One provider as it really is, whatever is thought of it."""

    def __init__(self, scenario: Scenario, name: str, key_count: int, number: int) -> None:
        self._scenario = scenario
        self._chance = random.Random(f"{scenario.seed} {number}")
        self._outages = [outage for outage in scenario.outages if outage.provider == name]
        self._is_down = self._chance.random() < scenario.down
        self._until = self._state_lasts()
        self._dead = {index for index in range(key_count) if self._chance.random() < scenario.dead_keys}
        self._key_count = key_count
        self._minute = 0
        self._used: dict[int, int] = {}
        """Requests of each key in this minute."""

    def answer(self, attempt: Attempt, now: float) -> tuple[float, UpstreamError | None]:
        """What becomes of an attempt that begins now, and after how many seconds."""
        if self.is_down(now):
            return self._failure(attempt)
        if attempt.key_index in self._dead:
            return 0.2, UpstreamError(Kind.CREDENTIALS, "This key is no good.", upstream_status=401)
        self._begin_minute(now)
        used = self._used[attempt.key_index] = self._used.get(attempt.key_index, 0) + 1
        if 0 < self._scenario.quota < used:
            wait = MINUTE - now % MINUTE
            return 0.2, UpstreamError(Kind.RATE_LIMIT, "Too many.", upstream_status=429, retry_after=wait)
        return self._chance.uniform(0.5, 3.0), None

    def could_answer(self, now: float) -> bool:
        """Whether any of its keys would be answered now."""
        self._begin_minute(now)
        return not self.is_down(now) and any(
            index not in self._dead and not 0 < self._scenario.quota <= self._used.get(index, 0)
            for index in range(self._key_count)
        )

    def is_down(self, now: float) -> bool:
        """Whether nothing it is asked is answered now. Time goes forward only."""
        if self._outages:
            return any(outage.begin <= now < outage.end for outage in self._outages)
        while now >= self._until:
            self._is_down = not self._is_down
            self._until += self._state_lasts()
        return self._is_down

    def _state_lasts(self) -> float:
        """Seconds until it goes down or comes back, so drawn that the right part of all time is outage."""
        down, outage = self._scenario.down, self._scenario.outage
        if not 0 < down < 1:
            return math.inf
        mean = outage if self._is_down else outage * (1 - down) / down
        return self._chance.expovariate(1 / mean)

    def _failure(self, attempt: Attempt) -> tuple[float, UpstreamError]:
        if self._chance.random() < self._scenario.hanging:
            return attempt.patience, UpstreamError(Kind.TIMEOUT, "Silence.")
        kind, seconds = self._chance.choice(FAILURES)
        return seconds, UpstreamError(kind, "Down.")

    def _begin_minute(self, now: float) -> None:
        minute = int(now // MINUTE)
        if minute != self._minute:
            self._minute = minute
            self._used.clear()


def parse_outage(text: str) -> Outage:
    """`NAME=FROM-TO`, in seconds from the day's beginning; `inf` = for ever. Raises ValueError."""
    name, _, period = text.rpartition("=")
    begin, _, end = period.partition("-")
    outage = Outage(name, float(begin), float(end))
    if not (name and 0 <= outage.begin < outage.end):
        raise ValueError("not NAME=FROM-TO")
    return outage


def backends(scenario: Scenario, providers: Sequence[tuple[str, int]]) -> list[Backend]:
    """One for each provider's name and number of keys."""
    return [Backend(scenario, name, keys, number) for number, (name, keys) in enumerate(providers)]
