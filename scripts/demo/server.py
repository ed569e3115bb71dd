"""The simulator's web server: every wire under its name, and again under /flaky, where it mostly fails."""

from itertools import cycle

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from scripts.demo.wires import WIRES
from scripts.demo.wires.base import Refused, Wire

FAILURES = ("status 500", "connection closed", "status 429", "error in a 200", "none")
"""What becomes of the requests of a flaky provider, one after the other, and from the start again."""

MOST_BYTES = 128 << 20
"""Of a request's body."""


def application() -> web.Application:
    """/openai/v1/…, /anthropic/v1/… and so on; /flaky/openai/v1/… and so on."""
    app = web.Application(client_max_size=MOST_BYTES)
    for wire in WIRES:
        app.add_subapp(f"/{wire.name}", _provider(wire, _polite(wire)))
        app.add_subapp(f"/flaky/{wire.name}", _provider(wire, _flaky(wire), _polite(wire)))
    return app


def _provider(wire: Wire, *middlewares: Middleware) -> web.Application:
    app = web.Application(middlewares=middlewares)
    for route, handler in wire.routes.items():
        method, path = route.split()
        app.router.add_route(method, path, handler)
    return app


def _polite(wire: Wire) -> Middleware:
    """Answers refused requests and unknown paths in the provider's own form."""

    @web.middleware
    async def polite(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refused as refused:
            return refused.response
        except web.HTTPException as failure:
            return wire.failure(failure.status, f"{failure.reason}: {request.method} {request.path}")

    return polite


def _flaky(wire: Wire) -> Middleware:
    """Fails before the request is looked at, in the way whose turn it is."""
    turns = cycle(FAILURES)

    @web.middleware
    async def flaky(request: web.Request, handler: Handler) -> web.StreamResponse:
        match next(turns):
            case "status 500":
                return wire.failure(500, "The simulated provider has an internal error.")
            case "status 429":
                return wire.failure(429, "The simulated provider is asked too often.")
            case "connection closed":
                await request.read()  # The system makes a reset of it otherwise, or not, as the bytes happen to come.
                if request.transport:
                    request.transport.abort()
                return web.Response()  # which nobody receives
            case "error in a 200":
                return await _error_in_200(wire, request)
            case _:
                return await handler(request)

    return flaky


async def _error_in_200(wire: Wire, request: web.Request) -> web.Response:
    """A stream that says so, or, where no stream was asked for, an answer without a body."""
    streamed = b'"stream":true' in (await request.read()).replace(b" ", b"")
    if streamed:
        broken = wire.broken("The simulated provider gives up before it begins.")
        return web.Response(body=broken, content_type="text/event-stream")
    return web.Response(body=b"", content_type="application/json")
