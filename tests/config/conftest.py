"""What the tests of the configuration share: loading a text, and the messages of one that does not load."""

from collections.abc import Callable
from textwrap import dedent

import pytest

from config.load import ConfigError, Loaded, load_text
from config.schema import ClientKey, Provider

CLIENTS = """
api_keys:
  - api: sk-fake-client-key-0001
"""


@pytest.fixture
def load() -> Callable[..., Loaded]:
    """Load a text; keyword arguments are the environment."""

    def load(text: str, **environ: str) -> Loaded:
        return load_text(dedent(text), "api.yaml", environ)

    return load


@pytest.fixture
def problems() -> Callable[..., list[str]]:
    """The lines of a text that does not load, warnings left out."""

    def problems(text: str, **environ: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load_text(dedent(text), "api.yaml", environ)
        return [str(problem) for problem in caught.value.problems]

    return problems


@pytest.fixture
def provider(load: Callable[..., Loaded]) -> Callable[..., Provider]:
    """The provider of an entry's lines, given without its dash and at the left margin."""

    def provider(entry: str, **environ: str) -> Provider:
        return load(_one_provider(entry), **environ).config.providers[0]

    return provider


@pytest.fixture
def provider_problems(problems: Callable[..., list[str]]) -> Callable[..., list[str]]:
    """The messages of an entry that does not load, without `api.yaml:` and line."""

    def provider_problems(entry: str, **environ: str) -> list[str]:
        return [line.split(": ", 1)[1] for line in problems(_one_provider(entry), **environ)]

    return provider_problems


@pytest.fixture
def client(load: Callable[..., Loaded]) -> Callable[[str], ClientKey]:
    """The client key of an entry's lines, beside two providers."""

    def client(entry: str) -> ClientKey:
        return load(_one_client(entry)).config.client_keys[0]

    return client


@pytest.fixture
def client_problems(problems: Callable[..., list[str]]) -> Callable[[str], list[str]]:
    """The messages of an entry that does not load, without `api.yaml:` and line."""

    def client_problems(entry: str) -> list[str]:
        return [line.split(": ", 1)[1] for line in problems(_one_client(entry))]

    return client_problems


def _one_provider(entry: str) -> str:
    return f"providers:\n{_as_item(entry)}\n{CLIENTS}"


def _one_client(entry: str) -> str:
    return f"""
providers:
  - provider: first
    base_url: http://localhost:1/v1
    model: [gpt-4o, gpt-4o-mini]
  - provider: second
    base_url: http://localhost:2/v1
    model: [gpt-4o, vendor/model-x]
api_keys:
{_as_item(entry)}
"""


def _as_item(entry: str) -> str:
    first, *rest = dedent(entry).strip().splitlines()
    return "\n".join([f"  - {first}", *(f"    {line}" for line in rest)])
