"""mitmproxy's events, taken straight to who listens: as mitmproxy would, only quicker."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from mitmproxy import hooks
from mitmproxy.addonmanager import AddonManager
from mitmproxy.exceptions import AddonHalt
from mitmproxy.test import taddons

from balancing.dispatch import DirectAddonManager


class Recorder:
    """An addon that notes each `done`-like event it hears, and does something about it."""

    def __init__(self, name: str, heard: list[str], act: Callable[[], Any] = lambda: None) -> None:
        self.name = name
        self._heard = heard
        self._act = act

    def update(self, flows: Any) -> Any:
        self._heard.append(self.name)
        return self._act()


class Group:
    def __init__(self, name: str, *addons: Any) -> None:
        self.name = name
        self.addons = list(addons)


def fails() -> None:
    raise RuntimeError("an addon's own mistake")


def halts() -> None:
    raise AddonHalt


async def waits() -> None:
    await asyncio.sleep(0)


def heard_by(build: Callable[[list[str]], list[Any]], *, direct: bool) -> list[str]:
    """Who hears one event, with these addons."""
    heard: list[str] = []

    async def run() -> None:
        with taddons.context(loadcore=False) as context:
            manager = context.master.addons
            manager.add(*build(heard))
            if direct:
                DirectAddonManager.take_over(manager)
            await manager.trigger_event(hooks.UpdateHook([]))

    asyncio.run(run())
    return heard


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda heard: [Recorder("a", heard), Group("no listener"), Recorder("b", heard, waits)], ["a", "b"]),
        (lambda heard: [Recorder("a", heard, halts), Recorder("b", heard)], ["a"]),
        (lambda heard: [Recorder("a", heard, fails), Recorder("b", heard)], ["a", "b"]),
        (
            lambda heard: [Group("g", Recorder("a", heard, fails), Recorder("b", heard)), Recorder("c", heard)],
            ["a", "c"],
        ),
    ],
)
def test_who_hears_an_event_is_as_in_mitmproxy(build, expected, caplog):
    """In order; an error ends its group, AddonHalt everything."""
    with caplog.at_level(logging.CRITICAL):
        assert heard_by(build, direct=False) == expected
        assert heard_by(build, direct=True) == expected


def test_addons_that_come_and_go_are_noticed():
    """Also those that come and go while events are sent."""
    heard: list[str] = []

    async def run() -> None:
        with taddons.context(loadcore=False) as context:
            manager = context.master.addons
            DirectAddonManager.take_over(manager)
            await manager.trigger_event(hooks.UpdateHook([]))
            late = Recorder("late", heard)
            manager.add(late)
            await manager.trigger_event(hooks.UpdateHook([]))
            manager.remove(late)
            await manager.trigger_event(hooks.UpdateHook([]))
            DirectAddonManager.give_back(manager)
            assert type(manager) is AddonManager

    asyncio.run(run())
    assert heard == ["late"]


def test_a_listener_that_is_no_function_is_left_to_mitmproxy(caplog):
    """It says what is wrong, and the others still hear the event."""
    heard: list[str] = []

    class Odd:
        name = "odd"
        update = 5

    async def run() -> None:
        with taddons.context(loadcore=False) as context:
            manager = context.master.addons
            manager.add(Odd(), Recorder("a", heard))
            DirectAddonManager.take_over(manager)
            await manager.trigger_event(hooks.UpdateHook([]))

    asyncio.run(run())
    assert heard == ["a"]
    assert "not callable" in caplog.text
