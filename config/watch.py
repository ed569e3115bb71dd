"""Which configuration is in force: where it comes from, and its changes while the program runs."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from config.load import Loaded, load_text
from config.problems import ConfigError
from config.texts import FileText, Sleep, TextSource, UrlText

DEFAULT_FILE = "api.yaml"

logger = logging.getLogger(__name__)


class ConfigSource:
    """One place of a configuration, read at the start and followed from then on."""

    def __init__(self, text: TextSource, environ: Mapping[str, str], sleep: Sleep = asyncio.sleep) -> None:
        self._text = text
        self._environ = environ
        self._sleep = sleep
        self._digest = b""
        self._unreachable = ""
        """Why it could not be had at the last look; one line a failure, not one a look."""

    @classmethod
    def choose(
        cls,
        option: str,
        config_url: str,
        environ: Mapping[str, str],
        directory: Path,
        sleep: Sleep = asyncio.sleep,
    ) -> ConfigSource | None:
        """The option's path or URL, else `api.yaml` in the directory, else CONFIG_URL's; None = nothing there.

        `environ` fills the references inside the configuration.
        """
        if not option and (directory / DEFAULT_FILE).exists():
            return cls(FileText(directory / DEFAULT_FILE, DEFAULT_FILE, sleep), environ, sleep)
        location = option or config_url
        if not location:
            return None
        if location.lower().startswith(("http://", "https://")):
            return cls(UrlText(location), environ, sleep)
        return cls(FileText(directory / Path(location).expanduser(), location, sleep), environ, sleep)

    @property
    def name(self) -> str:
        """For messages, without credentials."""
        return self._text.name

    async def load(self) -> Loaded:
        """The configuration as it is now. Raises ConfigError when it cannot be had or used."""
        text = await self._text.read()
        self._digest = _digest(text)
        return await self._load(text)

    async def watch(self, on_loaded: Callable[[Loaded], None]) -> None:
        """Call back with every new configuration that can be used, until cancelled.

        One that cannot be used, or a place that cannot be reached, changes nothing and is logged once.
        """
        while True:
            await self._sleep(self._text.interval)
            text = await self._news()
            if text is not None:
                await self._apply(text, on_loaded)

    async def _news(self) -> str | None:
        """A text that was not there before."""
        try:
            text = await self._text.poll()
        except ConfigError as error:
            if str(error) != self._unreachable:
                logger.error("%s; the running configuration stays", error)
            self._unreachable = str(error)
            return None
        self._unreachable = ""
        if text is None or _digest(text) == self._digest:
            return None
        self._digest = _digest(text)
        return text

    async def _apply(self, text: str, on_loaded: Callable[[Loaded], None]) -> None:
        try:
            loaded = await self._load(text)
        except ConfigError as error:
            logger.error("The new configuration cannot be used, the running one stays:\n%s", error)
            return
        try:
            on_loaded(loaded)
        except Exception:
            # The next change may be a better one: the watch must not end here, and unseen.
            logger.exception("The configuration of %s could not be put in force", self.name)

    async def _load(self, text: str) -> Loaded:
        return await asyncio.to_thread(load_text, text, self.name, self._environ)


def _digest(text: str) -> bytes:
    """Instead of the text, which holds secrets."""
    return hashlib.sha256(text.encode()).digest()
