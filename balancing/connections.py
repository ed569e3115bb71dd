"""The connections to providers that the HTTP layer of one client's connection has: kept, shared, given up, and opened
through a provider's own proxy.

These classes are mitmproxy's inside, see failover.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from mitmproxy import http
from mitmproxy.connection import Connection, Server
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layer import CommandGenerator, Layer
from mitmproxy.proxy.layers.http import GetHttpConnection, HttpClient, HttpLayer
from mitmproxy.proxy.layers.http._base import ReceiveHttp
from mitmproxy.proxy.layers.http._events import ResponseData
from mitmproxy.proxy.layers.http._http1 import Http1Client
from mitmproxy.proxy.layers.tls import ServerTLSLayer

from balancing.proxies import Proxy
from balancing.tunnels import server_spec, tunnel_through

FIRST_ATTEMPT_ID = 1 << 32
"""The stream ids of attempts are far above any that an HTTP/2 client can have used by the time it matters."""


@dataclass(eq=False, repr=False, kw_only=True)
class ProxiedServer(Server):
    """A provider behind a proxy of its own."""

    proxy: Proxy | None = field(default=None, metadata={"serialize": False})
    """Never in a saved flow: it holds credentials."""


@dataclass(eq=False)
class GetAttemptConnection(GetHttpConnection):
    """Asks for a connection for one attempt. `proxy`: the provider's own; `via` says the same in mitmproxy's terms.

    Two that ask for the same are not equal, or one might be taken out of a queue in the other's place.
    """

    proxy: Proxy | None = None
    taken: frozenset[Connection] = frozenset()
    """Connections that are not for it: what another attempt of the same request has for itself (the parent cannot know
    of them: a client's HTTP/1 connection has one request at a time, and mitmproxy's requests have one connection), and
    what was opened for the client's own server, under a name of the client's choice."""

    __hash__ = GetHttpConnection.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    def connection_spec_matches(self, connection: Connection) -> bool:
        """Whether this connection will do; one that another user has opened at the same proxy will not."""
        return (
            super().connection_spec_matches(connection)
            and getattr(connection, "proxy", None) == self.proxy
            and connection not in self.taken
        )


class ConnectingHttpLayer(HttpLayer):
    """mitmproxy's HTTP layer with other ways to open a connection, and to give it up."""

    leaving: set[Connection]
    """Connections that take no more requests, while those that are on go on (leaving_connections.py)."""

    def _handle_event(self, event: events.Event) -> CommandGenerator[None]:
        if isinstance(event, events.ConnectionClosed):
            self.leaving.discard(event.connection)
        if isinstance(event, events.ConnectionEvent) and self.is_abandoned(event.connection):
            return
        yield from super()._handle_event(event)

    def is_abandoned(self, connection: Connection) -> bool:
        """Whether nobody is interested any more in what happens to a connection."""
        return connection not in self.connections and connection != self.context.server

    def get_connection(self, event: GetHttpConnection, *, reuse: bool = True) -> CommandGenerator[None]:
        if isinstance(event, GetAttemptConnection):
            self.forget_failed(event)
        # The parent is not to find what takes no more requests, for whomever it looks.
        hidden = {each: self.connections.pop(each) for each in self.leaving if each in self.connections}
        try:
            proxy = event.proxy if isinstance(event, GetAttemptConnection) else None
            if proxy is not None and not (reuse and self.has_connection(event)):
                yield from self.open_through(proxy, event)
            else:
                yield from super().get_connection(event, reuse=reuse)
        finally:
            self.connections.update(hidden)

    def forget_failed(self, wanted: GetHttpConnection) -> None:
        """Let a connection that could not be opened be tried again, which the parent never would for this client."""
        for connection in [each for each in self.connections if each.error and wanted.connection_spec_matches(each)]:
            if connection not in self.waiting_for_establishment:
                del self.connections[connection]

    def has_connection(self, wanted: GetHttpConnection) -> bool:
        """Whether the parent will find one that is open or being opened: an HTTP/2 client's requests share HTTP/2
        connections only."""
        is_http2 = self.context.client.alpn == b"h2"
        return any(
            connection in self.waiting_for_establishment
            or (connection.connected and (connection.alpn == b"h2" or not is_http2))
            for connection in self.connections
            if wanted.connection_spec_matches(connection)
        )

    def open_through(self, proxy: Proxy, wanted: GetHttpConnection) -> CommandGenerator[None]:
        """Open a connection as the parent does, but by this proxy."""
        context = self.context.fork()
        context.server = ProxiedServer(address=wanted.address, via=server_spec(proxy), proxy=proxy)
        stack = tunnel_through(proxy, context, plain=not wanted.tls)
        if wanted.tls:
            context.server.sni = wanted.address[0]
            stack /= ServerTLSLayer(context)
        stack /= HttpClient(context)
        self.connections[context.server] = stack[0]
        self.waiting_for_establishment[context.server].append(wanted)
        yield from self.event_to_child(stack[0], events.Start())

    def taken_by(self, wanted: GetAttemptConnection) -> Iterator[Connection]:
        """The connection that is being opened for this one."""
        return (connection for connection, waiting in self.waiting_for_establishment.items() if wanted in waiting)

    def abandon(self, wanted: GetHttpConnection) -> CommandGenerator[None]:
        """Nobody waits for this any more: if nobody waits for the same connection, stop opening it, so that a later
        attempt opens its own."""
        for connection, waiting in self.waiting_for_establishment.items():
            if wanted in waiting:
                waiting.remove(wanted)
                self.command_sources.pop(wanted, None)
                if not waiting:
                    yield from self.close(connection)
                return

    def close(self, connection: Connection) -> CommandGenerator[None]:
        """Close a connection, and the one to the proxy on the way, which has the same layers."""
        layers = self.connections[connection]
        for each in [each for each in self.connections if self.connections[each] is layers]:
            del self.connections[each]
            yield commands.CloseConnection(each)


def address_to_proxy(request: http.Request, connection: Server) -> None:
    """Make the request one that an HTTP proxy understands, if the connection goes through one without a tunnel: with
    the whole URL in its first line (RFC 9112, section 3.2.2), and with the proxy's credentials."""
    if connection.tls or connection.via is None or connection.via[0] not in ("http", "https"):
        return
    request.http_version = "HTTP/1.1"
    request.authority = request.host_header or ""
    proxy = getattr(connection, "proxy", None)
    if proxy is not None:
        request.headers.update(proxy.headers)


class JoiningHttp1Client(Http1Client):
    """A provider's HTTP/1 connection that hands on what one socket read brings in one piece, for attempts of ours:
    a stream's hundred small chunks would otherwise each pass through all layers on their own."""

    @classmethod
    def take_over(cls, layer: Layer | None) -> None:
        """Find the HTTP/1 client in a connection's stack, if that is what it speaks, and turn it into one of these."""
        while layer is not None and type(layer) is not Http1Client:
            layer = getattr(layer, "child_layer", None)
        if layer is not None:
            layer.__class__ = cls

    def read_body(self, event: events.Event) -> CommandGenerator[None]:
        stream_id = self.stream_id or 0
        if not isinstance(event, events.DataReceived) or stream_id < FIRST_ATTEMPT_ID:
            yield from super().read_body(event)
            return
        pieces: list[bytes] = []
        for command in super().read_body(event):
            if isinstance(command, ReceiveHttp) and isinstance(command.event, ResponseData):
                pieces.append(command.event.data)
                continue
            if pieces:
                yield ReceiveHttp(ResponseData(stream_id, b"".join(pieces)))
                pieces.clear()
            yield command
        if pieces:
            yield ReceiveHttp(ResponseData(stream_id, b"".join(pieces)))
