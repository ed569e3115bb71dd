"""Which models there are, as time goes by."""

import asyncio
import heapq
import itertools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from balancing.discovery import FIRST_RETRY, GATHERING, INTERVAL, Discovery
from balancing.model_fetch import ListError
from config.schema import Config, Model, Preferences, Provider
from config.secrets import Secret
from tests.balancing.world import ANYBODY, models, provider


class Time:
    """Stands still until it is moved; who sleeps wakes when their moment has come."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = itertools.count()

    async def sleep(self, seconds: float) -> None:
        sleeper = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._number), sleeper))
        await sleeper

    async def move(self, seconds: float) -> None:
        end = self.now + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self.now, _, sleeper = heapq.heappop(self._sleepers)
            if not sleeper.done():
                sleeper.set_result(None)
            await settle()
        self.now = end


async def settle() -> None:
    """Let everything happen that does not wait for time."""
    for _ in range(10):
        await asyncio.sleep(0)


class Lists:
    """What providers list: by name, tuples of models or an error's text; a future hangs until it is set."""

    def __init__(self, **lists: tuple[Model, ...] | str | asyncio.Future[None]) -> None:
        self.lists = lists
        self.asked: list[tuple[float, str]] = []
        self.keys: list[str] = []
        self.time = Time()
        self.news = 0
        self.discovery = Discovery(self.fetch, self.hear, self.time.sleep)

    def hear(self) -> None:
        self.news += 1

    async def fetch(self, provider: Provider, key: Secret | None) -> tuple[Model, ...]:
        self.asked.append((self.time.now, provider.name))
        self.keys.append(key.reveal()[-3:] if key else "")
        listed = self.lists[provider.name]
        if isinstance(listed, asyncio.Future):
            await listed
            return ()
        if isinstance(listed, str):
            raise ListError(listed)
        return listed

    def times(self, name: str) -> list[float]:
        return [at for at, asked in self.asked if asked == name]


def unlisted(name: str, **fields: object) -> Provider:
    """A provider whose models the configuration does not name."""
    return replace(provider(name), models=None, **fields)  # type: ignore[arg-type]


def config(*providers: Provider) -> Config:
    return Config(providers, (ANYBODY,), Preferences())


def play(scene: Callable[[], Awaitable[None]]) -> None:
    """Run a scene; what it has left running ends with it."""
    asyncio.run(scene())  # type: ignore[arg-type]


def test_lists_are_read_at_the_start_and_every_ten_minutes() -> None:
    """Of providers that name none; what was found is told once, however many are found together."""

    async def scene() -> None:
        lists = Lists(a=models("m"), b=models("m", "n"))
        wanted = config(unlisted("a"), provider("named", "x"), unlisted("b"))
        lists.discovery.follow(wanted)
        await lists.time.move(GATHERING)
        assert lists.discovery.models(wanted) == {0: models("m"), 2: models("m", "n")}
        assert lists.news == 1
        await lists.time.move(2 * INTERVAL)
        assert lists.times("a") == lists.times("b") == [0, INTERVAL, 2 * INTERVAL]
        assert lists.news == 1

    play(scene)


def test_what_is_listed_later_is_found_later() -> None:
    """And what is no longer listed is no longer offered."""

    async def scene() -> None:
        lists = Lists(a=models("old"))
        lists.discovery.follow(config(unlisted("a")))
        await lists.time.move(1)
        lists.lists["a"] = models("new")
        await lists.time.move(INTERVAL - 2)
        assert lists.discovery.models(config(unlisted("a"))) == {0: models("old")}
        await lists.time.move(2)
        assert lists.discovery.models(config(unlisted("a"))) == {0: models("new")}
        assert lists.news == 2

    play(scene)


def test_a_list_that_fails_is_asked_for_ever_more_seldom(caplog: pytest.LogCaptureFixture) -> None:
    """Each trouble is logged once."""

    async def scene() -> None:
        lists = Lists(a="status 500")
        lists.discovery.follow(config(unlisted("a")))
        await lists.time.move(1000)
        waits = [later - sooner for sooner, later in itertools.pairwise(lists.times("a"))]
        assert waits == [5, 10, 20, 40, 80, 160, 320]
        assert [record.getMessage() for record in caplog.records] == [
            "uniapi: the models of a cannot be listed (status 500); next try in 5 s. `model` could name them."
        ]
        await lists.time.move(2 * INTERVAL)
        assert lists.times("a")[-1] - lists.times("a")[-2] == INTERVAL

    play(scene)


def test_a_list_that_fails_later_is_asked_for_soon(caplog: pytest.LogCaptureFixture) -> None:
    """What was known of it stays."""

    async def scene() -> None:
        lists = Lists(a=models("m"))
        lists.discovery.follow(config(unlisted("a")))
        await lists.time.move(1)
        lists.lists["a"] = "status 401"
        await lists.time.move(INTERVAL + 20)
        assert [at - INTERVAL for at in lists.times("a")[1:]] == [0, FIRST_RETRY, 3 * FIRST_RETRY]
        assert "(status 401); next try in 5 s. What was known of them stays." in caplog.text
        assert lists.discovery.models(config(unlisted("a"))) == {0: models("m")}

    play(scene)


def test_nobody_waits_for_anybody_else() -> None:
    """One hangs, one fails: the third is known at once."""

    async def scene() -> None:
        lists = Lists(hanging=asyncio.get_running_loop().create_future(), failing="x", good=models("m"))
        wanted = config(unlisted("hanging"), unlisted("failing"), unlisted("good"))
        lists.discovery.follow(wanted)
        await lists.time.move(GATHERING)
        assert lists.discovery.models(wanted) == {0: (), 1: (), 2: models("m")}
        assert lists.news == 1

    play(scene)


def test_a_bug_of_ours_ends_no_reading(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged as one, and the next look may go better."""

    async def scene() -> None:
        lists = Lists()
        lists.discovery.follow(config(unlisted("a")))
        await lists.time.move(1)
        assert "KeyError" in caplog.text
        lists.lists["a"] = models("m")
        await lists.time.move(FIRST_RETRY)
        assert lists.discovery.models(config(unlisted("a"))) == {0: models("m")}

    play(scene)


def test_a_providers_keys_take_turns() -> None:
    """One of them may be refused."""

    async def scene() -> None:
        lists = Lists(a="status 401")
        lists.discovery.follow(config(unlisted("a", keys=(Secret("sk-one"), Secret("sk-two")))))
        await lists.time.move(20)
        assert lists.keys == ["one", "two", "one"]

    play(scene)


def test_a_provider_without_keys_is_asked_without_one() -> None:
    """Local servers want none."""

    async def scene() -> None:
        lists = Lists(a=models("m"))
        lists.discovery.follow(config(unlisted("a", keys=())))
        await lists.time.move(1)
        assert lists.keys == [""]

    play(scene)


def test_a_reload_keeps_what_is_known() -> None:
    """Of entries that still exist, wherever they have moved, and however else they have changed."""

    async def scene() -> None:
        lists = Lists(a=models("a"), b=models("b"), c=models("c"))
        lists.discovery.follow(config(unlisted("a"), unlisted("b")))
        await lists.time.move(1)
        changed = config(unlisted("c"), unlisted("b", tools=False), unlisted("a"))
        assert lists.discovery.models(changed) == {0: (), 1: models("b"), 2: models("a")}
        lists.lists["b"] = "status 500"
        lists.discovery.follow(changed)
        await lists.time.move(1)
        assert lists.discovery.models(changed) == {0: models("c"), 1: models("b"), 2: models("a")}
        assert (lists.times("a"), lists.times("b"), lists.times("c")) == ([0], [0, 1], [1])

    play(scene)


def test_a_list_that_is_elsewhere_now_is_another() -> None:
    """What the old address listed is forgotten."""

    async def scene() -> None:
        lists = Lists(a=models("old"))
        lists.discovery.follow(config(unlisted("a")))
        await lists.time.move(1)
        moved = config(unlisted("a", base_url="https://elsewhere.example/v1"))
        assert lists.discovery.models(moved) == {0: ()}

    play(scene)


def test_two_entries_of_one_name_are_two() -> None:
    """Told apart by their order."""

    async def scene() -> None:
        lists = Lists(a=models("m"))
        twice = config(unlisted("a"), unlisted("a"))
        lists.discovery.follow(twice)
        await lists.time.move(1)
        assert lists.times("a") == [0, 0]
        assert lists.discovery.models(twice) == {0: models("m"), 1: models("m")}

    play(scene)


def test_an_entry_that_is_gone_is_not_asked_any_more() -> None:
    """Nor is anything after the end."""

    async def scene() -> None:
        lists = Lists(a=models("m"), b=models("m"))
        lists.discovery.follow(config(unlisted("a"), unlisted("b")))
        await lists.time.move(1)
        lists.discovery.follow(config(unlisted("b")))
        await lists.time.move(INTERVAL)
        assert (len(lists.times("a")), len(lists.times("b"))) == (1, 2)
        lists.discovery.stop()
        await lists.time.move(INTERVAL)
        assert len(lists.times("b")) == 2

    play(scene)


def test_a_provider_without_a_list_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """Vertex lists nothing: its models have to be named."""
    caplog.set_level(logging.WARNING)

    async def scene() -> None:
        lists = Lists()
        for _ in range(2):
            lists.discovery.follow(config(unlisted("v", engine="vertex", base_url=None)))
            await lists.time.move(INTERVAL)
        assert lists.asked == []
        (record,) = caplog.records
        assert record.getMessage() == ("uniapi: v has no list of models that could be read: name them under `model`.")

    play(scene)
