"""Whose turn it is among a provider's keys."""

from collections import Counter

import pytest

from balancing.keys import key_limit
from config.rates import Rate
from tests.balancing.world import World, begun, client, error, provider, shown
from translators.errors import Kind

THREE = ["one", "two", "three"]


def test_keys_take_turns() -> None:
    """Always, whatever the algorithm for channels."""
    assert World(provider("a", keys=THREE)).serve_many(4) == ["a:one", "a:two", "a:three", "a:one"]


def test_keys_take_turns_per_provider() -> None:
    """All models of a provider, and all clients, move the same turn; another entry has its own."""
    world = World(provider("a", "m", "n", keys=THREE), provider("b", "n", keys=THREE))
    other = client(key="sk-other")
    world.reload(*world.config.providers, clients=[world.client, other])
    assert world.serve(asked="m") == "a:one"
    assert world.serve(other, asked="n") == "a:two"
    assert world.serve(asked="m") == "a:three"
    world.reload(*world.config.providers, clients=[client("b/*")])
    assert world.serve(asked="n") == "b:one"


def test_two_entries_of_one_name_have_their_own_turns() -> None:
    """Their keys stay their own."""
    rules = client(scheduling_algorithm="round_robin")
    world = World(provider("a", keys=["one", "two"]), provider("a", keys=["three", "four"]), client=rules)
    assert world.serve_many(4) == ["a:one", "a:three", "a:two", "a:four"]


def test_fixed_priority_uses_the_first_free_key() -> None:
    """The others are for when it cools."""
    world = World(provider("a", keys=THREE, api_key_schedule_algorithm="fixed_priority"))
    assert world.serve_many(2) == ["a:one", "a:one"]
    world.fail_first(Kind.RATE_LIMIT)
    assert world.serve_many(2) == ["a:two", "a:two"]


def test_random_draws_keys_evenly() -> None:
    """Each as often as another, within four standard deviations."""
    world = World(provider("a", keys=THREE, api_key_schedule_algorithm="random"))
    served = Counter(world.serve_many(3000))
    assert all(abs(served[f"a:{key}"] - 1000) < 4 * 26 for key in THREE)


@pytest.mark.parametrize("kind", [Kind.RATE_LIMIT, Kind.CREDENTIALS])
def test_a_cooling_key_is_skipped(kind: Kind) -> None:
    """The others go on taking turns."""
    world = World(provider("a", keys=THREE))
    assert world.fail_first(kind) == "a:one"
    assert world.serve_many(4) == ["a:two", "a:three", "a:two", "a:three"]
    world.clock.now += 300
    assert set(world.serve_many(3)) == {"a:one", "a:two", "a:three"}


def test_a_reload_keeps_the_turn() -> None:
    """Also when keys come and go; a key that is gone takes its cooldown with it."""
    world = World(provider("a", keys=THREE))
    assert world.serve() == "a:one"
    world.reload(provider("a", keys=["zero", *THREE]))
    assert world.serve() == "a:two"
    assert world.fail_first(Kind.RATE_LIMIT) == "a:three"
    world.reload(provider("a", keys=["one", "three"]))
    assert world.serve_many(2) == ["a:one", "a:one"]
    world.reload(provider("a", keys=["one"]))
    assert world.cooling == {}


def test_a_key_listed_twice_has_two_turns_but_one_cooldown() -> None:
    """And no request tries it twice."""
    world = World(provider("a", keys=["one", "one", "two"]), cooldown_period=0)
    assert world.serve_many(3) == ["a:one", "a:one", "a:two"]
    assert world.all_attempts(Kind.RATE_LIMIT) == ["a:one", "a:two"]


def test_entries_that_share_a_key_do_not_share_its_troubles() -> None:
    """Two servers that both take any key are two servers."""
    same = World(provider("a"), provider("a"), client=client(scheduling_algorithm="round_robin"))
    same.fail_first(Kind.CREDENTIALS)
    plan = same.plan()
    assert begun(plan).channel.position == 1


def test_a_rate_limit_of_a_key_sends_requests_to_others() -> None:
    """A key at its limit is skipped like a cooling one, until its window has room."""
    world = World(provider("a", keys=["one", "two"], api_key_rate_limit={"default": "2/min"}), provider("b"))
    assert world.serve_many(5) == ["a:one", "a:two", "a:one", "a:two", "b"]
    world.clock.now += 61
    assert world.serve() == "a:one"


def test_a_rate_limit_is_no_reason_to_refuse() -> None:
    """When all keys are at their limits, the one that has room soonest is tried all the same."""
    world = World(provider("a", keys=["one", "two"], api_key_rate_limit={"default": "1/min"}))
    assert world.serve() == "a:one"
    world.clock.now += 20
    assert world.serve() == "a:two"
    world.clock.now += 20
    assert world.serve() == "a:one"


def test_a_rate_limit_counts_failed_attempts_too() -> None:
    """The provider counts them."""
    world = World(provider("a", keys=["one"], api_key_rate_limit={"default": "1/min"}), provider("b"))
    assert world.fail_first(Kind.BAD_REQUEST) == "a"
    assert world.serve() == "b"


def test_several_rates_hold_together() -> None:
    """`2/s,3/min`: two at once, and a third a second later, but no fourth."""
    world = World(provider("a", api_key_rate_limit={"default": "2/s,3/min"}), provider("b"))
    assert world.serve_many(3) == ["a", "a", "b"]
    world.clock.now += 2
    assert world.serve_many(2) == ["a", "b"]


def test_models_of_one_entry_share_its_limit() -> None:
    """Those that have an entry of their own do not, nor do those under `none`."""
    limits = {"m": "1/min", "free": "none", "default": "1/min"}
    world = World(provider("a", "m", "n", "o", "free", api_key_rate_limit=limits), provider("b", "m", "n", "o"))
    assert [world.serve(asked=model) for model in "mno"] == ["a", "a", "b"]
    assert [world.serve(asked=model) for model in ("m", "free", "free")] == ["b", "a", "a"]


def test_a_reload_keeps_what_was_used() -> None:
    """A limit that changes begins afresh."""
    limited = provider("a", api_key_rate_limit={"default": "1/min"})
    world = World(limited, provider("b"))
    assert world.serve() == "a"
    world.reload(limited, provider("b"))
    assert world.serve() == "b"
    world.reload(provider("a", api_key_rate_limit={"default": "2/min"}), provider("b"))
    assert world.serve_many(3) == ["a", "a", "b"]


def test_limits_are_found_as_timeouts_are() -> None:
    """The longest beginning of the alias, here."""
    limit = key_limit({"gpt": "1/s", "gpt-4": "5/min, 100/day"}, "gpt-4o", "x")
    assert limit is not None
    assert limit.rates == (Rate(5, 60), Rate(100, 86_400))
    assert key_limit({"gpt": "1/s"}, "claude", "x") is None
    assert key_limit({"default": "none"}, "claude", "x") is None


def test_a_provider_without_keys_is_used_all_the_same() -> None:
    """With no secret; and what is said of its key is said of its credentials."""
    world = World(provider("a", keys=[]))
    plan = world.plan()
    attempt = begun(plan)
    assert attempt.key is None
    plan.failed(attempt, error(Kind.CREDENTIALS))
    assert world.cooling == {"a, credentials": 300}


def test_requests_at_the_same_time_take_different_keys() -> None:
    """A turn is taken when the attempt begins, not when it ends."""
    world = World(provider("a", keys=THREE))
    assert [shown(begun(world.plan())) for _ in range(3)] == ["a:one", "a:two", "a:three"]
