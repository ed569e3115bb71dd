"""One request's attempts, and the state that all requests share.

    next() ──▶ attempt ──▶ succeeded              a cooldown of what it went by ends
       ▲          ├──────▶ cancelled              the client went away: nobody's fault
       │          ├──────▶ broken_after_commit    the channel cools; no other attempt
       └──────────┴──────▶ failed                 what is to blame cools (balancing.blame); True: go on

Streams and whole answers go by the same plan. Nothing is awaited in here, so no decision sees half of another.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cachetools import LRUCache

from balancing.blame import Blame, blame_for
from balancing.channels import Candidate, Catalogue, Channel
from balancing.cooldown import Cooling
from balancing.keys import UpstreamKey
from balancing.recovery import RecoveryQueue
from balancing.schedule import FixedPriority, Lottery, Random, RoundRobin, Schedule, WeightedRoundRobin
from balancing.upstreams import ChannelState, Spent, Upstreams, Way
from config.schema import ClientKey
from config.secrets import Secret
from translators.errors import Kind, UpstreamError

SCHEDULES_KEPT = 10_000
"""So many pairs of client key and asked model have their turns remembered, those that were asked for last."""
TIMEOUTS_IN_ALL = 2
"""A request's attempts may last as long as so many of its model's timeouts, from its beginning to the first output."""
FAIR_PART = 0.5
"""Silence for so much of its timeout is held against a provider, also when the request had no time for the rest."""


@dataclass(frozen=True, slots=True, eq=False)
class Attempt:
    """One channel, by one key and in one region, for one request. Times are in seconds."""

    channel: Channel
    key: Secret | None
    """None: the provider has other credentials, or wants none."""
    key_index: int
    region: str
    """Empty where the provider has no regions."""
    timeout: float
    """The model's timeout."""
    patience: float
    """How long to wait for the first output: the timeout, or less when the request's time runs out before that."""
    number: int
    """From 1."""
    started: float
    """On the planner's clock."""

    @property
    def upstream_key(self) -> UpstreamKey:
        """The key, also where it is no secret."""
        return self.channel.keys[self.key_index]


class Planner:
    """The state behind all plans: cooldowns, turns, counters. One per gateway; it outlives configurations."""

    def __init__(self, clock: Callable[[], float], random: random.Random, log: Callable[[str], None]) -> None:
        """`clock` is monotonic, in seconds; `log` gets a line for each cooldown, nothing secret in it."""
        self._clock = clock
        self._chance = random
        self._log = log
        self._upstreams = Upstreams(clock, random)
        self._schedules: LRUCache[tuple[Secret, str, str], Schedule] = LRUCache(SCHEDULES_KEPT)

    def plan(self, client: ClientKey, asked: str, candidates: Sequence[Candidate], *, cooldown_period: float) -> Plan:
        """A plan for a request that begins now; `cooldown_period` is the general one, in seconds."""
        retry = client.preferences.auto_retry
        return Plan(
            self._upstreams,
            self._schedule(client, asked),
            candidates,
            attempts=math.inf if retry is True else max(1, retry),
            cooldown_period=cooldown_period,
            clock=self._clock,
            log=self._log,
        )

    def forget_absent(self, catalogue: Catalogue) -> None:
        """Keep the state of what this catalogue has, and no other. For reloads."""
        self._upstreams.keep_only(catalogue.channels)
        for place in [place for place in self._schedules if not catalogue.lists(place[0])]:
            del self._schedules[place]

    def outlook(self, client: ClientKey, asked: str, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Which of these a request that began now would try, in which order, were all of them free; nobody's turn
        is used up. An algorithm that draws would draw anew."""
        order: list[Candidate] = []

        def look(candidate: Candidate) -> None:
            if candidate not in order:
                order.append(candidate)

        schedule = self._schedule(client, asked)
        for _ in schedule.order(candidates, look):
            pass
        return order + [candidate for candidate in schedule.eligible(candidates) if candidate not in order]

    def state(self, channel: Channel) -> ChannelState:
        """How the channel is just now."""
        return self._upstreams.state(channel)

    def cooling(self) -> list[Cooling]:
        """Every cooldown in force, the longest first."""
        return self._upstreams.cooling()

    def clear_cooldowns(self, matching: str) -> int:
        """End the cooldowns of what has this text in its name; of everything, if it is empty. Gives their number."""
        return self._upstreams.clear(lambda what: matching in str(what))

    def _schedule(self, client: ClientKey, asked: str) -> Schedule:
        algorithm = client.preferences.scheduling_algorithm
        place = (client.api, asked, algorithm)
        schedule = self._schedules.get(place)
        if schedule is None:
            schedule = self._schedules[place] = self._new_schedule(algorithm)
        return schedule

    def _new_schedule(self, algorithm: str) -> Schedule:
        match algorithm:
            case "fixed_priority":
                return FixedPriority()
            case "round_robin":
                return RoundRobin()
            case "random":
                return Random(self._chance)
            case "weighted_round_robin":
                return WeightedRoundRobin(self._upstreams.channels)
            case "lottery":
                return Lottery(self._chance)
        raise ValueError(f"no scheduling algorithm is called {algorithm!r}")


class Plan:
    """One request's attempts: what is next, and what each outcome means for it and for others.

    First what is free, in the order of the schedule; then, with everything cooling, what recovers soonest.
    A channel is never used twice with the same key and region.
    """

    def __init__(
        self,
        upstreams: Upstreams,
        schedule: Schedule,
        candidates: Sequence[Candidate],
        *,
        attempts: float,
        cooldown_period: float,
        clock: Callable[[], float],
        log: Callable[[str], None],
    ) -> None:
        self._upstreams = upstreams
        self._schedule = schedule
        self._candidates = candidates
        self._attempts_left = attempts
        self._cooldown_period = cooldown_period
        self._clock = clock
        self._log = log
        self._order = schedule.order(candidates, self._begin)
        self._recovering: RecoveryQueue | None = None
        self._same_channel: Attempt | None = None
        """The attempt that failed for its key or region, while its channel has not been tried again."""
        self._spent: dict[str, Spent] = {}
        self._number = 0
        self._began = clock()
        self._longest_timeout = 0.0

    def next(self) -> Attempt | None:
        """What to try now. None: nothing is left, of attempts, of candidates and keys, or of time."""
        if self._attempts_left <= 0:
            return None
        attempt = self._at_same_channel() or next(self._order, None) or self._half_open()
        if attempt is not None:
            self._attempts_left -= 1
        return attempt

    def beside(self) -> Attempt | None:
        """A second attempt while one is on: at the next candidate that is free. What cools is not tried for this."""
        attempt = next(self._order, None) if self._attempts_left > 0 else None
        if attempt is not None:
            self._attempts_left -= 1
        return attempt

    def succeeded(self, attempt: Attempt) -> None:
        """It was answered to the end."""
        self._attempts_left = 0
        self._upstreams.heal(attempt.channel, attempt.upstream_key, attempt.region, attempt.started)

    def failed(self, attempt: Attempt, error: UpstreamError) -> bool:
        """It failed before any output. True: call `next`; False: the client gets this error at once."""
        blame = blame_for(error.kind, has_regions=attempt.channel.has_regions)
        if blame is Blame.REQUEST:
            self._attempts_left = 0
            return False
        if error.kind is Kind.UNSUITABLE:
            self._attempts_left += 1  # nothing was sent
        self._go_on_without(blame, attempt, error.kind)
        was_cut_short = error.kind is Kind.TIMEOUT and attempt.patience < FAIR_PART * attempt.timeout
        if blame is not Blame.MATCH and not was_cut_short:
            self._cool(blame, attempt, error)
        return True

    def broken_after_commit(self, attempt: Attempt, error: UpstreamError) -> None:
        """It broke when the client had some of its output already: no other attempt can mend that."""
        self._attempts_left = 0
        if blame_for(error.kind, has_regions=False) in (Blame.CHANNEL, Blame.KEY):
            self._cool(Blame.CHANNEL, attempt, error)

    def cancelled(self, attempt: Attempt) -> None:
        """The client went away: the request is over, and it is nobody's fault."""
        self._attempts_left = 0

    def _at_same_channel(self) -> Attempt | None:
        """By another key or region of the channel that failed last."""
        failed, self._same_channel = self._same_channel, None
        return failed and self._begin_at(failed.channel, failed.timeout)

    def _half_open(self) -> Attempt | None:
        """Nothing is free: by the way that recovers soonest."""
        if self._recovering is None:
            self._recovering = RecoveryQueue(
                self._schedule.eligible(self._candidates), self._recovery, lambda: self._upstreams.ended_early
            )
        candidate = self._recovering.soonest()
        if candidate is None or self._is_too_late(candidate.timeout):
            return None
        channel = candidate.channel
        found = self._upstreams.soonest_way(channel, self._spent.get(channel.key))
        return found and self._attempt(channel, found[1], candidate.timeout)

    def _recovery(self, candidate: Candidate) -> float | None:
        found = self._upstreams.soonest_way(candidate.channel, self._spent.get(candidate.channel.key))
        return found and found[0]

    def _begin(self, candidate: Candidate) -> Attempt | None:
        return self._begin_at(candidate.channel, candidate.timeout)

    def _begin_at(self, channel: Channel, timeout: float) -> Attempt | None:
        way = self._upstreams.free_way(channel, self._spent.get(channel.key))
        if way is None or self._is_too_late(timeout):
            return None
        return self._attempt(channel, way, timeout)

    def _is_too_late(self, timeout: float) -> bool:
        return self._time_left(timeout) <= 0

    def _time_left(self, timeout: float) -> float:
        """What the request has left for an attempt with this timeout; of several timeouts, the longest counts."""
        time_in_all = TIMEOUTS_IN_ALL * max(timeout, self._longest_timeout)
        return self._began + time_in_all - self._clock()

    def _attempt(self, channel: Channel, way: Way, timeout: float) -> Attempt:
        self._upstreams.took(channel, way)
        self._spent.setdefault(channel.key, Spent()).ways.add((way.key.id, way.region))
        self._longest_timeout = max(timeout, self._longest_timeout)
        self._number += 1
        return Attempt(
            channel=channel,
            key=way.key.secret,
            key_index=way.key_index,
            region=way.region,
            timeout=timeout,
            patience=min(timeout, self._time_left(timeout)),
            number=self._number,
            started=self._clock(),
        )

    def _go_on_without(self, blame: Blame, attempt: Attempt, kind: Kind) -> None:
        """Leave what is to blame out of this request, whether it cools down or not."""
        spent = self._spent[attempt.channel.key]
        if blame in (Blame.CHANNEL, Blame.MATCH):
            spent.whole = True
            return
        self._same_channel = attempt
        if blame is Blame.KEY:
            spent.keys.add(attempt.upstream_key.id)
        elif kind is Kind.NOT_FOUND:  # with another key, too; a quota is each key's own
            spent.regions.add(attempt.region)

    def _cool(self, blame: Blame, attempt: Attempt, error: UpstreamError) -> None:
        preferences = attempt.channel.provider.preferences
        period = preferences.cooldown_period
        if blame is Blame.KEY and preferences.api_key_cooldown_period is not None:
            period = preferences.api_key_cooldown_period
        if period is None:
            period = self._cooldown_period
        seconds = period if error.retry_after is None else min(error.retry_after, period)
        status = f", status {error.upstream_status}" if error.upstream_status else ""
        why = error.kind.value + status
        what = self._upstreams.cool(blame, attempt.channel, attempt.upstream_key, attempt.region, seconds, why)
        if what:
            self._log(f"cooling down {what} for {seconds:g} s: {why}")
