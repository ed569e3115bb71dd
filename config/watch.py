"""Which configuration is in force: where it comes from, and its changes while the program runs."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from config.environment import Environment
from config.load import Loaded, load_text
from config.problems import ConfigError
from config.texts import FileText, Sleep, TextSource, UrlText, url_name

DEFAULT_FILE = "api.yaml"

logger = logging.getLogger(__name__)


class ConfigSource:
    """One place of a configuration, read at the start and followed from then on."""

    def __init__(self, text: TextSource, variables: Mapping[str, str], sleep: Sleep = asyncio.sleep) -> None:
        self._text = text
        self._variables = variables
        self._sleep = sleep
        self._digest: bytes | None = None
        """Of the text that was had last, good or bad."""
        self._unreachable = ""
        """Why it could not be had at the last look; one line a failure, not one a look."""
        self._in_force = False

    @property
    def name(self) -> str:
        """For messages, without credentials."""
        return self._text.name

    @property
    def is_file(self) -> bool:
        """Whether `load_file` can be used."""
        return isinstance(self._text, FileText)

    def load_file(self) -> Loaded:
        """As `load`, for a file and a moment when no loop can be waited for. Raises ConfigError."""
        assert isinstance(self._text, FileText)
        text = self._text.read_now()
        self._digest = _digest(text)
        return self._typed(text)

    async def load(self) -> Loaded:
        """The configuration as it is now. Raises ConfigError when it cannot be had or used."""
        text = await self._text.read()
        self._digest = _digest(text)
        return await asyncio.to_thread(self._typed, text)

    async def watch(self, on_loaded: Callable[[Loaded], None]) -> None:
        """Call back with every new configuration that can be used, until cancelled.

        The first look is at once when nothing was loaded before. A configuration that cannot be used,
        or a place that cannot be reached, changes nothing and is logged once.
        """
        if self._digest is not None:
            await self._sleep(self._text.interval)
        while True:
            text = await self._news()
            if text is not None:
                await self._apply(text, on_loaded)
            await self._sleep(self._text.interval)

    async def _news(self) -> str | None:
        """A text that was not there before."""
        try:
            text = await self._text.poll()
        except ConfigError as error:
            if str(error) != self._unreachable:
                logger.error("%s; %s", error, self._what_serves())
            self._unreachable = str(error)
            return None
        self._unreachable = ""
        if text is None or _digest(text) == self._digest:
            return None
        self._digest = _digest(text)
        return text

    async def _apply(self, text: str, on_loaded: Callable[[Loaded], None]) -> None:
        try:
            loaded = await asyncio.to_thread(self._typed, text)
        except ConfigError as error:
            logger.error("The configuration cannot be used, %s:\n%s", self._what_serves(), error)
            return
        try:
            on_loaded(loaded)
        except Exception:
            # The next change may be a better one: the watch must not end here, and unseen.
            logger.exception("The configuration of %s could not be put in force", self.name)

    def _typed(self, text: str) -> Loaded:
        loaded = load_text(text, self.name, self._variables)
        self._in_force = True
        return loaded

    def _what_serves(self) -> str:
        return "the running one stays" if self._in_force else "and there was none before"


def find_source(
    option: str, directory: Path, environment: Environment, sleep: Sleep = asyncio.sleep
) -> ConfigSource | None:
    """The option's path or URL, else `api.yaml` in the directory, else CONFIG_URL's; None = nothing there."""
    variables = environment.variables
    if not option and (directory / DEFAULT_FILE).exists():
        return ConfigSource(FileText(directory / DEFAULT_FILE, DEFAULT_FILE, sleep), variables, sleep)
    location = option or environment.config_url
    if not location:
        return None
    if location.lower().startswith(("http://", "https://")):
        return ConfigSource(UrlText(location), variables, sleep)
    path = directory / os.path.expanduser(location)
    # What looks like a URL of another scheme may hold what a URL holds.
    name = url_name(location) if "://" in location else location
    return ConfigSource(FileText(path, name, sleep), variables, sleep)


def _digest(text: str) -> bytes:
    """Instead of the text, which holds secrets."""
    return hashlib.sha256(text.encode()).digest()
