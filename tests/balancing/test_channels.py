"""What a configuration offers to whom."""

from dataclasses import replace

import pytest

from balancing.channels import Candidate, Catalogue
from config.schema import ClientKey, Config, Preferences, Provider
from tests.balancing.world import client, models, provider


def catalogue(*providers: Provider, clients: tuple[ClientKey, ...], **preferences: object) -> Catalogue:
    """A catalogue of these, with a TIMEOUT of 100 seconds."""
    return Catalogue(Config(providers, clients, Preferences(**preferences)), 100.0)  # type: ignore[arg-type]


def names(candidates: tuple[Candidate, ...]) -> list[str]:
    """`provider/upstream`, with the weight where there is one."""
    return [each.channel.label + (f" {each.weight}" if each.weight is not None else "") for each in candidates]


PROVIDERS = (
    provider("a", "gpt-4o", "gpt-4o-mini", "big:claude"),
    provider("b", "gpt-4o", "a/gpt-4o"),
    provider("c", "gemini:gpt-4o"),
)


@pytest.mark.parametrize(
    ("rules", "asked", "expected"),
    [
        pytest.param(["all"], "gpt-4o", ["a/gpt-4o", "b/gpt-4o", "c/gemini"], id="all"),
        pytest.param(["gpt-4o"], "gpt-4o", ["a/gpt-4o", "b/gpt-4o", "c/gemini"], id="an alias, of any provider"),
        pytest.param(["gpt-4o"], "gpt-4o-mini", [], id="an alias and no other"),
        pytest.param(["b/*"], "gpt-4o", ["b/gpt-4o"], id="all of a provider"),
        pytest.param(["a/gpt-4o"], "gpt-4o", ["a/gpt-4o"], id="an alias of a provider"),
        pytest.param(["a/gpt-4o"], "a/gpt-4o", [], id="which is not the alias that has a slash"),
        pytest.param(["<a/gpt-4o>"], "a/gpt-4o", ["b/a/gpt-4o"], id="the alias that has a slash"),
        pytest.param(["c/*", "gpt-4o"], "gpt-4o", ["c/gemini", "a/gpt-4o", "b/gpt-4o"], id="rule order, once each"),
        pytest.param(["all"], "claude", ["a/big"], id="a renamed model by its alias"),
        pytest.param(["all"], "big", [], id="and not by its upstream name"),
        pytest.param(["all"], "nonsense", [], id="what nobody offers"),
        pytest.param(
            ["all"], "gpt-4o*", ["a/gpt-4o", "a/gpt-4o-mini", "b/gpt-4o", "c/gemini"], id="any alias that begins so"
        ),
        pytest.param(["a/gpt-4o", "c/*"], "gpt*", ["a/gpt-4o", "c/gemini"], id="of those that it may use"),
        pytest.param(["all"], "nonsense*", [], id="a beginning that no alias has"),
    ],
)
def test_rules_give_the_candidates(rules: list[str], asked: str, expected: list[str]) -> None:
    """In rule order, then in file order, each channel once."""
    key = client(*rules)
    found = catalogue(*PROVIDERS, clients=(key,))
    assert names(found.candidates(key, asked)) == expected
    assert names(found.candidates(key, asked)) == expected  # and the second time, when it is known


def test_an_alias_that_ends_in_an_asterisk_goes_before_the_beginning() -> None:
    """A model may be called so."""
    key = client()
    found = catalogue(provider("a", "m*", "mm"), clients=(key,))
    assert names(found.candidates(key, "m*")) == ["a/m*"]


def test_a_weight_is_each_channels_that_the_rule_names() -> None:
    """On any form of rule, renamed models included."""
    key = client(("all", 2), "b/*", ("c/gpt-4o", 9))
    found = catalogue(*PROVIDERS, clients=(key,))
    assert names(found.candidates(key, "gpt-4o")) == ["a/gpt-4o 2", "b/gpt-4o 2", "c/gemini 2"]
    key = client("all", ("a/*", 5), ("gpt-4o", 3), ("<a/gpt-4o>", 4))
    found = catalogue(*PROVIDERS, clients=(key,))
    assert names(found.candidates(key, "gpt-4o")) == ["a/gpt-4o 5", "b/gpt-4o 3", "c/gemini 3"]
    assert names(found.candidates(key, "claude")) == ["a/big 5"]
    assert names(found.candidates(key, "a/gpt-4o")) == ["b/a/gpt-4o 4"]


def test_an_alias_from_two_upstreams_is_two_channels() -> None:
    """Also within one provider; each is told from the other."""
    key = client()
    found = catalogue(provider("a", "x:m", "y:m"), clients=(key,))
    candidates = found.candidates(key, "m")
    assert names(candidates) == ["a/x", "a/y"]
    assert len({each.channel.key for each in candidates}) == 2


def test_two_entries_of_one_name_are_both_meant() -> None:
    """And remain two, with their own keys and states."""
    key = client("a/*")
    found = catalogue(provider("a"), provider("b"), provider("a"), clients=(key,))
    first, second = (each.channel for each in found.candidates(key, "m"))
    assert (first.position, second.position) == (0, 2)
    assert first.key != second.key
    assert first.keys[0].secret == second.keys[0].secret
    assert first.keys[0].id != second.keys[0].id


def test_a_channel_keeps_its_identity_when_the_file_is_rearranged() -> None:
    """Cooldowns and statistics find it again."""
    key = client()
    before = catalogue(provider("a"), provider("b"), clients=(key,))
    after = catalogue(provider("new"), provider("b", "n", "m"), clients=(key,))
    assert before.candidates(key, "m")[1].channel.key == after.candidates(key, "m")[1].channel.key


def test_discovered_models_are_offered() -> None:
    """In place of the list that the file does not have; until they are known the provider offers nothing."""
    key = client("a/*", "n")
    unlisted = replace(provider("a"), models=None)
    config = Config((unlisted, provider("b", "n")), (key,), Preferences())
    assert Catalogue(config, 100.0).models(key) == ("n",)
    discovered = Catalogue(config, 100.0, {0: models("m", "n")})
    assert discovered.models(key) == ("m", "n")
    assert names(discovered.candidates(key, "n")) == ["a/n", "b/n"]


def test_channels_know_the_discovered_models_of_their_provider() -> None:
    """By them parameters for one model are told from parameters for all."""
    key = client()
    config = Config((replace(provider("a"), models=None),), (key,), Preferences())
    (candidate,) = Catalogue(config, 100.0, {0: models("m", "n")}).candidates(key, "m")
    assert candidate.channel.provider.models == models("m", "n")


def test_models_are_listed_once_and_in_rule_order() -> None:
    """What this key may ask for, and nothing else."""
    key = client("c/*", "a/*")
    assert catalogue(*PROVIDERS, clients=(key,)).models(key) == ("gpt-4o", "gpt-4o-mini", "claude")


def test_clients_are_found_by_their_key() -> None:
    """Exactly that, whatever characters it has."""
    one, other = client(key="sk-one"), client(key="sk-\udcff-other")
    found = catalogue(*PROVIDERS, clients=(one, other))
    assert found.client("sk-one") is one
    assert found.client("sk-\udcff-other") is other
    assert found.client("sk-on") is None
    assert found.client("") is None


def test_clients_have_their_own_rules() -> None:
    """One key's models are not offered to another."""
    one, other = client("a/*", key="sk-one"), client("c/*", key="sk-other")
    found = catalogue(*PROVIDERS, clients=(one, other))
    assert names(found.candidates(one, "gpt-4o")) == ["a/gpt-4o"]
    assert names(found.candidates(other, "gpt-4o")) == ["c/gemini"]


def test_a_key_of_another_configuration_goes_by_this_ones_rules() -> None:
    """A request that came in just before a reload: its key may be gone, or have other rules now."""
    old = client("all")
    found = catalogue(*PROVIDERS, clients=(client("c/*"),))
    assert names(found.candidates(old, "gpt-4o")) == ["c/gemini"]
    assert found.candidates(client(key="sk-gone"), "gpt-4o") == ()
    assert found.models(client(key="sk-gone")) == ()


def test_lookups_are_kept() -> None:
    """The same candidates come back, not equal ones; clients with the same rules share them."""
    one, other = client(key="sk-one"), client(key="sk-other")
    found = catalogue(*PROVIDERS, clients=(one, other))
    assert found.candidates(one, "gpt-4o") is found.candidates(other, "gpt-4o")
    assert found.candidates(one, "gpt-4o*") is found.candidates(one, "gpt-4o*")


def test_garbage_is_not_kept() -> None:
    """Names that nobody offers take no memory, with an asterisk or without."""
    key = client()
    found = catalogue(*PROVIDERS, clients=(key,))
    for number in range(100):
        assert found.candidates(key, f"nonsense-{number}") == ()
        assert found.candidates(key, f"nonsense-{number}*") == ()
    offers = found._offers[key.api]
    assert len(offers.by_prefix) == 0
    assert set(offers.by_alias) == {"gpt-4o", "gpt-4o-mini", "claude", "a/gpt-4o"}


def test_a_candidate_knows_its_timeout() -> None:
    """By alias, then by upstream name, the provider's table before the general one."""
    key = client()
    found = catalogue(
        provider("a", "m", "x:slow"),
        provider("b", "m", model_timeout={"m": 5.0}),
        clients=(key,),
        model_timeout={"slow": 600.0},
    )
    assert [each.timeout for each in found.candidates(key, "m")] == [100.0, 5.0]
    assert [each.timeout for each in found.candidates(key, "slow")] == [600.0]


@pytest.mark.parametrize(
    ("engine", "upstream", "expected"),
    [
        ("vertex", "claude-sonnet-4-5@20250929", "vertex-claude"),
        ("vertex", "gemini-2.5-pro", "vertex-gemini"),
        ("vertex-gemini", "my-claude-tuned", "vertex-gemini"),
        ("gpt", "claude-3", "gpt"),
    ],
)
def test_vertex_picks_its_wire_by_the_model(engine: str, upstream: str, expected: str) -> None:
    """And no other engine does."""
    found = catalogue(provider("a", upstream, engine=engine), clients=(client(),))
    assert found.channels[0].engine == expected


def test_no_secret_shows_in_a_channel() -> None:
    """In its repr, its identity and its label."""
    found = catalogue(provider("a", keys=["first", "second"]), clients=(client(),))
    channel = found.channels[0]
    assert "first-and" not in f"{channel!r} {channel.key} {channel.label}"
    assert channel.keys[0].id not in repr(channel)
