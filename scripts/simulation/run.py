"""Requests one after the other and beside each other, on a clock that jumps from event to event."""

from __future__ import annotations

import heapq
import random
import time
from array import array
from collections import Counter
from dataclasses import dataclass, field

from balancing.channels import Catalogue, Channel
from balancing.plan import Attempt, Plan, Planner
from config.schema import ClientKey, Config
from scripts.simulation.scenario import Scenario, backends
from translators.errors import UpstreamError

SAMPLES = 200
"""So many times in all it is counted what is cooling."""


@dataclass
class Outcome:
    """What became of all requests. Times are in seconds."""

    channels: list[Channel]
    weights: list[int | None]
    """Of the channels, in their order."""
    served: Counter[str] = field(default_factory=Counter)
    """Requests by the key of the channel that served them."""
    attempts: Counter[int] = field(default_factory=Counter)
    """Requests by the number of their attempts."""
    impossible: int = 0
    """Requests that failed when no channel could have served them that they had not tried."""
    given_up: int = 0
    """Requests that failed for want of attempts or time, beside a channel that could have served them."""
    waits: array[float] = field(default_factory=lambda: array("d"))
    """From each served request's beginning to its answer."""
    channels_cooling: list[float] = field(default_factory=list)
    """The part of the channels that is cooling, sampled."""
    keys_cooling: list[float] = field(default_factory=list)
    """The part of the keys that is cooling, sampled."""
    virtual_seconds: float = 0.0
    real_seconds: float = 0.0

    @property
    def requests(self) -> int:
        return self.attempts.total()


@dataclass(slots=True)
class _Request:
    plan: Plan
    began: float
    tried: set[int] = field(default_factory=set)
    """Positions of providers."""
    attempts: int = 0


class Simulation:
    """One client key that asks for one model, all day."""

    def __init__(self, config: Config, client: ClientKey, model: str, scenario: Scenario, timeout: float) -> None:
        """`timeout`: seconds for models that the configuration has no `model_timeout` for.

        Raises LookupError when the configuration does not offer the model to the key.
        """
        self._scenario = scenario
        self._client = client
        self._model = model
        self._cooldown_period = config.preferences.cooldown_period
        self._candidates = Catalogue(config, timeout).candidates(client, model)
        if not self._candidates:
            raise LookupError(f"this key may not ask for {model!r}, or no provider offers it")
        self._backends = backends(scenario, [(each.name, max(1, len(each.keys))) for each in config.providers])
        self._now = 0.0
        self._chance = random.Random(scenario.seed)
        self._planner = Planner(lambda: self._now, self._chance, lambda line: None)
        self._events: list[tuple[float, int, _Request, Attempt, UpstreamError | None]] = []
        self._event_number = 0
        self._outcome = Outcome([each.channel for each in self._candidates], [each.weight for each in self._candidates])
        self._labels = {each.channel.label for each in self._candidates}
        self._key_count = len({key.id for each in self._candidates for key in each.channel.keys})

    def run(self) -> Outcome:
        """From the first request to the last answer."""
        began = time.perf_counter()
        arrival, left = 0.0, self._scenario.requests
        sample_every = left / self._scenario.rate / SAMPLES
        next_sample = sample_every
        while left or self._events:
            if left and (not self._events or arrival <= self._events[0][0]):
                self._now = arrival
                self._begin()
                left -= 1
                arrival += self._chance.expovariate(self._scenario.rate)
            else:
                self._now, _, request, attempt, error = heapq.heappop(self._events)
                self._end(request, attempt, error)
            if self._now >= next_sample:
                self._sample()
                next_sample += sample_every
        self._outcome.virtual_seconds = self._now
        self._outcome.real_seconds = time.perf_counter() - began
        return self._outcome

    def _begin(self) -> None:
        plan = self._planner.plan(self._client, self._model, self._candidates, cooldown_period=self._cooldown_period)
        self._try(_Request(plan, self._now))

    def _try(self, request: _Request) -> None:
        attempt = request.plan.next()
        if attempt is None:
            self._failed(request)
            return
        request.attempts += 1
        request.tried.add(attempt.channel.position)
        seconds, error = self._backends[attempt.channel.position].answer(attempt, self._now)
        self._event_number += 1
        heapq.heappush(self._events, (self._now + seconds, self._event_number, request, attempt, error))

    def _end(self, request: _Request, attempt: Attempt, error: UpstreamError | None) -> None:
        if error is not None:
            request.plan.failed(attempt, error)
            self._try(request)
            return
        request.plan.succeeded(attempt)
        self._outcome.served[attempt.channel.key] += 1
        self._outcome.attempts[request.attempts] += 1
        self._outcome.waits.append(self._now - request.began)

    def _failed(self, request: _Request) -> None:
        untried = {channel.position for channel in self._outcome.channels} - request.tried
        self._outcome.attempts[request.attempts] += 1
        if any(self._backends[position].could_answer(self._now) for position in untried):
            self._outcome.given_up += 1
        else:
            self._outcome.impossible += 1

    def _sample(self) -> None:
        cooling = self._planner.cooling()
        channels = sum(str(each.what) in self._labels for each in cooling)
        self._outcome.channels_cooling.append(channels / len(self._candidates))
        self._outcome.keys_cooling.append((len(cooling) - channels) / self._key_count)
