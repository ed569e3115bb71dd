"""Fetches pictures and files for providers that take bytes only, and puts them into requests."""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import aiohttp
from aiohttp.abc import AbstractResolver
from cachetools import TTLCache
from yarl import URL

from balancing.image_download import SECONDS, Allowed, Download, DownloadError, download
from translators.base import ClientRequest, Translator
from translators.errors import RequestError, UntranslatableError
from translators.media import Media, read_base64
from translators.media_urls import unread, with_media
from translators.types import Target

KEPT_SECONDS = 60.0
KEPT_BYTES = 64 * 1024 * 1024
"""As base64, all together."""
FAILURE_SECONDS = 10.0
FAILURES = 1_000
"""What could not be had is not asked for again at once: the request's next attempt, or the next request, would wait."""
AT_ONCE = 8
"""How many downloads one request has under way."""
REQUEST_BYTES = 64 * 1024 * 1024
"""As base64, for one request: about the most that any provider takes."""
SHOWN_LENGTH = 200


class Place(Protocol):
    """An address in a request. It can be the key of a mapping."""

    @property
    def kind(self) -> str:
        """image or file"""
        ...

    @property
    def url(self) -> str: ...

    @property
    def path(self) -> str:
        """Where in the request it stands, as errors name it."""
        ...


@dataclass(slots=True)
class Flight:
    """A download under way, and how many wait for it."""

    task: asyncio.Task[Media]
    waiting: int = 0


class ImageFetcher:
    """One per process. `clock` is monotonic, in seconds; `verification` makes the context for TLS, and may block;
    `allowed` says to which addresses connections may be opened. To be used from one event loop."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        verification: Callable[[], ssl.SSLContext],
        allowed: Allowed,
        resolver: Callable[[], AbstractResolver] = aiohttp.ThreadedResolver,
        seconds: float = SECONDS,
    ) -> None:
        self._verification = verification
        self._allowed = allowed
        self._resolver = resolver
        self._seconds = seconds
        self._flights: dict[str, Flight] = {}
        self._kept: TTLCache[str, Media] = TTLCache(KEPT_BYTES, KEPT_SECONDS, clock, lambda media: len(media.data))
        self._failures: TTLCache[str, str] = TTLCache(FAILURES, FAILURE_SECONDS, clock)

    async def prepared(self, request: ClientRequest, translator: Translator, target: Target) -> ClientRequest:
        """The request with everything in it that this provider does not fetch by itself; the same one if it does.

        Raises UntranslatableError (another engine may read the address by itself), RequestError for too much at once.
        """
        wanted = unread(request, translator, target)
        return with_media(request, await self.data_urls(wanted)) if wanted else request

    async def data_urls[Named: Place](self, wanted: Sequence[Named]) -> dict[Named, str]:
        """What is at these addresses. Raises as `prepared` does."""
        media = await self._all({address.url: address for address in reversed(wanted)}.values())
        for address in wanted:
            if address.kind == "image" and not media[address.url].mime.startswith("image/"):
                raise failure(address, "there is no picture, or not one of a known type")
        return {address: data_url(media[address.url]) for address in wanted}

    async def fetch(self, url: str) -> Media:
        """What is at an address. However many ask at once, it is fetched once; when nobody waits any more, it is given
        up. Its type is what the bytes say; where they do not, what the server says, but never a picture.

        Raises DownloadError.
        """
        if (kept := self._kept.get(url)) is not None:
            return kept
        if (reason := self._failures.get(url)) is not None:
            raise DownloadError(reason)
        flight = self._flights.get(url)
        if flight is None:
            flight = self._flights[url] = Flight(asyncio.create_task(self._download(url)))
            flight.task.add_done_callback(lambda task: self._landed(url, task))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                flight.task.cancel()
                del self._flights[url]

    async def _all(self, addresses: Iterable[Place]) -> dict[str, Media]:
        """By URL, in no order. Raises RequestError."""
        found: dict[str, Media] = {}
        slots = asyncio.Semaphore(AT_ONCE)

        async def fetch_one(address: Place) -> None:
            async with slots:
                try:
                    found[address.url] = await self.fetch(address.url)
                except DownloadError as error:
                    raise failure(address, str(error)) from None
            if sum(len(media.data) for media in found.values()) > REQUEST_BYTES:
                raise RequestError(
                    "The pictures and files at addresses are too large together; send fewer or smaller ones.",
                    param=address.path.partition("[")[0],
                )

        try:
            async with asyncio.TaskGroup() as group:
                for address in addresses:
                    group.create_task(fetch_one(address))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return found

    async def _download(self, url: str) -> Media:
        tls = await asyncio.to_thread(self._verification)
        found = await download(url, allowed=self._allowed, tls=tls, resolver=self._resolver, seconds=self._seconds)
        return media_of(found)

    def _landed(self, url: str, task: asyncio.Task[Media]) -> None:
        flight = self._flights.get(url)
        if flight is not None and flight.task is task:
            del self._flights[url]  # Else it was given up, and this one is another.
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._kept[url] = task.result()
        elif isinstance(error, DownloadError):
            self._failures[url] = str(error)


def media_of(found: Download) -> Media:
    """What was downloaded, with its type. Raises DownloadError if it is empty."""
    claimed = "" if found.content_type.startswith("image/") else found.content_type
    try:
        return read_base64(b64encode(found.body).decode("ascii"), claimed)
    except ValueError:
        raise DownloadError("it is empty") from None


def data_url(media: Media) -> str:
    return f"data:{media.mime};base64,{media.data}"


def failure(address: Place, reason: str) -> UntranslatableError:
    """The error for the client, in the form that OpenAI's has."""
    what = "picture" if address.kind == "image" else "file"
    return UntranslatableError(
        f"The {what} at {shown(address.url)} cannot be fetched: {reason}.",
        param=address.path,
        code=f"invalid_{address.kind}_url",
    )


def shown(url: str) -> str:
    """An address without what may be secret in it: credentials, and the query, which signatures are in."""
    try:
        return str(URL(url).with_user(None).with_query(None).with_fragment(None))[:SHOWN_LENGTH]
    except ValueError:
        return "this address"
