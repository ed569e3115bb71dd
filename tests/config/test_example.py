"""api.example.yaml, which people copy: it must work, and show everything there is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from config import clients, load, provider_preferences, providers
from config.engines import ENGINES
from config.environment import Environment
from config.load import load_text
from config.nodes import Items, Node, Pairs, parse

TEXT = (Path(__file__).parents[2] / "api.example.yaml").read_text()


def test_the_example_loads_without_a_warning():
    """With nothing set in the environment."""
    loaded = load_text(TEXT, "api.example.yaml", {})
    assert loaded.warnings == ()
    assert {provider.engine for provider in loaded.config.providers} == {
        "gpt",
        "claude",
        "gemini",
        "vertex",
        "cloudflare",
        "cohere",
        "azure",
        "openrouter",
    }


@pytest.mark.parametrize(
    ("part", "known"),
    [
        ("", load.KEYS),
        ("providers", providers.KEYS),
        ("providers.preferences", provider_preferences.KEYS),
        ("api_keys", clients.KEYS),
        ("api_keys.preferences", tuple(clients.UPPER_CASE)),
        ("preferences", load.PREFERENCE_KEYS),
    ],
)
def test_the_example_shows_every_key(part: str, known: tuple[str, ...]):
    """In its place, in the form that is documented."""
    root = parse(TEXT)
    assert root is not None
    shown = {key for mapping in at(root, part.split(".") if part else []) for key in keys(mapping)}
    assert set(known) <= shown


def test_every_key_of_the_example_is_explained():
    """A comment on its line or above the lines it stands in."""
    explained: dict[str, bool] = {}
    above = ""
    for line in TEXT.splitlines():
        key, colon, _ = line.strip().removeprefix("- ").partition(":")
        if colon and not line.strip().startswith("#"):
            name = key.strip("\"'")
            explained[name] = explained.get(name, False) or "#" in line or above.startswith("#")
        above = line.strip()
    every = {*providers.KEYS, *provider_preferences.KEYS, *clients.KEYS, *clients.UPPER_CASE, *load.PREFERENCE_KEYS}
    assert [name for name in sorted(every) if not explained[name]] == []


@pytest.mark.parametrize("name", ENGINES)
def test_the_example_names_every_engine(name: str):
    """In the comment of `engine`."""
    (line,) = [line for line in TEXT.splitlines() if line.strip().startswith("engine:")]
    assert name in line.partition("#")[2]


@pytest.mark.parametrize("field", [field for field in Environment.__dataclass_fields__ if field != "variables"])
def test_the_example_names_every_variable(field: str):
    """At its end."""
    assert f"#   {field.upper()} " in TEXT


def test_every_secret_of_the_example_says_that_it_is_fake():
    """So that nobody looks for its owner."""
    config = load_text(TEXT, "api.example.yaml", {}).config
    secrets = [key for provider in config.providers for key in provider.keys]
    secrets += [provider.private_key for provider in config.providers if provider.private_key]
    secrets += [client.api for client in config.client_keys]
    assert len(secrets) > 10
    assert [secret.masked for secret in secrets if "FAKE" not in secret.reveal()] == []


def at(node: Node, path: list[str]) -> Iterator[Pairs]:
    """The mappings under a path, through lists."""
    if isinstance(node, Items):
        for item in node.items:
            yield from at(item, path)
    elif isinstance(node, Pairs) and not path:
        yield node
    elif isinstance(node, Pairs):
        for key, value in node.pairs:
            if key.text == path[0]:
                yield from at(value, path[1:])


def keys(mapping: Pairs) -> list[str]:
    """As written."""
    return [key.text for key, _ in mapping.pairs]
