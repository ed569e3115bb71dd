"""mitmproxy's events, taken straight to the addons that listen to them.

For every event mitmproxy walks through all of its addons (about forty) and looks whether each one listens; with six
events a request that is a third of the whole work. Who listens changes only when addons come and go, so it is looked up
once. Order, isolation of errors and AddonHalt are mitmproxy's own.
"""

import inspect
from collections.abc import Callable
from typing import Any

from mitmproxy import hooks
from mitmproxy.addonmanager import AddonManager, safecall
from mitmproxy.exceptions import AddonHalt, AddonManagerError

Listeners = tuple[tuple[Callable[..., Any], ...], ...]
"""For each addon of the chain, its own and its sub-addons' functions: an error in one skips the rest of the group."""


class DirectAddonManager(AddonManager):
    """mitmproxy's AddonManager with a memory of who listens to what."""

    listeners: dict[str, Listeners]

    @classmethod
    def take_over(cls, manager: AddonManager) -> None:
        """Turn mitmproxy's manager into one of these, in its place: everything holds references to it."""
        manager.__class__ = cls
        assert isinstance(manager, cls)
        manager.listeners = {}

    @staticmethod
    def give_back(manager: AddonManager) -> None:
        manager.__class__ = AddonManager

    def register(self, addon: Any) -> Any:
        registered = super().register(addon)  # type: ignore[no-untyped-call]
        self.listeners.clear()
        return registered

    def remove(self, addon: Any) -> None:
        super().remove(addon)  # type: ignore[no-untyped-call]
        self.listeners.clear()

    def clear(self) -> None:
        super().clear()  # type: ignore[no-untyped-call]
        self.listeners.clear()

    async def trigger_event(self, event: hooks.Hook) -> None:
        listeners = self.listeners.get(event.name)
        if listeners is None:
            try:
                listeners = self.listeners[event.name] = self.find_listeners(event)
            except AddonManagerError:
                # An addon whose attribute of that name is no function: mitmproxy has words for it.
                await super().trigger_event(event)
                return
        arguments = event.args()
        for group in listeners:
            try:
                with safecall():
                    for listener in group:
                        result = listener(*arguments)
                        if result is not None and inspect.isawaitable(result):
                            await result
            except AddonHalt:
                return

    def find_listeners(self, event: hooks.Hook) -> Listeners:
        groups = (tuple(function for _, function in self._iter_hooks(addon, event)) for addon in self.chain)
        return tuple(group for group in groups if group)
