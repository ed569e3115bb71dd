"""No order of events makes a plan break its rules.

Beside the planner runs a plain record of what should be cooling and whose turn it should be. Requests
begin, fail in every way, succeed and are given up, in any order and many at once, while time jumps
and configurations come and go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from balancing.blame import Blame, blame_for
from balancing.channels import Candidate, Channel
from balancing.plan import Attempt, Plan
from tests.balancing.world import World, client, error, provider
from translators.errors import Kind

PERIOD = 300.0
TIMEOUT = 100.0
PROVIDERS = (
    provider("a", keys=["one", "two"]),
    provider("b"),
    provider("c", "x:m", "y:m", keys=["one", "two", "three"]),
    provider("v", "gemini:m", engine="vertex", keys=[], regions=("east", "west", "north")),
    provider("a", keys=["one", "other"]),
    provider("free", keys=[]),
)
WEIGHTS: dict[str, int | None] = {"a": 3, "b": None, "c": 1, "v": 2, "free": 1}

KINDS = [*Kind, *5 * [Kind.RATE_LIMIT], Kind.CREDENTIALS, Kind.NOT_FOUND]
"""Some more often, so that keys and regions come into it as often as channels."""
WAITS = [None, None, 0.0, 2.0, 30.0, 5000.0]
REQUESTS_AT_ONCE = 4

type Way = tuple[str, str, str]
"""Channel, key id, region."""
type Name = str | tuple[str, str]
"""Of what fails: a channel's key, a key's id, or a channel and what of it (a key, a region) has failed."""


def ways(channel: Channel) -> list[Way]:
    """Every way to use a channel, without those that are the same."""
    return list(dict.fromkeys((channel.key, key.id, region) for key in channel.keys for region in channel.regions))


def way_of(attempt: Attempt) -> Way:
    """The way that an attempt takes."""
    return attempt.channel.key, attempt.upstream_key.id, attempt.region


@dataclass
class Request:
    """One request, and what it may not try any more."""

    plan: Plan
    candidates: Sequence[Candidate]
    began: float
    tried: list[Way] = field(default_factory=list)
    running: list[Attempt] = field(default_factory=list)
    without: set[Name] = field(default_factory=set)
    """Channels, and pairs of a channel and one of its keys or regions."""

    def is_spent(self, way: Way) -> bool:
        """Whether it has been tried, or something that it needs has failed."""
        channel, key, region = way
        return way in self.tried or not self.without.isdisjoint({channel, (channel, key), (channel, region)})


class Events(RuleBasedStateMachine):
    """See the module's docstring."""

    @initialize(
        algorithm=st.sampled_from(["fixed_priority", "round_robin", "random", "weighted_round_robin", "lottery"]),
        seed=st.integers(0, 5),
    )
    def begin(self, algorithm: str, seed: int) -> None:
        self.algorithm = algorithm
        rules = [name + "/*" if weight is None else (name + "/*", weight) for name, weight in WEIGHTS.items()]
        key = client(*rules, scheduling_algorithm=algorithm)
        self.world = World(*PROVIDERS, client=key, cooldown_period=PERIOD, timeout=TIMEOUT, seed=seed)
        self.requests: list[Request] = []
        self.ends: dict[Name, tuple[float, float]] = {}
        """End and last failure of what cools: channels by key, keys by id, regions by channel and region."""
        self.last_channel = ""
        self.last_keys: dict[tuple[str, int], str] = {}

    # --- events ---

    @rule(data=st.data())
    def attempt(self, data: st.DataObject) -> None:
        """Of a new request, or one more of a request whose last is still on."""
        place = data.draw(st.integers(0, REQUESTS_AT_ONCE - 1))
        if place >= len(self.requests):
            candidates = self.world.catalogue.candidates(self.world.client, "m")
            self.requests.append(Request(self.world.plan(), candidates, self.now))
            place = -1
        self.next_attempt(self.requests[place])

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def hedge(self, data: st.DataObject) -> None:
        """A second attempt beside one that is on: only at what is free, and at another channel."""
        request = data.draw(st.sampled_from(self.requests))
        free = [way for way in self.unspent(request) if self.recovery(way) <= self.now]
        attempt = request.plan.beside()
        if attempt is None:
            return
        way = way_of(attempt)
        assert way in free, "no second attempt at what cools, or has failed in this request"
        assert attempt.channel.key not in {each.channel.key for each in request.running}
        self.last_keys[attempt.channel.entry] = attempt.upstream_key.id
        request.tried.append(way)
        request.running.append(attempt)

    @rule(text=st.sampled_from(["", "a/", "b", "key", "east", "nothing of that name"]))
    def clear(self, text: str) -> None:
        """A person ends cooldowns by name."""
        before = {str(cooling.what) for cooling in self.world.planner.cooling()}
        self.world.planner.clear_cooldowns(text)
        left = {str(cooling.what) for cooling in self.world.planner.cooling()}
        assert left == {what for what in before if text not in what}
        self.ends = {name: ends for name, ends in self.ends.items() if self.is_cooling(name)}

    @precondition(lambda self: self.requests)
    @rule(data=st.data(), failures=st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(WAITS)), min_size=1))
    def fail(self, data: st.DataObject, failures: list[tuple[Kind, float | None]]) -> None:
        """One attempt after another, until the request is over or the list is."""
        request = data.draw(st.sampled_from(self.requests))
        for kind, retry_after in failures:
            if not request.running:
                break
            attempt = request.running.pop(data.draw(st.integers(0, len(request.running) - 1)))
            self.fail_attempt(request, attempt, kind, retry_after)
            if request not in self.requests:
                break
            self.next_attempt(request)

    @precondition(lambda self: self.requests)
    @rule(data=st.data(), outcome=st.sampled_from(["success", "success", "broken after commit", "client gone"]))
    def end(self, data: st.DataObject, outcome: str) -> None:
        """A request ends, well or not."""
        request = data.draw(st.sampled_from(self.requests))
        attempt = data.draw(st.sampled_from(request.running))
        if outcome == "success":
            request.plan.succeeded(attempt)
            self.heal(attempt)
        elif outcome == "broken after commit":
            request.plan.broken_after_commit(attempt, error(Kind.CLOSED))
            self.cool(Blame.CHANNEL, attempt, PERIOD)
        else:
            request.plan.cancelled(attempt)
        assert request.plan.next() is None
        self.requests.remove(request)

    @rule(seconds=st.sampled_from([0.001, 1.0, 2.5, 20.0, 99.0, 201.0, 301.0]))
    def time_goes_by(self, seconds: float) -> None:
        """A little, or so much that everything has recovered."""
        self.world.clock.now += seconds

    @rule(gone=st.sets(st.sampled_from(range(len(PROVIDERS))), max_size=3), backwards=st.booleans())
    def reload(self, gone: set[int], backwards: bool) -> None:
        """Some providers go, or come back, perhaps in another order."""
        kept = [each for position, each in enumerate(PROVIDERS) if position not in gone]
        self.world.reload(*(reversed(kept) if backwards else kept))
        self.forget_what_is_gone()

    def next_attempt(self, request: Request) -> None:
        """What the plan gives has to be what the record allows."""
        is_free = {way: self.recovery(way) <= self.now for way in self.unspent(request)}
        recoveries = [self.recovery(way) for way in is_free]
        expected_first = self.expected_first(request)
        attempt = request.plan.next()
        if attempt is None:
            assert not is_free or self.now - request.began >= 2 * TIMEOUT
            if not request.running:
                self.requests.remove(request)
            return
        way = way_of(attempt)
        assert self.now - request.began < 2 * TIMEOUT
        assert way not in request.tried
        assert way in is_free, "nothing that has failed in this request is tried again"
        if not is_free[way]:
            assert not any(is_free.values()), "nothing that cools is used while another is free"
            assert self.recovery(way) == min(recoveries), "what recovers soonest is tried"
        self.check_turns(request, attempt, is_free, expected_first)
        request.tried.append(way)
        request.running.append(attempt)

    def fail_attempt(self, request: Request, attempt: Attempt, kind: Kind, retry_after: float | None) -> None:
        goes_on = request.plan.failed(attempt, error(kind, retry_after))
        blame = blame_for(kind, has_regions=attempt.channel.has_regions)
        assert goes_on == (blame is not Blame.REQUEST)
        if not goes_on:
            assert request.plan.next() is None
            self.requests.remove(request)
            return
        channel, key, region = way_of(attempt)
        if blame in (Blame.CHANNEL, Blame.MATCH):
            request.without.add(channel)
        elif blame is Blame.KEY:
            request.without.add((channel, key))
        elif kind is Kind.NOT_FOUND:
            request.without.add((channel, region))
        if kind is not Kind.TIMEOUT or attempt.patience >= attempt.timeout / 2:
            self.cool(blame, attempt, PERIOD if retry_after is None else min(retry_after, PERIOD))

    # --- the record ---

    @property
    def now(self) -> float:
        return self.world.clock.now

    def eligible(self, request: Request) -> list[Channel]:
        weighted = [candidate for candidate in request.candidates if candidate.weight]
        by_weight = self.algorithm in ("weighted_round_robin", "lottery")
        return [candidate.channel for candidate in (weighted if by_weight and weighted else request.candidates)]

    def unspent(self, request: Request) -> list[Way]:
        every = [way for channel in self.eligible(request) for way in ways(channel)]
        return [way for way in every if not request.is_spent(way)]

    def recovery(self, way: Way) -> float:
        """When it is free; the same past for all that are."""
        channel, key, region = way
        end = max(self.ends.get(name, (0.0, 0.0))[0] for name in (channel, key, (channel, region)))
        return end if end > self.now else 0.0

    def cool(self, blame: Blame, attempt: Attempt, seconds: float) -> None:
        channel, key, region = way_of(attempt)
        names: dict[Blame, Name] = {Blame.CHANNEL: channel, Blame.KEY: key, Blame.REGION: (channel, region)}
        name = names.get(blame)
        if name is not None and (seconds > 0 or name in self.ends):
            self.ends[name] = max(self.ends.get(name, (0.0, 0.0))[0], self.now + seconds), self.now

    def is_cooling(self, name: Name) -> bool:
        upstreams = self.world.planner._upstreams
        if isinstance(name, tuple):
            return upstreams.regions.is_cooling(name)
        return upstreams.channels.is_cooling(name) or upstreams.keys.is_cooling(name)

    def heal(self, attempt: Attempt) -> None:
        channel, key, region = way_of(attempt)
        for name in (channel, key, (channel, region)):
            if name in self.ends and attempt.started >= self.ends[name][1]:
                del self.ends[name]

    def forget_what_is_gone(self) -> None:
        channels = self.world.catalogue.channels
        names = {name for channel in channels for way in ways(channel) for name in (*way[:2], (way[0], way[2]))}
        self.ends = {name: ends for name, ends in self.ends.items() if name in names}
        entries = {channel.entry for channel in channels}
        self.last_keys = {entry: key for entry, key in self.last_keys.items() if entry in entries}

    # --- turns ---

    def expected_first(self, request: Request) -> str | None:
        """The channel that a round robin has to begin with; None where that cannot be said."""
        channels = [channel.key for channel in self.eligible(request)]
        if self.algorithm != "round_robin" or request.tried or self.last_channel not in channels:
            return None
        place = channels.index(self.last_channel) + 1
        usable = {way[0] for way in self.unspent(request) if self.recovery(way) <= self.now}
        return next((channel for channel in channels[place:] + channels[:place] if channel in usable), None)

    def check_turns(
        self, request: Request, attempt: Attempt, is_free: dict[Way, bool], expected_first: str | None
    ) -> None:
        channel = attempt.channel
        if expected_first is not None:
            assert channel.key == expected_first, "a round robin keeps its place"
        if self.algorithm == "round_robin" and not request.tried and is_free[way_of(attempt)]:
            self.last_channel = channel.key
        keys = [key.id for key in channel.keys]
        last = self.last_keys.get(channel.entry)
        if len(keys) > 1 and last in keys and is_free[way_of(attempt)]:
            place = keys.index(last) + 1
            usable = {way[1] for way, free in is_free.items() if free and way[0] == channel.key}
            expected = next(key for key in keys[place:] + keys[:place] if key in usable)
            assert attempt.upstream_key.id == expected, "the keys keep their turn"
        self.last_keys[channel.entry] = attempt.upstream_key.id


Events.TestCase.settings = settings(max_examples=200, stateful_step_count=50)
test_no_order_of_events_breaks_the_rules = Events.TestCase
