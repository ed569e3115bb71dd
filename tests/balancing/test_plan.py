"""One request's attempts: what is tried next, and how often."""

import re

import pytest

from tests.balancing.world import World, begun, client, error, of_duplicates, provider, shown
from translators.errors import Kind

AB = (provider("a", keys=["one", "two"]), provider("b"))
VERTEX = provider("v", "gemini-2.5-pro:m", engine="vertex", keys=[], regions=("global", "us-east5", "europe-west1"))

FAULTS_OF_THE_CHANNEL = [
    Kind.CONNECT,
    Kind.CLOSED,
    Kind.TIMEOUT,
    Kind.SERVER,
    Kind.OVERLOADED,
    Kind.EMPTY,
    Kind.MALFORMED,
    Kind.NOT_FOUND,
]
FAULTS_OF_THE_KEY = [Kind.RATE_LIMIT, Kind.CREDENTIALS]
NOBODYS_FAULT = [Kind.TOO_LARGE, Kind.UNSUITABLE, Kind.INTERNAL]
FAULTS_OF_THE_REQUEST = [Kind.BAD_REQUEST, Kind.BLOCKED]


# --- the table ---


def test_every_kind_of_failure_has_its_row() -> None:
    """None is left to chance."""
    rows = [*FAULTS_OF_THE_CHANNEL, *FAULTS_OF_THE_KEY, *NOBODYS_FAULT, *FAULTS_OF_THE_REQUEST]
    assert sorted(kind.name for kind in rows) == sorted(kind.name for kind in Kind)


@pytest.mark.parametrize("kind", FAULTS_OF_THE_CHANNEL)
def test_the_channels_fault(kind: Kind) -> None:
    """The next candidate, not the next key; the channel cools for the whole period."""
    world = World(*AB)
    assert world.all_attempts(kind) == ["a:one", "b"]
    assert world.cooling == {"a/m": 300, "b/m": 300}


@pytest.mark.parametrize("kind", FAULTS_OF_THE_KEY)
def test_the_keys_fault(kind: Kind) -> None:
    """The next key of the channel, then the next candidate; only the keys cool."""
    world = World(*AB)
    assert world.all_attempts(kind) == ["a:one", "a:two", "b"]
    assert world.cooling == {"a, key sk-…one": 300, "a, key sk-…two": 300, "b, key sk-…one": 300}


@pytest.mark.parametrize("kind", NOBODYS_FAULT)
def test_nobodys_fault(kind: Kind) -> None:
    """Every candidate once, whatever keys it has; nothing cools."""
    world = World(*AB)
    assert world.all_attempts(kind) == ["a:one", "b"]
    assert world.cooling == {}


@pytest.mark.parametrize("kind", FAULTS_OF_THE_REQUEST)
def test_the_requests_fault(kind: Kind) -> None:
    """The client is told at once; nothing cools, and nothing else is tried."""
    world = World(*AB)
    plan = world.plan()
    assert not plan.failed(begun(plan), error(kind))
    assert plan.next() is None
    assert world.cooling == {}


def test_a_clients_leaving_is_nobodys_fault() -> None:
    """Nothing cools, and nothing else is tried."""
    world = World(*AB)
    plan = world.plan()
    plan.cancelled(begun(plan))
    assert plan.next() is None
    assert world.cooling == {}


@pytest.mark.parametrize("kind", [*FAULTS_OF_THE_CHANNEL, *FAULTS_OF_THE_KEY])
def test_what_breaks_after_commit_cools_the_channel(kind: Kind) -> None:
    """Whatever it broke with; and the request is over."""
    world = World(*AB)
    plan = world.plan()
    plan.broken_after_commit(begun(plan), error(kind))
    assert plan.next() is None
    assert world.cooling == {"a/m": 300}


@pytest.mark.parametrize("kind", [*NOBODYS_FAULT, *FAULTS_OF_THE_REQUEST])
def test_a_providers_refusal_after_commit_cools_nothing(kind: Kind) -> None:
    """A safety filter that steps in half way is no outage, and neither is a bug of ours."""
    world = World(*AB)
    plan = world.plan()
    plan.broken_after_commit(begun(plan), error(kind))
    assert world.cooling == {}


def test_nothing_follows_a_success() -> None:
    """The request is over."""
    world = World(*AB)
    plan = world.plan()
    plan.succeeded(begun(plan))
    assert plan.next() is None


# --- how many attempts ---


def test_auto_retry_is_on_by_default() -> None:
    """All candidates with all their keys, and never one more."""
    world = World(*AB, provider("c", keys=["one", "two", "three"]))
    assert len(world.all_attempts(Kind.RATE_LIMIT)) == 6


@pytest.mark.parametrize(("auto_retry", "count"), [(False, 1), (1, 1), (2, 2), (3, 3), (9, 3)])
def test_auto_retry_limits_the_attempts(auto_retry: bool | int, count: int) -> None:
    """False is one attempt, a number that many at most."""
    world = World(*AB, client=client(auto_retry=auto_retry))
    assert len(world.all_attempts(Kind.RATE_LIMIT)) == count


def test_what_was_never_sent_is_no_attempt() -> None:
    """An engine that cannot say what the request wants does not use up the only attempt there is."""
    world = World(*AB, client=client(auto_retry=False))
    plan = world.plan()
    assert plan.failed(begun(plan), error(Kind.UNSUITABLE))
    assert shown(begun(plan)) == "b"
    assert plan.next() is None


def test_attempts_are_numbered() -> None:
    """From one, as people count."""
    plan = World(*AB).plan()
    first = begun(plan)
    plan.failed(first, error(Kind.SERVER))
    assert (first.number, begun(plan).number) == (1, 2)


def test_no_attempt_begins_after_twice_the_timeout() -> None:
    """However many candidates are left."""
    world = World(*of_duplicates(provider("p"), 5), timeout=100)
    plan = world.plan()
    attempt = begun(plan)
    world.clock.now += 100
    plan.failed(attempt, error(Kind.TIMEOUT))
    attempt = begun(plan)
    world.clock.now += 99.9
    plan.failed(attempt, error(Kind.SERVER))
    attempt = begun(plan)
    world.clock.now += 0.1
    plan.failed(attempt, error(Kind.SERVER))
    assert plan.next() is None


def test_the_last_attempt_waits_no_longer_than_the_request_has_left() -> None:
    """Its channel cools if that was half of its timeout at least, and not for what it had no time for."""
    for seconds, cooling in ((101, {"a/m", "b/m"}), (160, {"a/m"})):
        world = World(provider("a"), provider("b"), timeout=100)
        plan = world.plan()
        attempt = begun(plan)
        assert (attempt.patience, attempt.timeout) == (100, 100)
        world.clock.now += seconds
        plan.failed(attempt, error(Kind.CLOSED))
        attempt = begun(plan)
        assert (attempt.patience, attempt.timeout) == (200 - seconds, 100)
        world.clock.now += attempt.patience
        plan.failed(attempt, error(Kind.TIMEOUT))
        assert plan.next() is None
        assert set(world.cooling) == cooling


def test_of_several_timeouts_the_longest_counts() -> None:
    """A quick provider's short timeout does not take away the slow one's time, before it or behind it."""
    quick, slow = provider("quick", model_timeout={"m": 10.0}), provider("slow", model_timeout={"m": 100.0})
    for providers in [(quick, slow), (slow, quick)]:
        world = World(*providers)
        plan = world.plan()
        attempt = begun(plan)
        world.clock.now += attempt.patience
        plan.failed(attempt, error(Kind.TIMEOUT))
        second = begun(plan)
        assert second.patience == second.timeout


# --- what is told ---


def test_every_cooldown_is_one_line_in_the_log() -> None:
    """What, for how long, and why; no key, and nothing of what the provider said."""
    world = World(provider("a", keys=["one"]), VERTEX)
    plan = world.plan()
    plan.failed(begun(plan), error(Kind.CREDENTIALS, status=401))
    plan.failed(begun(plan), error(Kind.NOT_FOUND, status=404))
    plan.failed(begun(plan), error(Kind.TIMEOUT))
    assert world.log == [
        "cooling down a, key sk-…one for 300 s: credentials, status 401",
        "cooling down v/gemini-2.5-pro in global for 300 s: not_found, status 404",
        "cooling down v/gemini-2.5-pro for 300 s: timeout",
    ]


def test_a_cooldown_that_changes_nothing_is_not_logged() -> None:
    """A shorter one within a longer."""
    world = World(provider("a"))
    world.fail_first(Kind.SERVER)
    world.fail_first(Kind.OVERLOADED, retry_after=1)
    assert len(world.log) == 1


def test_the_attempt_says_what_to_use() -> None:
    """Channel, key, place of the key, region, timeout; the key does not show in its repr."""
    world = World(provider("a", keys=["one", "two"]))
    world.serve()
    attempt = begun(world.plan())
    assert attempt.key is not None
    assert attempt.key.reveal() == "sk-a-two-and-so-on-two"
    assert (attempt.channel.label, attempt.key_index, attempt.region, attempt.timeout) == ("a/m", 1, "", 100)
    assert not re.search("two-and", repr(attempt))


def test_the_longest_cooldown_is_shown_first() -> None:
    """Channels, keys and regions together."""
    world = World(provider("a", cooldown_period=5.0), provider("b"), VERTEX)
    plan = world.plan()
    plan.failed(begun(plan), error(Kind.SERVER))
    plan.failed(begun(plan), error(Kind.RATE_LIMIT, retry_after=50))
    plan.failed(begun(plan), error(Kind.NOT_FOUND))
    cooling = world.planner.cooling()
    assert [each.seconds_left for each in cooling] == [300, 50, 5]
    assert [each.why for each in cooling] == ["not_found", "rate_limit", "server"]


def test_turns_take_bounded_memory() -> None:
    """A client that asks for one model by very many beginnings of its name makes others forget, not the memory grow."""
    world = World(provider("a", "m" * 12_000))
    for length in range(1, 12_000):
        world.plan(asked="m" * length + "*")
    assert len(world.planner._schedules) == 10_000
