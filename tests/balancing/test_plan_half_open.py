"""What is free, and what to do when nothing is."""

from tests.balancing.world import World, begun, error, of_duplicates, provider, shown
from translators.errors import Kind

AB = (provider("a", keys=["one", "two"]), provider("b"))


def test_what_cools_is_not_used_while_another_is_free() -> None:
    """By the next request as little as by a running one."""
    world = World(*of_duplicates(provider("p"), 3))
    running = world.plan()
    attempt = begun(running)
    busy = world.plan()
    busy.failed(begun(busy), error(Kind.SERVER))
    busy.failed(begun(busy), error(Kind.SERVER))
    assert world.serve() == "p2"
    running.failed(attempt, error(Kind.SERVER))
    assert shown(begun(running)) == "p2"


def test_one_provider_one_failure() -> None:
    """The next request is tried all the same, and the one after it."""
    world = World(provider("a"))
    for _ in range(3):
        assert world.all_attempts(Kind.SERVER) == ["a"]
    assert world.serve() == "a"


def test_when_all_cool_the_first_to_recover_is_tried_first() -> None:
    """And then the second, for as long as there are attempts: one of them may work already."""
    world = World(
        provider("a", cooldown_period=30.0), provider("b", cooldown_period=10.0), provider("c", cooldown_period=20.0)
    )
    assert world.all_attempts(Kind.SERVER) == ["a", "b", "c"]
    world.clock.now += 1
    assert world.all_attempts(Kind.SERVER) == ["b", "c", "a"]


def test_when_all_keys_cool_the_first_to_recover_is_tried() -> None:
    """The same for keys, also across providers."""
    world = World(provider("a", keys=["one", "two"]), provider("b", keys=["one", "two"]))
    plan = world.plan()
    for seconds in (40, 30, 20, 10):
        plan.failed(begun(plan), error(Kind.RATE_LIMIT, retry_after=seconds))
    assert world.all_attempts(Kind.RATE_LIMIT, retry_after=100) == ["b:two", "b:one", "a:two", "a:one"]


def test_a_free_key_of_a_channel_goes_before_a_cooling_one_of_an_earlier() -> None:
    """Free is free, wherever it stands in the order."""
    world = World(provider("a"), provider("b", keys=["one", "two"]))
    world.fail_first(Kind.RATE_LIMIT)
    assert world.all_attempts(Kind.RATE_LIMIT) == ["b:one", "b:two", "a"]


def test_what_recovers_while_a_request_runs_is_used_again() -> None:
    """Before anything that still cools."""
    world = World(provider("a"), provider("b"), provider("c"))
    earlier = world.plan()
    earlier.failed(begun(earlier), error(Kind.OVERLOADED, retry_after=20))
    earlier.failed(begun(earlier), error(Kind.OVERLOADED, retry_after=50))
    plan = world.plan()
    attempt = begun(plan)
    world.clock.now += 25
    plan.failed(attempt, error(Kind.SERVER))
    assert [shown(attempt), shown(begun(plan))] == ["c", "a"]


def test_what_another_request_heals_is_used_first() -> None:
    """Even when this one was already trying what recovers soonest."""
    world = World(*of_duplicates(provider("p"), 3))
    world.all_attempts(Kind.SERVER)
    world.clock.now += 1
    plan = world.plan()
    attempt = begun(plan)
    assert shown(attempt) == "p0"
    other = world.plan()
    others = begun(other)
    other.failed(others, error(Kind.UNSUITABLE))
    others = begun(other)
    other.failed(others, error(Kind.UNSUITABLE))
    others = begun(other)
    other.succeeded(others)
    plan.failed(attempt, error(Kind.SERVER))
    assert shown(others) == "p2"
    assert shown(begun(plan)) == "p2"


def test_a_recovered_channel_has_requests_again_with_its_cooldowns_end() -> None:
    """In its old place."""
    world = World(provider("a"), provider("b"))
    world.fail_first(Kind.SERVER)
    assert world.serve() == "b"
    world.clock.now += 300
    assert world.serve() == "a"


def test_of_ten_providers_with_nine_dead_the_tenth_serves_at_once() -> None:
    """After a round that has found out."""
    world = World(*of_duplicates(provider("p"), 10))
    plan = world.plan()
    while shown(attempt := begun(plan)) != "p9":
        plan.failed(attempt, error(Kind.CONNECT))
    plan.succeeded(attempt)
    assert attempt.number == 10
    for _ in range(100):
        plan = world.plan()
        attempt = begun(plan)
        plan.succeeded(attempt)
        assert (shown(attempt), attempt.number) == ("p9", 1)


def test_a_second_attempt_at_the_same_time_is_at_another_candidate() -> None:
    """Hedging: the same channel, with another key too, would be no help against its silence."""
    world = World(*AB)
    plan = world.plan()
    first, second = begun(plan), begun(plan)
    assert [shown(first), shown(second)] == ["a:one", "b"]
    plan.succeeded(second)
    plan.cancelled(first)
    assert world.cooling == {}
