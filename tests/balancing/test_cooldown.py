"""Cooldowns by themselves."""

import pytest

from balancing.cooldown import Cooldowns, Subject
from tests.balancing.world import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cooldowns(clock: Clock) -> Cooldowns[str]:
    return Cooldowns(clock)


def test_a_cooldown_ends_at_its_time(cooldowns: Cooldowns[str], clock: Clock) -> None:
    """Not before, and at once then."""
    cooldowns.cool("a", Subject("A"), 10, "server")
    clock.now += 9.99
    assert cooldowns.is_cooling("a")
    clock.now += 0.01
    assert not cooldowns.is_cooling("a")


def test_pitfall_115_the_longest_deadline_wins(cooldowns: Cooldowns[str], clock: Clock) -> None:
    """Cooling again keeps the later end, whichever failure it came from (pitfall 115: LL#40130, LL PR#34416)."""
    end = clock.now + 100
    assert cooldowns.cool("a", Subject("A"), 100, "server")
    clock.now += 1
    assert not cooldowns.cool("a", Subject("A"), 10, "rate_limit")
    assert cooldowns.end("a") == end
    assert cooldowns.cool("a", Subject("A"), 200, "server")
    assert cooldowns.end("a") == clock.now + 200


def test_no_time_is_no_cooldown(cooldowns: Cooldowns[str]) -> None:
    """`cooldown_period: 0` switches them off."""
    assert not cooldowns.cool("a", Subject("A"), 0, "server")
    assert not cooldowns.is_cooling("a")
    assert cooldowns.in_force() == []


def test_success_ends_a_cooldown(cooldowns: Cooldowns[str], clock: Clock) -> None:
    """It works again, so it may be used again."""
    cooldowns.cool("a", Subject("A"), 100, "server")
    clock.now += 5
    cooldowns.heal("a", began=clock.now)
    assert not cooldowns.is_cooling("a")


def test_a_success_that_began_before_the_failure_proves_nothing(cooldowns: Cooldowns[str], clock: Clock) -> None:
    """A long answer that was on its way when the quota ran out does not bring the quota back."""
    began = clock.now
    clock.now += 5
    cooldowns.cool("a", Subject("A"), 100, "rate_limit")
    clock.now += 5
    cooldowns.heal("a", began)
    assert cooldowns.is_cooling("a")


def test_a_failure_within_a_cooldown_outdates_earlier_attempts(cooldowns: Cooldowns[str], clock: Clock) -> None:
    """Even when it does not make the cooldown any longer."""
    cooldowns.cool("a", Subject("A"), 100, "server")
    clock.now += 5
    began = clock.now
    clock.now += 5
    cooldowns.cool("a", Subject("A"), 1, "server")
    cooldowns.heal("a", began)
    assert cooldowns.is_cooling("a")


def test_what_is_over_takes_no_memory(cooldowns: Cooldowns[str], clock: Clock) -> None:
    """It is dropped with the next cooldown that comes."""
    for number in range(100):
        cooldowns.cool(str(number), Subject("A"), 10, "server")
    clock.now += 10
    cooldowns.cool("last", Subject("A"), 10, "server")
    assert len(cooldowns._ends) == len(cooldowns._cooldowns) == 1


def test_the_generation_changes_with_what_is_cooling(cooldowns: Cooldowns[str], clock: Clock) -> None:
    """With a beginning, an end by time and an end by success; not while nothing changes."""
    seen = [cooldowns.generation()]
    cooldowns.cool("a", Subject("A"), 10, "server")
    cooldowns.cool("b", Subject("B"), 20, "server")
    seen.append(cooldowns.generation())
    assert cooldowns.generation() == seen[-1]
    clock.now += 10
    seen.append(cooldowns.generation())
    cooldowns.heal("b", began=clock.now)
    seen.append(cooldowns.generation())
    assert len(set(seen)) == 4


def test_what_exists_no_longer_is_forgotten(cooldowns: Cooldowns[str]) -> None:
    """And what exists keeps its cooldown."""
    cooldowns.cool("a", Subject("A"), 10, "server")
    cooldowns.cool("b", Subject("B"), 10, "server")
    cooldowns.keep_only({"b", "c"})
    assert [each.what for each in cooldowns.in_force()] == [Subject("B")]


def test_people_see_what_cools_how_long_and_why(cooldowns: Cooldowns[str], clock: Clock) -> None:
    """For statistics and commands."""
    cooldowns.cool("a", Subject("A"), 10, "timeout")
    clock.now += 4
    (cooling,) = cooldowns.in_force()
    assert (cooling.what, cooling.seconds_left, cooling.why) == (Subject("A"), 6, "timeout")


def test_people_can_end_a_cooldown(cooldowns: Cooldowns[str]) -> None:
    """Those that they name; whoever waits for the soonest end looks again."""
    cooldowns.cool("a", Subject("A", "m"), 10, "server")
    cooldowns.cool("b", Subject("B", "m"), 10, "server")
    assert cooldowns.clear(lambda what: "B/m" in str(what)) == 1
    assert cooldowns.names() == {"a"}
    assert cooldowns.ended_early == 1


def test_a_subject_is_named_by_what_it_is():
    """A model at a provider, in one region, or a key."""
    assert str(Subject("p", "m")) == "p/m"
    assert str(Subject("p", "m", region="eu")) == "p/m in eu"
    assert str(Subject("p", key="key sk-…Q3f")) == "p, key sk-…Q3f"
