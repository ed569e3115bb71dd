"""mitmproxy's layers for connections through a provider's own proxy.

mitmproxy has a tunnel through HTTP proxies, without credentials of their own, and none through SOCKS proxies.
"""

from typing import Literal, cast

from mitmproxy.connection import Server
from mitmproxy.net.server_spec import ServerSpec
from mitmproxy.proxy import commands, tunnel
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers.http._upstream_proxy import HttpUpstreamProxy

from balancing.proxies import Proxy
from balancing.socks5 import Socks5Error, Socks5Handshake


def server_spec(proxy: Proxy) -> ServerSpec:
    """The proxy in mitmproxy's terms, as flows show it. They know no SOCKS: there it is a stop on the way by TCP."""
    scheme = cast(Literal["http", "https"], proxy.scheme) if proxy.is_http else "tcp"
    return scheme, (proxy.host, proxy.port)


def tunnel_through(proxy: Proxy, context: Context, *, plain: bool) -> tunnel.LayerStack:
    """The layers below a connection to `context.server`. `plain`: what goes through are HTTP requests without TLS,
    which an HTTP proxy takes as they are."""
    if not proxy.is_http:
        return tunnel.LayerStack() / Socks5Tunnel(context, proxy)
    stack = HttpTunnel.make(context, send_connect=not plain)
    innermost = stack[-1]
    assert isinstance(innermost, HttpTunnel)
    innermost.proxy = proxy
    return stack


class HttpTunnel(HttpUpstreamProxy):
    """mitmproxy's, but for its request: the credentials are the provider's, and no flow ever holds them."""

    proxy: Proxy

    def start_handshake(self) -> CommandGenerator[None]:
        if not self.send_connect:
            yield from super().start_handshake()
            return
        assert self.conn.address
        yield commands.SendData(self.tunnel_connection, self.proxy.connect_request(*self.conn.address))


class Socks5Tunnel(tunnel.TunnelLayer):
    """A connection through a SOCKS 5 proxy."""

    def __init__(self, context: Context, proxy: Proxy) -> None:
        super().__init__(context, tunnel_connection=Server(address=(proxy.host, proxy.port)), conn=context.server)
        assert context.server.address
        self.handshake = Socks5Handshake(*context.server.address, proxy.user, proxy.password)

    def start_handshake(self) -> CommandGenerator[None]:
        yield commands.SendData(self.tunnel_connection, self.handshake.start())

    def receive_handshake_data(self, data: bytes) -> CommandGenerator[tuple[bool, str | None]]:
        try:
            output = self.handshake.feed(data)
        except Socks5Error as error:
            return False, f"the SOCKS proxy does not connect: {error}"
        if output:
            yield commands.SendData(self.tunnel_connection, output)
        if self.handshake.done and self.handshake.rest:
            yield from self.receive_data(self.handshake.rest)
        return self.handshake.done, None
