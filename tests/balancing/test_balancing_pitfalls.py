"""Mistakes that other gateways made where attempts are decided; pitfall 115's first half is in test_cooldown.py."""

import pytest

from tests.balancing.world import World, begun, client, error, of_duplicates, provider, shown
from translators.errors import Kind


def test_pitfall_110_nothing_is_tried_after_the_first_output() -> None:
    """A retry would write the text twice (pitfall 110: LL PR#32835, LL#40404, LL#29808)."""
    plan = World(*of_duplicates(provider("p"), 3)).plan()
    plan.broken_after_commit(begun(plan), error(Kind.CLOSED))
    assert plan.next() is None


def test_pitfall_112_retry_and_fallback_are_one_machine() -> None:
    """Keys, regions and candidates come from the same plan, in one order and one count, for streams and others
    (pitfall 112: LL#29808, #19077, #28216)."""
    providers = [
        provider("a", keys=["one", "two"]),
        provider("v", "gemini:m", engine="vertex", keys=[], regions=("x", "y")),
        provider("b"),
    ]
    world = World(*providers, client=client(auto_retry=4))
    assert world.all_attempts(Kind.RATE_LIMIT) == ["a:one", "a:two", "v@x", "v@y"]


@pytest.mark.parametrize("kind", [Kind.BAD_REQUEST, Kind.TOO_LARGE, Kind.BLOCKED])
def test_pitfall_113_a_clients_mistake_cools_nothing(kind: Kind) -> None:
    """400, 413 and 422 say nothing about the provider (pitfall 113: UA d42b812, 91651c9; LL PR#19275)."""
    world = World(*of_duplicates(provider("p"), 3))
    attempts = world.all_attempts(kind)
    assert attempts == (["p0", "p1", "p2"] if kind is Kind.TOO_LARGE else ["p0"])
    assert world.cooling == {}


def test_pitfall_113_a_refused_key_is_not_a_refused_provider() -> None:
    """401, 402 and 403 are the key's; with all of them refused nothing is left to try (pitfall 113: Bifrost's docs)."""
    world = World(provider("a", keys=["one", "two"]))
    plan = world.plan()
    plan.failed(begun(plan), error(Kind.CREDENTIALS))
    assert world.serve() == "a:two"
    plan.failed(begun(plan), error(Kind.CREDENTIALS))
    assert plan.next() is None


@pytest.mark.parametrize("kind", [Kind.RATE_LIMIT, Kind.SERVER, Kind.CREDENTIALS])
def test_pitfall_114_the_only_provider_is_never_closed(kind: Kind) -> None:
    """One failure of the only deployment turned everybody away for the whole cooldown
    (pitfall 114: LL `cooldown_handlers.py`, LL#3646, PR#8668)."""
    world = World(provider("a"))
    world.fail_first(kind)
    plan = world.plan()
    attempt = begun(plan)
    assert shown(attempt) == "a"
    world.clock.now += 1
    plan.failed(attempt, error(kind))
    assert world.serve() == "a"


def test_pitfall_115_fallbacks_cool_as_well() -> None:
    """Whichever attempt of a request it was (pitfall 115: LL#40130, PR#34416)."""
    world = World(*of_duplicates(provider("p"), 3))
    assert world.all_attempts(Kind.SERVER) == ["p0", "p1", "p2"]
    assert set(world.cooling) == {"p0/m", "p1/m", "p2/m"}


def test_pitfall_115_a_cooldown_does_not_reshuffle_a_running_request() -> None:
    """It goes on where it was in its own order, without what cools (pitfall 115: UA e4c9164, 5778fd1)."""
    world = World(*of_duplicates(provider("p"), 5))
    plan = world.plan()
    first = begun(plan)
    other = world.plan()
    for kind in (Kind.UNSUITABLE, Kind.SERVER):  # p0 is passed over, p1 fails
        other.failed(begun(other), error(kind))
    plan.failed(first, error(Kind.SERVER))
    following = begun(plan)
    assert shown(following) == "p2"
    plan.failed(following, error(Kind.SERVER))
    assert shown(begun(plan)) == "p3"


def test_pitfall_118_a_large_prompt_is_not_sent_to_everyone() -> None:
    """Providers that never answer get it for twice the timeout, not for as long as there are providers
    (pitfall 118: azrtydxb/Fastllm-proxy#21)."""
    world = World(*of_duplicates(provider("p"), 50), timeout=100)
    plan = world.plan()
    attempts = 0
    while (attempt := plan.next()) is not None:
        attempts += 1
        world.clock.now += attempt.patience
        plan.failed(attempt, error(Kind.TIMEOUT))
    assert attempts == 2
