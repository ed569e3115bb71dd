"""Which configuration is in force, and what follows when another is wanted."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from balancing.configuration import Configuration
from balancing.discovery import Discovery
from balancing.gateway import Gateway
from config.environment import Environment
from config.load import ConfigError
from config.schema import Model, Provider
from config.secrets import Secret

GOOD = """
providers: [{provider: NAME, base_url: "http://127.0.0.1:9/v1", api: sk-provider, model: [m]}]
api_keys: [{api: sk-client}]
"""
WRONG = "providers: 7\n"


async def nothing_yet(provider: Provider, key: Secret | None) -> tuple[Model, ...]:
    """A list of models that takes its time."""
    await asyncio.sleep(3600)
    return ()


class World:
    def __init__(self) -> None:
        self.gateway = Gateway(
            clock=lambda: 0.0, wall_clock=lambda: 0.0, chance=random.Random(1), log=print, default_timeout=10
        )
        discovery = Discovery(nothing_yet, on_news=lambda: None)
        self.configuration = Configuration(self.gateway, discovery, Environment())

    @property
    def names(self) -> list[str]:
        assert self.gateway.config
        return [provider.name for provider in self.gateway.config.providers]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """In an empty folder."""
    monkeypatch.chdir(tmp_path)
    return World()


def write(name: str, provider: str) -> None:
    Path(name).write_text(GOOD.replace("NAME", provider))


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0.02)


def test_a_file_is_read_at_once(world: World) -> None:
    """Before anything runs."""
    write("mine.yaml", "mine")
    world.configuration.choose("mine.yaml")
    assert world.names == ["mine"]


def test_one_that_is_written_later_is_found(world: World) -> None:
    """Until then the gateway says what to do."""

    async def live() -> None:
        world.configuration.choose("")
        assert "Write ./api.yaml" in world.gateway.problem
        world.configuration.follow()
        write("api.yaml", "late")
        await until(lambda: world.gateway.config is not None)
        assert world.configuration.stop()

    asyncio.run(live())
    assert world.names == ["late"]


def test_another_place_is_followed_from_then_on(world: World) -> None:
    """And the first no more."""

    async def live() -> None:
        write("first.yaml", "first")
        write("second.yaml", "second")
        world.configuration.choose("first.yaml")
        world.configuration.follow()
        world.configuration.choose("second.yaml")
        assert world.names == ["second"]
        write("first.yaml", "first-changed")
        write("second.yaml", "second-changed")
        await until(lambda: world.names != ["second"])
        await asyncio.sleep(1.2)  # Longer than any file is left unwatched.
        world.configuration.stop()

    asyncio.run(live())
    assert world.names == ["second-changed"]


def test_a_reload_reads_now_and_a_wrong_one_changes_nothing(world: World) -> None:
    """The mistakes are told."""
    write("api.yaml", "before")
    world.configuration.choose("")
    write("api.yaml", "after")
    assert world.configuration.reload() == "The configuration of api.yaml is in force."
    assert world.names == ["after"]
    Path("api.yaml").write_text(WRONG)
    with pytest.raises(ConfigError, match=r"api\.yaml:1"):
        world.configuration.reload()
    assert world.names == ["after"]


def test_a_reload_finds_what_was_not_there(world: World) -> None:
    """Or says what to write."""
    world.configuration.choose("")
    with pytest.raises(ConfigError, match=r"Write \./api\.yaml"):
        world.configuration.reload()
    write("api.yaml", "found")
    world.configuration.reload()
    assert world.names == ["found"]


def test_one_at_a_url_is_read_meanwhile(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """What comes of it stands in the log: here, that nobody answers."""

    async def live() -> None:
        world.configuration.choose("http://127.0.0.1:9/api.yaml")
        assert "is being read" in world.configuration.reload()
        await until(lambda: "cannot be used" in caplog.text)
        assert not world.configuration.stop()

    asyncio.run(live())
    assert world.gateway.config is None
