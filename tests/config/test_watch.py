import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from config.environment import Environment
from config.load import Loaded
from config.problems import ConfigError, Problem
from config.watch import ConfigSource, find_source

UNREACHABLE = ConfigError([Problem("memory", None, "", "cannot be fetched: answered 500")])


def config_text(name: str) -> str:
    """A small configuration that is told from others by its provider's name."""
    return f"""
providers:
  - provider: {name}
    base_url: http://localhost/v1
api_keys:
  - api: sk-fake-client-key
"""


class Memory:
    """A place that gives, look by look, what a test lays down; None = no news."""

    name = "memory"
    interval = 7.0

    def __init__(self, *looks: str | ConfigError | None) -> None:
        self.looks = list(looks)

    async def read(self) -> str:
        text = await self.poll()
        assert text is not None
        return text

    async def poll(self) -> str | None:
        look = self.looks.pop(0)
        if isinstance(look, ConfigError):
            raise look
        return look


def watched(memory: Memory, load_first: bool = True, on_loaded: Callable[[Loaded], None] | None = None) -> list[str]:
    """The providers' names that a watch brings, until there is nothing more to look at."""
    names: list[str] = []
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if not memory.looks:
            raise asyncio.CancelledError

    async def run() -> None:
        source = ConfigSource(memory, {}, sleep)
        if load_first:
            await source.load()
        await source.watch(on_loaded or (lambda loaded: names.append(loaded.config.providers[0].name)))

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())
    assert set(slept) == {7.0}
    return names


def test_a_new_configuration_is_brought_once():
    """And the first one is not news when it was loaded before."""
    one, two = config_text("one"), config_text("two")
    assert watched(Memory(one, one, None, two, two, None, one)) == ["two", "one"]


def test_a_configuration_that_was_not_loaded_is_brought_at_once():
    """Before the first wait; a URL at the start, for one."""
    memory = Memory(config_text("one"))
    brought: list[int] = []
    watched(memory, load_first=False, on_loaded=lambda loaded: brought.append(len(memory.looks)))
    assert brought == [0]


def test_a_broken_configuration_changes_nothing_and_is_one_log_entry(caplog):
    """With every problem in it. The next good one is brought."""
    broken = "providers: 7\napi_keys: 8\n"
    memory = Memory(config_text("one"), broken, broken, None, config_text("two"))
    assert watched(memory) == ["two"]
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage().splitlines() == [
        "The configuration cannot be used, the running one stays:",
        "memory:1: providers: must be a list (lines that begin with `- `); got a text",
        "memory:2: api_keys: must be a list (lines that begin with `- `); got a text",
    ]


def test_every_broken_change_is_logged(caplog):
    """Somebody is looking for what is still wrong."""
    watched(Memory(config_text("one"), "providers: 7", "providers: 7 # really"))
    assert len(caplog.records) == 2


def test_a_place_that_cannot_be_reached_is_one_line_until_it_can(caplog):
    """Not one line a look; and the configuration stays."""
    one = config_text("one")
    memory = Memory(one, UNREACHABLE, UNREACHABLE, None, UNREACHABLE, one, config_text("two"))
    assert watched(memory) == ["two"]
    assert [record.getMessage() for record in caplog.records] == [
        "memory: cannot be fetched: answered 500; the running one stays"
    ] * 2


def test_a_place_that_could_not_be_reached_at_the_start_is_tried_again(caplog):
    """The process runs, and has nothing to serve with yet."""
    assert watched(Memory(UNREACHABLE, config_text("one")), load_first=False) == ["one"]
    (record,) = caplog.records
    assert record.getMessage().endswith("; and there was none before")


def test_a_configuration_that_cannot_be_put_in_force_does_not_end_the_watch(caplog):
    """What comes next may."""
    brought: list[str] = []

    def put_in_force(loaded: Loaded) -> None:
        brought.append(loaded.config.providers[0].name)
        raise RuntimeError(f"no use for {brought[-1]}")

    watched(Memory(config_text("one"), config_text("two"), config_text("three")), on_loaded=put_in_force)
    assert brought == ["two", "three"]
    assert [record.getMessage() for record in caplog.records] == [
        "The configuration of memory could not be put in force"
    ] * 2


def test_warnings_come_with_what_is_loaded():
    """To be logged by who puts it in force."""
    loaded = asyncio.run(ConfigSource(Memory(config_text("one") + "extra: 1\n"), {}).load())
    assert [str(warning) for warning in loaded.warnings] == [
        "memory:7: extra: unknown key, ignored; known: providers, api_keys or preferences"
    ]


def test_references_are_filled_from_the_variables_given():
    """Not from the process's own, which tests and reloads share."""
    source = ConfigSource(Memory(config_text("${NAME}")), {"NAME": "from-the-environment"})
    assert asyncio.run(source.load()).config.providers[0].name == "from-the-environment"


def found(directory: Path, option: str = "", **variables: str) -> ConfigSource | None:
    """The place for an option and an environment."""
    return find_source(option, directory, Environment.read(variables))


def loaded_from(source: ConfigSource | None) -> str:
    """The name of the provider in it."""
    assert source is not None
    return source.load_file().config.providers[0].name


def test_the_option_goes_before_the_file_here_and_that_before_config_url(tmp_path):
    """In this order."""
    (tmp_path / "api.yaml").write_text(config_text("here"))
    (tmp_path / "option.yaml").write_text(config_text("option"))
    (tmp_path / "url.yaml").write_text(config_text("url"))
    assert loaded_from(found(tmp_path, "option.yaml", CONFIG_URL="url.yaml")) == "option"
    assert loaded_from(found(tmp_path, "", CONFIG_URL="url.yaml")) == "here"
    (tmp_path / "api.yaml").unlink()
    assert loaded_from(found(tmp_path, "", CONFIG_URL="url.yaml")) == "url"
    assert loaded_from(found(tmp_path, "", CONFIG_URL=str(tmp_path / "url.yaml"))) == "url"
    assert found(tmp_path) is None


def test_the_name_is_the_one_that_was_given(tmp_path):
    """So that messages read `api.yaml:12`."""
    (tmp_path / "api.yaml").write_text("")
    here, option = found(tmp_path), found(tmp_path, "conf/mine.yaml")
    assert here is not None
    assert option is not None
    assert (here.name, here.is_file) == ("api.yaml", True)
    assert (option.name, option.is_file) == ("conf/mine.yaml", True)


@pytest.mark.parametrize("url", ["https://example.com/x/api.yaml?token=fake", "HTTP://example.com/x/api.yaml"])
def test_an_option_or_config_url_may_be_a_url(tmp_path, url):
    """Named without its query."""
    for source in (found(tmp_path, url), found(tmp_path, CONFIG_URL=url)):
        assert source is not None
        assert not source.is_file
        assert source.name.lower().endswith("://example.com/…/api.yaml")


def test_a_file_that_an_option_names_must_be_there(tmp_path):
    """Another one must not be taken in its place."""
    (tmp_path / "api.yaml").write_text(config_text("here"))
    with pytest.raises(ConfigError, match=r"^other\.yaml: cannot be read: No such file or directory$"):
        loaded_from(found(tmp_path, "other.yaml"))


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("ftp://user:fake-secret@host/fake-secret/api.yaml", "ftp://host/…/api.yaml"),
        ("file:///etc/api.yaml", "file:///…/api.yaml"),
    ],
)
def test_a_url_of_another_scheme_is_told_which_there_are(tmp_path, option, name):
    """Named without what may be secret in it."""
    with pytest.raises(ConfigError) as caught:
        loaded_from(found(tmp_path, option))
    assert str(caught.value) == (
        f"{name}: cannot be read: No such file or directory; a URL begins with http:// or https://"
    )


def test_home_is_understood(tmp_path, monkeypatch):
    """mitmproxy's options come from files, too, where no shell expands it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.yaml").write_text(config_text("home"))
    assert loaded_from(found(tmp_path / "elsewhere", "~/mine.yaml")) == "home"


def test_a_file_is_followed_from_what_was_loaded(tmp_path):
    """From the disk to the callback."""
    path = tmp_path / "api.yaml"
    path.write_text(config_text("one"))
    names: list[str] = []
    looks = iter(["nothing new", "a change", "nothing new"])

    async def sleep(seconds: float) -> None:
        if seconds < 1:
            return
        match next(looks, None):
            case "a change":
                path.write_text(config_text("another"))
            case None:
                raise asyncio.CancelledError

    source = find_source("", tmp_path, Environment.read({}), sleep)
    assert source is not None
    source.load_file()
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(source.watch(lambda loaded: names.append(loaded.config.providers[0].name)))
    assert names == ["another"]
