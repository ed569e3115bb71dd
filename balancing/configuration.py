"""Which configuration is in force: found, read, followed while the program runs, read again when a person wants it."""

import asyncio
import logging
from pathlib import Path

from balancing.discovery import Discovery
from balancing.gateway import Gateway
from config.environment import Environment
from config.load import ConfigError, Loaded
from config.options import NO_CONFIG
from config.problems import Problem
from config.watch import ConfigSource, find_source

logger = logging.getLogger("uniapi")


class Configuration:
    """Puts what it reads in force in the gateway."""

    def __init__(self, gateway: Gateway, discovery: Discovery, environment: Environment) -> None:
        self._gateway = gateway
        self._discovery = discovery
        self._environment = environment
        self._option = ""
        self._source: ConfigSource | None = None
        self._follower: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[None] | None = None

    def choose(self, option: str) -> None:
        """Where it is to be from now on: the option's path or URL, else where `find_source` looks. A file is read at
        once. Raises ConfigError; what was in force stays."""
        self._option = option
        self._source = self._found()
        if self._gateway.config is None:
            self._gateway.problem = f"{self._source.name} is not loaded yet." if self._source else NO_CONFIG
        if self._source is None:
            logger.warning(f"uniapi: {NO_CONFIG}")
        elif self._source.is_file:
            self._use(self._source.load_file())
        if self._follower is not None:
            self._follower.cancel()
            self.follow()

    def follow(self) -> None:
        """Use every new configuration from now on. A loop must be running."""
        self._follower = asyncio.get_running_loop().create_task(self._follow())
        if self._gateway.config is not None:
            self._discovery.follow(self._gateway.config)

    def reload(self) -> str:
        """Read it now; says what came of it. Raises ConfigError; what was in force stays."""
        self._source = self._source or self._found()
        if self._source is None:
            raise ConfigError([Problem("", None, "", NO_CONFIG)])
        if not self._source.is_file:
            self._reading = asyncio.get_running_loop().create_task(self._reload(self._source))
            return f"{self._source.name} is being read; the log will say what came of it."
        self._use(self._source.load_file())
        return f"The configuration of {self._source.name} is in force."

    def stop(self) -> bool:
        """Do not follow it any more; whether it was followed."""
        for task in (self._follower, self._reading):
            if task is not None:
                task.cancel()
        self._discovery.stop()
        return self._follower is not None

    def _found(self) -> ConfigSource | None:
        return find_source(self._option, Path.cwd(), self._environment)

    async def _follow(self) -> None:
        """Without any, wait for one to be written."""
        while self._source is None:
            await asyncio.sleep(1)
            self._source = self._found()
        await self._source.watch(self._use)

    async def _reload(self, source: ConfigSource) -> None:
        try:
            self._use(await source.load())
        except ConfigError as error:
            logger.error("The configuration cannot be used, nothing has changed:\n%s", error)

    def _use(self, loaded: Loaded) -> None:
        for warning in loaded.warnings:
            logger.warning(str(warning))
        is_first = self._gateway.config is None
        self._gateway.use(loaded.config)
        if self._follower is not None:
            self._discovery.follow(loaded.config)
        if not is_first:
            logger.info("uniapi: the new configuration is in force.")
        if self._gateway.default_key and self._gateway.default_client is None:
            logger.warning("uniapi: uniapi_default_key names no entry of api_keys, so nobody is served by it.")
