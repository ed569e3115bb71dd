"""What cools down after which failure, and for how long."""

from tests.balancing.world import World, begun, client, error, provider, shown
from translators.errors import Kind

AB = (provider("a", keys=["one", "two"]), provider("b"))

FAULTS = [Kind.CONNECT, Kind.SERVER, Kind.NOT_FOUND, Kind.RATE_LIMIT, Kind.CREDENTIALS]


def test_retry_after_sets_a_keys_cooldown() -> None:
    """Of three keys one is silent for its two seconds, the others serve, and nobody sees an error."""
    world = World(provider("a", keys=["one", "two", "three"]))
    plan = world.plan()
    plan.failed(begun(plan), error(Kind.RATE_LIMIT, retry_after=2))
    assert shown(begun(plan)) == "a:two"
    assert world.serve_many(4) == ["a:three", "a:two", "a:three", "a:two"]
    world.clock.now += 1.99
    assert "a:one" not in world.serve_many(4)
    world.clock.now += 0.01
    assert "a:one" in world.serve_many(3)


def test_retry_after_counts_up_to_the_cooldown() -> None:
    """A provider that says "tomorrow" is asked again after the period all the same."""
    world = World(provider("a"), cooldown_period=50)
    world.fail_first(Kind.RATE_LIMIT, retry_after=86_400)
    assert list(world.cooling.values()) == [50]


def test_retry_after_sets_an_overloaded_channels_cooldown() -> None:
    """503 and 529 say when to come back, too."""
    world = World(provider("a"))
    world.fail_first(Kind.OVERLOADED, retry_after=7)
    assert world.cooling == {"a/m": 7}


def test_no_cooldown_period_means_no_cooldowns() -> None:
    """`cooldown_period: 0` switches all of them off, Retry-After or not; the request goes on without what failed."""
    world = World(*AB, cooldown_period=0)
    for kind in FAULTS:
        attempts = world.all_attempts(kind, retry_after=5)
        assert len(set(attempts)) == len(attempts)
    assert world.cooling == {}


def test_a_providers_own_period_goes_before_the_general_one() -> None:
    """Longer, shorter or none at all."""
    world = World(
        provider("a", cooldown_period=20.0), provider("b", cooldown_period=0.0), provider("c"), cooldown_period=50
    )
    world.all_attempts(Kind.SERVER)
    assert world.cooling == {"a/m": 20, "c/m": 50}


def test_keys_may_have_a_period_of_their_own() -> None:
    """`api_key_cooldown_period`; channels keep the other."""
    world = World(provider("a", api_key_cooldown_period=5.0, cooldown_period=20.0))
    world.fail_first(Kind.CREDENTIALS)
    assert list(world.cooling.values()) == [5]
    world.fail_first(Kind.SERVER)
    assert world.cooling["a/m"] == 20


def test_a_new_failure_extends_and_never_shortens() -> None:
    """Also when the second came from a request that was on its way before the first."""
    world = World(provider("a"))
    one, other = world.plan(), world.plan()
    first, second = begun(one), begun(other)
    one.failed(first, error(Kind.SERVER))
    world.clock.now += 10
    other.failed(second, error(Kind.OVERLOADED, retry_after=1))
    assert world.cooling == {"a/m": 290}
    world.fail_first(Kind.SERVER)
    assert world.cooling == {"a/m": 300}


def test_success_ends_every_cooldown_of_its_way() -> None:
    """Channel and key: they have been tried for want of others, and they work."""
    world = World(provider("a"))
    world.fail_first(Kind.RATE_LIMIT)
    world.fail_first(Kind.SERVER)
    assert len(world.cooling) == 2
    world.clock.now += 1
    assert world.serve() == "a"
    assert world.cooling == {}


def test_a_success_of_an_older_request_ends_no_cooldown() -> None:
    """The key that ran out of quota meanwhile stays silent for as long as its provider asked."""
    world = World(provider("a", keys=["one", "two"], api_key_schedule_algorithm="fixed_priority"))
    slow = world.plan()
    answering = begun(slow)
    world.clock.now += 1
    world.fail_first(Kind.RATE_LIMIT, retry_after=20)
    slow.succeeded(answering)
    assert world.serve() == "a:two"


def test_cooldowns_are_shared_by_all_clients() -> None:
    """What one client's request has found out, another's does not have to."""
    one, other = client(key="sk-one"), client("a/*", "b/*", key="sk-other")
    world = World(client=one)
    world.reload(provider("a"), provider("b"), clients=[one, other])
    plan = world.plan(one)
    plan.failed(begun(plan), error(Kind.SERVER))
    assert world.serve(other) == "b"


def test_a_cooldown_is_the_models_and_not_the_providers() -> None:
    """Its other models are used as before."""
    world = World(provider("a", "m", "n"), provider("b", "m", "n"))
    world.fail_first(Kind.SERVER)
    assert [world.serve(asked="m"), world.serve(asked="n")] == ["b", "a"]


def test_a_reload_keeps_the_cooldowns_of_what_still_exists() -> None:
    """And forgets the others."""
    world = World(provider("a"), provider("b"), provider("c"))
    world.all_attempts(Kind.SERVER)
    world.reload(provider("c"), provider("new"), provider("a", "m", "n"))
    assert set(world.cooling) == {"a/m", "c/m"}
    assert world.serve() == "new"
