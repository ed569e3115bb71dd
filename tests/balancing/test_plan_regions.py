"""Regions within a channel's attempts."""

import pytest

from tests.balancing.world import World, begun, client, error, provider, shown
from translators.errors import Kind

VERTEX = provider("v", "gemini-2.5-pro:m", engine="vertex", keys=[], regions=("global", "us-east5", "europe-west1"))


def test_regions_take_turns() -> None:
    """Round the regions of the model, always."""
    assert World(VERTEX).serve_many(4) == ["v@global", "v@us-east5", "v@europe-west1", "v@global"]


def test_requests_spread_over_keys_and_regions() -> None:
    """Every key comes by every region, and each pair as often as another."""
    world = World(provider("v", "gemini:m", engine="vertex", keys=["one", "two"], regions=("x", "y")))
    served = world.serve_many(8)
    assert sorted(served) == sorted(2 * ["v:one@x", "v:one@y", "v:two@x", "v:two@y"])


@pytest.mark.parametrize("kind", [Kind.NOT_FOUND, Kind.RATE_LIMIT])
def test_a_region_that_lacks_the_model_or_quota_is_skipped(kind: Kind) -> None:
    """The next region of the same channel is tried, and that one is left alone for a while."""
    world = World(VERTEX, provider("b"))
    plan = world.plan()
    plan.failed(begun(plan), error(kind))
    assert shown(begun(plan)) == "v@us-east5"
    assert world.cooling == {"v/gemini-2.5-pro in global": 300}
    assert "v@global" not in world.serve_many(6)
    world.clock.now += 300
    assert "v@global" in world.serve_many(3)


def test_when_no_region_has_it_the_next_candidate_is_tried() -> None:
    """Within the same number of attempts; the channel rests until one of its regions is back."""
    world = World(VERTEX, provider("b"))
    plan = world.plan()
    for seconds, expected in ((10, "v@global"), (20, "v@us-east5"), (30, "v@europe-west1")):
        attempt = begun(plan)
        assert shown(attempt) == expected
        plan.failed(attempt, error(Kind.RATE_LIMIT, retry_after=seconds))
    assert shown(begun(plan)) == "b"
    assert world.serve() == "b"
    world.clock.now += 10
    assert world.serve() == "v@global"


def test_a_regions_trouble_with_one_model_is_not_anothers() -> None:
    """It may have the other."""
    world = World(provider("v", "gemini-a:m", "gemini-b:n", engine="vertex", keys=[], regions=("x", "y")))
    world.fail_first(Kind.NOT_FOUND)
    assert [world.serve(asked="n"), world.serve(asked="m")] == ["v@x", "v@y"]


def test_regions_count_as_attempts() -> None:
    """`AUTO_RETRY: 2` is two requests upstream, in whatever regions."""
    world = World(VERTEX, provider("b"), client=client(auto_retry=2))
    assert world.all_attempts(Kind.RATE_LIMIT) == ["v@global", "v@us-east5"]


def test_a_region_without_the_model_is_not_tried_with_another_key() -> None:
    """A key without quota in a region says nothing about the next key there."""
    keyed = provider("v", "gemini:m", engine="vertex", keys=["one", "two"], regions=("x",), cooldown_period=0.0)
    assert World(keyed).all_attempts(Kind.NOT_FOUND) == ["v:one@x"]
    assert World(keyed).all_attempts(Kind.RATE_LIMIT) == ["v:one@x", "v:two@x"]


@pytest.mark.parametrize("kind", [Kind.SERVER, Kind.CREDENTIALS])
def test_other_failures_are_not_the_regions(kind: Kind) -> None:
    """5xx is the channel's, a refused service account is refused everywhere."""
    world = World(VERTEX, provider("b"))
    plan = world.plan()
    plan.failed(begun(plan), error(kind))
    assert shown(begun(plan)) == "b"
