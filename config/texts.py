"""Where the text of a configuration comes from: a file or a URL, read whole or asked for news."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp

from config.problems import ConfigError, Problem

type Sleep = Callable[[float], Awaitable[None]]

SETTLING_SECONDS = 0.1
SETTLING_ROUNDS = 20
"""A file that is being written is looked at so often before it is read all the same."""

URL_SECONDS = 20.0


class TextSource(Protocol):
    """A place that holds the text. Both methods raise ConfigError when it cannot be had."""

    name: str
    """For messages, without credentials."""
    interval: float
    """Seconds between two looks."""

    async def read(self) -> str:
        """The text as it is now."""

    async def poll(self) -> str | None:
        """The text if it may have changed since it was last had, else None."""


class FileText:
    """A file. Editors replace it or write it in place, so its inode, size and time are compared."""

    interval = 1.0

    def __init__(self, path: Path, name: str, sleep: Sleep) -> None:
        self.name = name
        self._path = path
        self._sleep = sleep
        self._seen: tuple[int, int, int] | None = None

    def read_now(self) -> str:
        """As `read`, at once."""
        self._seen = self._signature()
        try:
            body = self._path.read_bytes()
        except OSError as error:
            hint = "; a URL begins with http:// or https://" if "://" in self.name else ""
            raise _unreadable(self.name, f"cannot be read: {error.strerror}{hint}") from None
        return _decoded(self.name, body)

    async def read(self) -> str:
        """See TextSource."""
        return await asyncio.to_thread(self.read_now)

    async def poll(self) -> str | None:
        """See TextSource. Waits while the file changes, so that no half of it is taken for the whole."""
        signature = await asyncio.to_thread(self._signature)
        if signature == self._seen:
            return None
        for _ in range(SETTLING_ROUNDS):
            await self._sleep(SETTLING_SECONDS)
            earlier, signature = signature, await asyncio.to_thread(self._signature)
            if signature == earlier:
                break
        return await self.read()

    def _signature(self) -> tuple[int, int, int] | None:
        try:
            status = os.stat(self._path)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino


class UrlText:
    """An http(s) URL. Asked with the ETag of the last answer, so that no news costs next to nothing."""

    interval = 30.0

    def __init__(self, url: str) -> None:
        self.name = url_name(url)
        self._url = url
        self._etag: str | None = None

    async def read(self) -> str:
        """See TextSource."""
        self._etag = None
        text = await self.poll()
        if text is None:
            raise _unreadable(self.name, "answered 304 (not modified) to a request without conditions")
        return text

    async def poll(self) -> str | None:
        """See TextSource."""
        try:
            body = await self._fetch()
        except TimeoutError:
            raise _unreadable(self.name, f"cannot be fetched: no answer in {URL_SECONDS:.0f} s") from None
        except (aiohttp.ClientError, OSError, UnicodeError) as error:
            # Their own texts may hold the URL, and that a token. UnicodeError: what is no host name.
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise _unreadable(self.name, f"cannot be fetched: {reason}") from None
        return None if body is None else _decoded(self.name, body)

    async def _fetch(self) -> bytes | None:
        headers = {"If-None-Match": self._etag} if self._etag else {}
        timeout = aiohttp.ClientTimeout(total=URL_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(self._url, headers=headers) as response,
        ):
            if response.status == 304:
                return None
            if response.status != 200:
                raise _unreadable(self.name, f"cannot be fetched: answered {response.status}")
            body = await response.read()
            self._etag = response.headers.get("ETag")
            return body


def url_name(url: str) -> str:
    """A URL for messages: scheme, host and the file's name. User, query and folders may be secret."""
    try:
        parts = urlsplit(url)
        host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or ""
    except ValueError:
        return "the URL"
    folders, _, name = parts.path.rpartition("/")
    return f"{parts.scheme}://{host}{'/…' if folders else ''}/{name}"


def _decoded(name: str, body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise _unreadable(name, "is not a text in UTF-8") from None


def _unreadable(name: str, message: str) -> ConfigError:
    return ConfigError([Problem(name, None, "", message)])
