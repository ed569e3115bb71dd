"""The five algorithms, as a client's requests come by them."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.schema import ClientKey, Provider
from tests.balancing.world import World, begun, client, error, provider, shown
from translators.errors import Kind

ABC = (provider("a"), provider("b"), provider("c"))


def weighted(algorithm: str, *weights: int | None, key: str = "sk-client") -> tuple[list[Provider], ClientKey]:
    """Providers a, b, c … and a client with a rule for each of them."""
    names = [chr(ord("a") + number) for number in range(len(weights))]
    rules = [
        f"{name}/*" if weight is None else (f"{name}/*", weight) for name, weight in zip(names, weights, strict=True)
    ]
    return [provider(name) for name in names], client(*rules, key=key, scheduling_algorithm=algorithm)


def weighted_world(algorithm: str, *weights: int | None, **settings: float) -> World:
    """A world of these; see `weighted`."""
    providers, key = weighted(algorithm, *weights)
    return World(*providers, client=key, **settings)  # type: ignore[arg-type]


def test_fixed_priority_always_begins_with_the_first() -> None:
    """And goes on in the order of the rules."""
    world = World(*ABC)
    assert world.serve_many(3) == ["a", "a", "a"]
    assert world.all_attempts(Kind.SERVER) == ["a", "b", "c"]


def test_round_robin_begins_one_further_at_every_request() -> None:
    """And goes on round the list when an attempt fails."""
    world = World(*ABC, client=client(scheduling_algorithm="round_robin"), cooldown_period=0)
    assert world.serve_many(4) == ["a", "b", "c", "a"]
    assert world.all_attempts(Kind.SERVER) == ["b", "c", "a"]
    assert world.serve() == "c"


def test_round_robin_counts_per_client_key_and_model() -> None:
    """What others ask for, or ask, does not move it."""
    one = client(key="sk-one", scheduling_algorithm="round_robin")
    other = client(key="sk-other", scheduling_algorithm="round_robin")
    world = World()
    world.reload(provider("a", "m", "n"), provider("b", "m", "n"), clients=[one, other])
    assert [world.serve(one, "m"), world.serve(other, "m"), world.serve(one, "n")] == ["a", "a", "a"]
    assert [world.serve(one, "m"), world.serve(other, "m"), world.serve(one, "n")] == ["b", "b", "b"]


def test_round_robin_spreads_what_a_cooling_channel_leaves() -> None:
    """Its successor does not get both shares."""
    world = World(*ABC, client=client(scheduling_algorithm="round_robin"))
    world.fail_first(Kind.SERVER)
    assert world.serve_many(6) == ["b", "c", "b", "c", "b", "c"]


def test_random_shuffles_evenly() -> None:
    """Each is first as often as another, within four standard deviations."""
    world = World(*ABC, client=client(scheduling_algorithm="random"), cooldown_period=0)
    firsts = Counter(world.serve_many(3000))
    assert all(abs(firsts[name] - 1000) < 4 * 26 for name in "abc")
    assert sorted(world.all_attempts(Kind.SERVER)) == ["a", "b", "c"]


def test_weighted_round_robin_keeps_the_weights_in_every_window() -> None:
    """5/3/2: every ten requests in a row, wherever they begin, are 5, 3 and 2; never three alike in a row."""
    served = "".join(weighted_world("weighted_round_robin", 5, 3, 2).serve_many(200))
    for start in range(len(served) - 10):
        assert Counter(served[start : start + 10]) == {"a": 5, "b": 3, "c": 2}
    assert not any(name * 3 in served for name in "abc")


@given(st.lists(st.integers(1, 7), min_size=1, max_size=6))
def test_weighted_round_robin_is_exact_for_any_weights(weights: list[int]) -> None:
    """Each gets its weight out of as many requests as all weights together, from wherever they are counted."""
    total = sum(weights)
    served = weighted_world("weighted_round_robin", *weights).serve_many(2 * total)
    expected = Counter({chr(ord("a") + number): weight for number, weight in enumerate(weights)})
    for start in range(total):
        assert Counter(served[start : start + total]) == expected


@pytest.mark.parametrize("weights", [(5, 3, 2), (4, 1, 1), (3, 1, 1), (1, 2, 3), (6, 5, 4, 3, 2, 1), (2, 1), (1, 1, 1)])
def test_weighted_round_robin_never_bunches(weights: tuple[int, ...]) -> None:
    """Nobody has three requests in a row, while others have a third of all weights or more."""
    served = "".join(weighted_world("weighted_round_robin", *weights).serve_many(100))
    assert not any(name * 3 in served for name in "abcdef")


def test_weighted_round_robin_shares_out_what_a_cooling_channel_leaves() -> None:
    """By the weights of the others; and with its recovery it has its own share back."""
    world = weighted_world("weighted_round_robin", 5, 3, 1, 1, cooldown_period=50)
    assert world.fail_first(Kind.SERVER) == "a"
    assert Counter(world.serve_many(50)) == {"b": 30, "c": 10, "d": 10}
    world.clock.now += 50
    assert Counter(world.serve_many(100)) == {"a": 50, "b": 30, "c": 10, "d": 10}


def test_weighted_round_robin_counts_a_cooling_channel_among_equals() -> None:
    """The others of its weight do not take its share for themselves."""
    world = weighted_world("weighted_round_robin", 2, 2, 1, cooldown_period=50)
    world.fail_first(Kind.SERVER)
    assert Counter(world.serve_many(30)) == {"b": 20, "c": 10}


def test_weighted_round_robin_passes_over_a_channel_without_a_free_key() -> None:
    """It earns nothing meanwhile, so it does not have to be made up for afterwards."""
    world = weighted_world("weighted_round_robin", 5, 3, 2, cooldown_period=50)
    assert world.fail_first(Kind.RATE_LIMIT) == "a"
    assert Counter(world.serve_many(50)) == {"b": 30, "c": 20}
    world.clock.now += 50
    assert Counter(world.serve_many(10)) == {"a": 5, "b": 3, "c": 2}


def test_weighted_round_robin_tries_the_others_once_each_after_a_failure() -> None:
    """Those that are owed most first."""
    world = weighted_world("weighted_round_robin", 5, 3, 2, cooldown_period=0)
    assert world.all_attempts(Kind.SERVER) == ["a", "b", "c"]


@pytest.mark.parametrize("algorithm", ["weighted_round_robin", "lottery"])
def test_without_a_weight_there_is_nothing_while_others_have_one(algorithm: str) -> None:
    """Not even when those fail, or all cool."""
    world = weighted_world(algorithm, 2, None, 1)
    assert set(world.serve_many(30)) == {"a", "c"}
    assert sorted(world.all_attempts(Kind.SERVER)) == ["a", "c"]
    assert world.serve() in ("a", "c")


@pytest.mark.parametrize("algorithm", ["weighted_round_robin", "lottery"])
def test_without_any_weight_it_is_a_round_robin(algorithm: str) -> None:
    """Nothing says that one should have more than another."""
    assert weighted_world(algorithm, None, None, None).serve_many(4) == ["a", "b", "c", "a"]


def test_the_readmes_weights_work_with_renamed_models() -> None:
    """`gcp1/*: 5`, `gcp2/*: 3`, `gcp3/*: 2`: of ten requests for a model they get 5, 3 and 2, whatever they call it."""
    providers = [
        provider("gcp1", "gemini-1.5-pro", "claude-3-5-sonnet@20240620:claude-3-5-sonnet"),
        provider("gcp2", "claude-3-5-sonnet-v2@20241022:claude-3-5-sonnet", "gemini-1.5-pro"),
        provider("gcp3", "claude-3-5-sonnet", "gemini-1.5-pro-002:gemini-1.5-pro"),
    ]
    rules = [("gcp1/*", 5), ("gcp2/*", 3), ("gcp3/*", 2)]
    world = World(*providers, client=client(*rules, scheduling_algorithm="weighted_round_robin"))
    for model in ("claude-3-5-sonnet", "gemini-1.5-pro"):
        served = Counter(world.serve(asked=model) for _ in range(10))
        assert served == {"gcp1": 5, "gcp2": 3, "gcp3": 2}


def test_lottery_draws_by_weight() -> None:
    """Within one per cent after 100,000 requests."""
    world = weighted_world("lottery", 5, 3, 2)
    served = Counter(world.serve_many(100_000))
    assert all(abs(served[name] - share) < 1000 for name, share in {"a": 50_000, "b": 30_000, "c": 20_000}.items())


def test_lottery_draws_the_next_by_weight_too() -> None:
    """After 5 has failed, 3 and 2 have three and two chances of five."""
    world = weighted_world("lottery", 5, 3, 2, cooldown_period=0)
    seconds: Counter[str] = Counter()
    while seconds.total() < 5000:
        first, second, _ = world.all_attempts(Kind.SERVER)
        if first == "a":
            seconds[second] += 1
    assert abs(seconds["b"] - 3000) < 4 * 35


def test_lottery_draws_everyone_once_however_unequal_the_weights() -> None:
    """Also those that are hardly ever drawn."""
    world = weighted_world("lottery", 1_000_000, 1, 1, 1)
    assert sorted(world.all_attempts(Kind.SERVER)) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("algorithm", ["round_robin", "weighted_round_robin", "lottery"])
def test_a_running_request_keeps_its_candidates_when_another_configuration_comes(algorithm: str) -> None:
    """What is new is for the next request."""
    providers, key = weighted(algorithm, 1, 1, 1)
    world = World(*providers, client=key)
    plan = world.plan()
    first = begun(plan)
    others_names = ["x", "y"]
    others = client(*[(f"{name}/*", 1) for name in others_names], scheduling_algorithm=algorithm)
    world.reload(*[provider(name) for name in others_names], clients=[others])
    assert world.serve(others) in others_names
    rest = []
    attempt = first
    while plan.failed(attempt, error(Kind.SERVER)):
        following = plan.next()
        if following is None:
            break
        rest.append(shown(following))
        attempt = following
    assert sorted([shown(first), *rest]) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("algorithm", "next_ones"), [("round_robin", ["b", "c", "a"]), ("weighted_round_robin", ["b", "c", "a"])]
)
def test_a_reload_keeps_the_place(algorithm: str, next_ones: list[str]) -> None:
    """The same configuration again, or a longer one: whose turn it is remains."""
    providers, key = weighted(algorithm, 1, 1, 1)
    world = World(*providers, client=key)
    assert world.serve() == "a"
    world.reload(*providers)
    assert world.serve_many(3) == next_ones
    world.reload(*reversed(providers), provider("d"))
    assert world.serve() == "b"


def test_a_reload_keeps_what_each_weight_is_owed() -> None:
    """Every window of ten stays exact across it."""
    world = weighted_world("weighted_round_robin", 5, 3, 2)
    served = world.serve_many(7)
    world.reload(*world.config.providers)
    served += world.serve_many(13)
    for start in range(10):
        assert Counter(served[start : start + 10]) == {"a": 5, "b": 3, "c": 2}


def test_another_algorithm_begins_afresh() -> None:
    """A reload may change it; the weights of the one are no turns of the other."""
    world = World(*ABC, client=client(scheduling_algorithm="round_robin"))
    assert world.serve_many(2) == ["a", "b"]
    world.client = client(scheduling_algorithm="fixed_priority")
    world.reload(*ABC)
    assert world.serve_many(2) == ["a", "a"]
