"""What all wires share: what a wire is, the keys they take, ids, and writing a stream slowly."""

import asyncio
import os
import secrets
import string
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
DELAY = 20
"""Milliseconds between two pieces of a stream."""
LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Wire:
    """One provider's API. `name` is its first path segment; `routes` maps "METHOD /path" behind that.

    `failure(status, message)` answers in the provider's own error form; `broken(message)` is a stream that
    the provider ends with an error before it has said anything.
    """

    name: str
    routes: Mapping[str, Handler]
    failure: Callable[[int, str], web.Response]
    broken: Callable[[str], bytes]


class Refused(Exception):
    """A request that the provider would not take; `response` says so in its own form."""

    def __init__(self, response: web.Response) -> None:
        super().__init__(response.status)
        self.response = response


def new_id(prefix: str, length: int) -> str:
    """An id like the providers': a prefix and random letters and digits."""
    return prefix + "".join(secrets.choice(LETTERS) for _ in range(length))


async def stream(
    request: web.Request, events: Iterable[bytes], content_type: str = "text/event-stream; charset=utf-8"
) -> web.StreamResponse:
    """Writes the events of a stream, or the pieces of anything else, one by one, with a delay before each.

    Milliseconds: `?delay=` in the request's query, else UNIAPI_DEMO_DELAY in the environment, else DELAY.
    """
    delay = float(request.query.get("delay") or os.environ.get("UNIAPI_DEMO_DELAY") or DELAY) / 1000
    response = web.StreamResponse(headers={"content-type": content_type})
    await response.prepare(request)
    for event in events:
        await asyncio.sleep(delay)
        await response.write(event)
    await response.write_eof()
    return response
