"""Connections for calls of the gateway's own through a SOCKS 5 proxy: aiohttp knows HTTP proxies only."""

import asyncio
import socket
import ssl
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

from balancing.proxies import Proxy
from balancing.socks5 import Socks5Error, Socks5Handshake

READ_BYTES = 4096


class Socks5Connector(aiohttp.BaseConnector):
    """Made as aiohttp's own connectors are: by the one method that their base class leaves open."""

    def __init__(self, proxy: Proxy, tls: ssl.SSLContext) -> None:
        super().__init__(force_close=True)
        self._proxy = proxy
        self._tls = tls

    async def _create_connection(self, req: Any, traces: Any, timeout: Any) -> ResponseHandler:  # noqa: ASYNC109
        host, port, is_tls = req.url.raw_host, req.url.port, req.is_ssl()
        try:
            tunnel = await open_tunnel(self._proxy, host, port)
        except Socks5Error as error:
            raise aiohttp.ClientConnectionError(str(error)) from None
        try:
            _, protocol = await asyncio.get_running_loop().create_connection(
                self._factory,
                sock=tunnel,
                ssl=self._tls if is_tls else None,
                server_hostname=host if is_tls else None,
            )
        except BaseException:
            tunnel.close()
            raise
        return protocol


async def open_tunnel(proxy: Proxy, host: str, port: int) -> socket.socket:
    """A socket that the proxy has connected to this place. Raises OSError, Socks5Error."""
    loop = asyncio.get_running_loop()
    failure: OSError = OSError("the SOCKS proxy has no address")
    for family, *_, address in await loop.getaddrinfo(proxy.host, proxy.port, type=socket.SOCK_STREAM):
        tunnel = socket.socket(family, socket.SOCK_STREAM)
        tunnel.setblocking(False)
        try:
            await loop.sock_connect(tunnel, address)
            await shake_hands(tunnel, Socks5Handshake(host, port, proxy.user, proxy.password))
        except OSError as error:
            tunnel.close()
            failure = error
        except BaseException:
            tunnel.close()
            raise
        else:
            return tunnel
    raise failure


async def shake_hands(tunnel: socket.socket, handshake: Socks5Handshake) -> None:
    loop = asyncio.get_running_loop()
    output = handshake.start()
    while True:
        await loop.sock_sendall(tunnel, output)
        if handshake.done:
            return
        data = await loop.sock_recv(tunnel, READ_BYTES)
        if not data:
            raise Socks5Error("it closed the connection")
        output = handshake.feed(data)
