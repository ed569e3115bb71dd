"""The connections of clients, as mitmproxy's server keeps them: how many they may open to providers, what becomes of
those when a client leaves, and of their own when the script is loaded anew."""

import asyncio
from typing import Any

from mitmproxy import ctx
from mitmproxy.connection import Client
from mitmproxy.proxy.layers.http import HttpLayer
from mitmproxy.proxy.server import ConnectionHandler

SECONDS_TO_SEND = 0.2
"""How long the last bytes of an answer may take to be on their way, before its connection is closed."""
UPSTREAM_CONNECTIONS = 1000
"""Per address and client connection; mitmproxy's own 5 would queue the parallel requests of an HTTP/2 client."""


def handler_of(client: Client) -> ConnectionHandler | None:
    """What serves this client."""
    connections: dict[Any, ConnectionHandler] = ctx.master.addons.get("proxyserver").connections
    return connections.get(client.id)


def close(client: Client) -> None:
    """Close the client's own connection, if it is still there."""
    handler = handler_of(client)
    transport = handler.transports.get(client) if handler else None
    if transport is not None and transport.writer is not None:
        transport.writer.close()


class ClientConnections:
    """Those that are open, and the HTTP layers that this load of the script has made of them."""

    def __init__(self) -> None:
        self._layers: dict[str, HttpLayer] = {}
        """By the client's id; of layers within each other, the inner one."""

    def opened(self, client: Client) -> None:
        handler = handler_of(client)
        if handler is not None:
            handler.max_conns.default_factory = lambda: asyncio.Semaphore(UPSTREAM_CONNECTIONS)

    def taken_over(self, client: Client, layer: HttpLayer) -> None:
        self._layers[client.id] = layer

    def closed(self, client: Client) -> None:
        """Close the connections to its providers, too. mitmproxy cancels their tasks, and one that just waits its turn
        to be told of that never comes to closing its socket: the provider would go on, for nobody."""
        self._layers.pop(client.id, None)
        handler = handler_of(client)
        for transport in list(handler.transports.values()) if handler else ():
            if transport.writer is not None:
                transport.writer.close()

    def is_of_this_load(self, client: Client) -> bool:
        """Whether its HTTP layer is not one that an earlier load of the script has made."""
        return client.id in self._layers

    def close_idle(self) -> None:
        """Where no request is on, the client connects anew, when it has something to ask."""
        for layer in self._layers.values():
            client = layer.context.client
            if not layer.streams:
                close(client)

    def close_soon(self, client: Client) -> None:
        """When what has been answered is on its way."""
        asyncio.get_running_loop().call_later(SECONDS_TO_SEND, close, client)

    async def drain(self, client: Client) -> None:
        """Wait until what is to be sent to all ends has gone."""
        handler = handler_of(client)
        if handler is not None:
            await handler.drain_writers()
