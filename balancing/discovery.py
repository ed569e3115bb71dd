"""Which models there are at providers whose models the configuration does not name.

Their lists are read at the start and every ten minutes. One that cannot be had is asked for again, soon at first, then
ever more seldom, with the provider's next key; what was known stays. Nobody waits for anybody else.
"""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from balancing.channels import entries_of
from balancing.keys import Entry
from balancing.model_fetch import ListError, has_list
from config.schema import Config, Model, Provider
from config.secrets import Secret

INTERVAL = 600.0
"""Seconds between two looks at a list, and the longest between two attempts to have it."""
FIRST_RETRY = 5.0
GATHERING = 0.2
"""News are put in force together with what comes within so many seconds: at the start, all lists come at once."""

logger = logging.getLogger("uniapi")

type Fetch = Callable[[Provider, Secret | None], Awaitable[tuple[Model, ...]]]
"""Raises ListError."""
type Sleep = Callable[[float], Awaitable[None]]


class Source(NamedTuple):
    """A list, across reloads: one that is elsewhere is another."""

    entry: Entry
    engine: str
    base_url: str | None
    account: str | None


def sources(config: Config) -> dict[int, Source]:
    """The lists that this configuration needs, by the position of their providers."""
    entries = entries_of(config.providers)
    return {
        position: Source(entries[position], provider.engine, provider.base_url, provider.cf_account_id)
        for position, provider in enumerate(config.providers)
        if provider.models is None
    }


class Discovery:
    """To be used from one event loop. `on_news` is called whenever `models` has changed."""

    def __init__(self, fetch: Fetch, on_news: Callable[[], None], sleep: Sleep = asyncio.sleep) -> None:
        self._fetch = fetch
        self._on_news = on_news
        self._sleep = sleep
        self._known: dict[Source, tuple[Model, ...]] = {}
        self._followed: dict[Source, Provider] = {}
        self._tasks: dict[Source, asyncio.Task[None]] = {}
        self._news: asyncio.Task[None] | None = None

    def models(self, config: Config) -> dict[int, tuple[Model, ...]]:
        """What is known of this configuration's providers, by their positions."""
        return {position: self._known.get(source, ()) for position, source in sources(config).items()}

    def follow(self, config: Config) -> None:
        """Read these lists from now on, and no others. What is known of a list that was followed before stays."""
        before = self._followed
        self._followed = {source: config.providers[position] for position, source in sources(config).items()}
        self._known = {source: models for source, models in self._known.items() if source in self._followed}
        for source, provider in before.items():
            if self._followed.get(source) != provider and source in self._tasks:
                self._tasks.pop(source).cancel()
        for source, provider in self._followed.items():
            if before.get(source) != provider:
                self._begin(source, provider)

    def stop(self) -> None:
        """End all reading."""
        for task in self._tasks.values():
            task.cancel()
        if self._news is not None:
            self._news.cancel()

    def _begin(self, source: Source, provider: Provider) -> None:
        if has_list(provider):
            self._tasks[source] = asyncio.create_task(self._read(source, provider))
        else:
            logger.warning(
                "uniapi: %s has no list of models that could be read: name them under `model`.", provider.name
            )

    async def _read(self, source: Source, provider: Provider) -> None:
        keys = provider.keys or (None,)
        trouble, retry = "", FIRST_RETRY
        for turn in itertools.count():
            try:
                models = await self._fetch(provider, keys[turn % len(keys)])
            except Exception as error:
                if not isinstance(error, ListError):
                    logger.exception("uniapi: the list of %s could not be read", provider.name)
                elif str(error) != trouble:
                    trouble = str(error)
                    self._complain(source, provider, trouble, retry)
                await self._sleep(retry)
                retry = min(2 * retry, INTERVAL)
            else:
                trouble, retry = "", FIRST_RETRY
                self._learn(source, provider, models)
                await self._sleep(INTERVAL)

    def _complain(self, source: Source, provider: Provider, trouble: str, seconds: float) -> None:
        comfort = "What was known of them stays." if source in self._known else "`model` could name them."
        logger.warning(
            "uniapi: the models of %s cannot be listed (%s); next try in %g s. %s",
            *(provider.name, trouble, seconds, comfort),
        )

    def _learn(self, source: Source, provider: Provider, models: tuple[Model, ...]) -> None:
        if self._known.get(source) == models:
            return
        self._known[source] = models
        logger.info("uniapi: %s lists %d models.", provider.name, len(models))
        if self._news is None or self._news.done():
            self._news = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        await self._sleep(GATHERING)
        self._on_news()
