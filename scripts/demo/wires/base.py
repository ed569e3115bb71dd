"""What all wires share: what a wire is, how a request is read and refused, ids, and writing a stream slowly."""

import asyncio
import os
import secrets
import string
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
DELAY = 20
"""Milliseconds between two pieces of a stream."""
LETTERS = string.ascii_letters + string.digits
WRONG = (TypeError, AttributeError, LookupError, ValueError, ArithmeticError, RecursionError)
"""What reading a request raises that is not of the form that it should have."""


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


async def json_object(request: web.Request) -> dict[str, Any] | None:
    """The JSON object in a request; None if there is none."""
    try:
        body = await request.json()
    except (ValueError, LookupError, RecursionError):  # no JSON, a charset that nobody knows, too deep
        return None
    return body if isinstance(body, dict) else None


@contextmanager
def reading(failure: Callable[[int, str], web.Response]) -> Iterator[None]:
    """Around the reading of a request, and nothing else: refuses one in which something has the wrong type."""
    try:
        yield
    except WRONG as error:
        message = "Invalid request: something in it is missing, or is not of the type or size that it has to be."
        raise Refused(failure(400, message)) from error


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
