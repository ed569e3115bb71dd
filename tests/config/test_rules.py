"""The rules of behaviour: what a line of a client key's `model` list means."""

from collections.abc import Sequence

import pytest

from config.rules import ModelIndex, matches
from config.schema import Model, Provider, ProviderPreferences


def provider(name: str, *models: str | tuple[str, str]) -> Provider:
    """A provider of these models; none = to be discovered."""
    pairs = [(model, model) if isinstance(model, str) else model for model in models]
    return Provider(
        name=name,
        base_url="http://localhost/v1",
        keys=(),
        models=tuple(Model(*pair) for pair in pairs) or None,
        tools=True,
        image=True,
        engine="gpt",
        project_id=None,
        private_key=None,
        client_email=None,
        credentials_file=None,
        token_uri=None,
        regions=(),
        cf_account_id=None,
        notes="",
        preferences=ProviderPreferences(),
        line=1,
    )


PROVIDERS = (
    provider("anthropic", ("claude-3-5-sonnet-20240620", "claude-3-5-sonnet"), "claude-3-opus"),
    provider("other", "anthropic/claude-3-5-sonnet", ("gpt-4o-2024-11-20", "gpt-4o"), ("gpt-4o-mini", "gpt-4o")),
    provider("deepinfra", "meta-llama/Llama-3", "gpt-4o"),
    provider("anthropic", ("claude-3-5-sonnet-20241022", "claude-3-5-sonnet")),
)


def found(rule: str, providers: Sequence[Provider] = PROVIDERS) -> list[tuple[int, str]]:
    """Provider's index and upstream name of each match."""
    return [(index, model.upstream) for index, model in matches(rule, providers)]


def test_all_is_every_model_in_the_order_of_the_file():
    """Of every provider."""
    assert found("all") == [
        (0, "claude-3-5-sonnet-20240620"),
        (0, "claude-3-opus"),
        (1, "anthropic/claude-3-5-sonnet"),
        (1, "gpt-4o-2024-11-20"),
        (1, "gpt-4o-mini"),
        (2, "meta-llama/Llama-3"),
        (2, "gpt-4o"),
        (3, "claude-3-5-sonnet-20241022"),
    ]


def test_all_goes_before_a_model_of_that_name():
    """Which angle brackets still reach."""
    providers = (provider("a", "all", "b"),)
    assert found("all", providers) == [(0, "all"), (0, "b")]
    assert found("<all>", providers) == [(0, "all")]


def test_an_alias_is_that_model_of_every_provider():
    """The same alias from two upstream models of one provider is two channels."""
    assert found("gpt-4o") == [(1, "gpt-4o-2024-11-20"), (1, "gpt-4o-mini"), (2, "gpt-4o")]


def test_a_renamed_model_is_not_known_by_its_old_name():
    """Unless that is listed as well."""
    assert found("gpt-4o-2024-11-20") == []


def test_a_provider_and_a_star_are_all_its_models():
    """Of every entry of that name."""
    assert found("anthropic/*") == [
        (0, "claude-3-5-sonnet-20240620"),
        (0, "claude-3-opus"),
        (3, "claude-3-5-sonnet-20241022"),
    ]


def test_a_provider_and_an_alias_are_that_providers_only():
    """Not the model of another provider whose own name reads the same."""
    assert found("anthropic/claude-3-5-sonnet") == [
        (0, "claude-3-5-sonnet-20240620"),
        (3, "claude-3-5-sonnet-20241022"),
    ]


def test_angle_brackets_make_the_whole_text_an_alias():
    """Not the model of the provider whose name it begins with."""
    assert found("<anthropic/claude-3-5-sonnet>") == [(1, "anthropic/claude-3-5-sonnet")]


def test_the_provider_ends_at_the_first_slash():
    """Aliases may have slashes of their own."""
    assert found("deepinfra/meta-llama/Llama-3") == [(2, "meta-llama/Llama-3")]


def test_a_slash_without_such_a_provider_is_part_of_the_alias():
    """No provider is called meta-llama."""
    assert found("meta-llama/Llama-3") == [(2, "meta-llama/Llama-3")]


def test_a_provider_that_lacks_the_alias_is_not_another_reading():
    """The rule names the provider, whatever other models are called."""
    assert found("anthropic/gpt-4o") == []


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("claude-3-5*", [(0, "claude-3-5-sonnet-20240620"), (3, "claude-3-5-sonnet-20241022")]),
        ("anthropic/claude-3-o*", [(0, "claude-3-opus")]),
        ("meta-llama/*", [(2, "meta-llama/Llama-3")]),
        ("<anthropic/*>", [(1, "anthropic/claude-3-5-sonnet")]),
        ("claude-*-sonnet", []),
    ],
)
def test_a_star_at_the_end_is_any_ending(rule: str, expected: list[tuple[int, str]]):
    """In the middle it is a letter like any other."""
    assert found(rule) == expected


@pytest.mark.parametrize("rule", ["", "nothing", "nobody/*", "anthropic/", "<>", "<gpt-4o", "<", "GPT-4o", "ALL"])
def test_a_rule_may_match_nothing(rule: str):
    """Names are taken as they are written."""
    assert found(rule) == []


def test_models_to_be_discovered_match_nothing_yet():
    """And what they may match later is known."""
    providers = (provider("known", "a"), provider("open"))
    index = ModelIndex(providers)
    assert index.matches("open/a") == []
    assert index.matches("a") == [(0, Model("a", "a"))]
    assert index.undecided("open/a")
    assert index.undecided("b")
    assert index.undecided("nobody/b")
    assert not index.undecided("known/b")


def test_with_all_models_known_nothing_is_undecided():
    """A rule that matches nothing then is a mistake."""
    assert not ModelIndex(PROVIDERS).undecided("b")


def test_aliases_are_listed_once():
    """In the order of the file."""
    assert ModelIndex(PROVIDERS).aliases() == [
        "claude-3-5-sonnet",
        "claude-3-opus",
        "anthropic/claude-3-5-sonnet",
        "gpt-4o",
        "meta-llama/Llama-3",
    ]
