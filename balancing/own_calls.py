"""Requests of the gateway's own to providers: by the same plans as clients', but sent by aiohttp, not by mitmproxy."""

import asyncio
import ssl
from collections.abc import Callable

import aiohttp

from balancing.call import Call
from balancing.exchange import Exchange
from balancing.own_sessions import by_proxy, new_session, verification
from balancing.proxies import Proxy, proxy_of
from balancing.replies import Reply
from translators.errors import Kind


class OwnCalls:
    """One per process; keeps connections. `tls_options` gives mitmproxy's `ssl_insecure` and
    `ssl_verify_upstream_trusted_ca`."""

    def __init__(self, tls_options: Callable[[], tuple[bool, str | None]]) -> None:
        self._tls_options = tls_options
        self._tls: dict[tuple[bool, str | None], ssl.SSLContext] = {}
        self._sessions: dict[tuple[Proxy | None, ssl.SSLContext], aiohttp.ClientSession] = {}

    async def serve(self, exchange: Exchange) -> Reply:
        """The whole answer of an exchange that does not stream, or the error when every attempt has failed."""
        while exchange.reply is None and (call := await exchange.begin()) is not None:
            await self._send(call)
            exchange.advance(call)
        assert exchange.reply
        return exchange.reply

    async def close(self) -> None:
        sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            await session.close()

    async def _send(self, call: Call) -> None:
        call.start_clock()
        wire = call.wire
        proxy = proxy_of(call.attempt.channel.provider)
        headers = {**wire.headers, **wire.credentials, "accept-encoding": "identity"}
        try:
            async with asyncio.timeout(call.attempt.patience):
                session = await self._session(proxy)
                sending = session.request(wire.method, wire.url, data=wire.body, **by_proxy(proxy, wire.url, headers))
                async with sending as response:
                    call.head(response.status, response.headers)
                    call.receive(await response.read())
                    call.finish()
        except TimeoutError:
            call.time_out()
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Their own texts may hold the URL or a header. ValueError: what cannot be sent.
            what = getattr(error, "strerror", None) or type(error).__name__
            call.break_off(Kind.CONNECT, f"Cannot reach the provider: {what}.")

    async def _session(self, proxy: Proxy | None) -> aiohttp.ClientSession:
        options = self._tls_options()
        if options not in self._tls:
            self._tls[options] = await asyncio.to_thread(verification, *options)
        place = (proxy, self._tls[options])
        if place not in self._sessions:
            self._sessions[place] = new_session(*place, auto_decompress=False)
        return self._sessions[place]
