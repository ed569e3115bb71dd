"""Connections to servers that mitmproxy opens before there is a request: none for what may be the gateway's.

As long as its option connection_strategy is `eager`, mitmproxy connects as soon as it knows where a client wants to go,
and agrees on TLS with the server before it does so with the client. Others' traffic is left to that: their server may
speak first, be out of reach, or know no HTTP/2. What may be the gateway's is treated as with `lazy`: the host that it
was sent to need not be there, and is told nothing.

The layers of the modes are mitmproxy's inside, pinned to mitmproxy 12.2.
"""

import time

from mitmproxy import ctx, http
from mitmproxy.addons.next_layer import NeedsMoreData, NextLayer
from mitmproxy.connection import Client
from mitmproxy.net.http.url import parse_authority
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers.modes import DestinationKnown, ReverseProxy, Socks5Proxy, TransparentProxy
from mitmproxy.tls import ClientHelloData

from inspection.ownership import Ownership

CLIENT_SPEAKS_FIRST = (80, 443)
"""Ports on which nearly every client names its host before it expects anything."""
PATIENCE = 1.0
"""Seconds that it has for it; then its protocol may be another, in which the server begins."""


class EarlyConnections:
    """An addon of its own, behind all of mitmproxy's: what they have decided about a ClientHello is changed here."""

    def __init__(self, ownership: Ownership) -> None:
        self._ownership = ownership

    def put_in_place(self) -> None:
        ctx.master.addons.add(self)

    def give_back(self) -> None:
        ctx.master.addons.remove(self)

    def client_connected(self, client: Client) -> None:
        handler = ctx.master.addons.get("proxyserver").connections.get(client.id)
        if handler is not None and (patient := PATIENT_MODES.get(type(handler.layer))) is not None:
            handler.layer.__class__ = patient
            handler.layer.ownership = self._ownership

    def http_connect(self, flow: http.HTTPFlow) -> None:
        """A tunnel that is answered already gets no connection. The answer is the one that it would have got."""
        request = flow.request
        if flow.response is None and self._ownership.may_concern(flow.client_conn, (request.host, request.port)):
            now = time.time()
            flow.response = http.Response(
                request.data.http_version, 200, b"Connection established", http.Headers(), b"", None, now, now
            )

    def tls_clienthello(self, data: ClientHelloData) -> None:
        client, server = data.context.client, data.context.server
        if not server.connected and (
            self._ownership.is_intercepted(client.sni or "") or self._ownership.may_concern(client, server.address)
        ):
            data.establish_server_tls_first = False


# --- the lowest layer of a connection, where the mode tells the server's address ----------------------------------


class PatientMode(DestinationKnown):
    """Opens no connection for what may be the gateway's. It takes the place of mitmproxy's layer before that begins."""

    ownership: Ownership

    def finish_start(self) -> CommandGenerator[str | None]:
        if self.ownership.may_concern(self.context.client, self.context.server.address):
            return (yield from self.start_child())
        return (yield from super().finish_start())

    def start_child(self) -> CommandGenerator[str | None]:
        """What the parent does with the option at `lazy`."""
        self._handle_event = self.child_layer.handle_event  # type: ignore[method-assign]
        yield from self.child_layer.handle_event(events.Start())
        return None


class PatientReverseProxy(PatientMode, ReverseProxy):
    pass


class PatientSocks5Proxy(PatientMode, Socks5Proxy):
    pass


class PatientTransparentProxy(PatientMode, TransparentProxy):
    """Also local capture and WireGuard. Only an IP address is known at first; whose the connection is, the client's
    first bytes say. Until then nothing is opened."""

    received = b""
    alarm: commands.RequestWakeup | None = None
    is_waiting = False

    def finish_start(self) -> CommandGenerator[str | None]:
        server = self.context.server
        assert server.address
        if (
            self.context.options.connection_strategy != "eager"
            or server.transport_protocol != "tcp"
            or server.address[1] not in CLIENT_SPEAKS_FIRST
        ):
            return (yield from super().finish_start())
        self.is_waiting = True
        self._handle_event = self.wait
        self.alarm = commands.RequestWakeup(PATIENCE)
        yield self.alarm
        return None

    def handle_event(self, event: events.Event) -> CommandGenerator[None]:
        is_alarm = isinstance(event, events.Wakeup) and event.command is self.alarm
        if not is_alarm or self.is_waiting:
            yield from super().handle_event(event)

    def wait(self, event: events.Event) -> CommandGenerator[None]:
        """Go on, unless the client's first message has come in part only and there is time left."""
        host = None
        if isinstance(event, events.DataReceived):
            self.received += event.data
            try:
                host = named_host(self.context, self.received)
            except NeedsMoreData:
                return
        self.is_waiting = False
        begin = self.start_child if host and self.ownership.is_intercepted(host) else super().finish_start
        if (yield from begin()):
            yield commands.CloseConnection(self.context.client)
            return
        if self.received:
            yield from self.child_layer.handle_event(events.DataReceived(self.context.client, self.received))
        if isinstance(event, events.ConnectionClosed):
            yield from self.child_layer.handle_event(event)


def named_host(context: Context, data: bytes) -> str | None:
    """Whom a client's first bytes name, in a ClientHello or in the head of a request; None if nobody. Raises
    NeedsMoreData."""
    if (hello := NextLayer._get_client_hello(context, data)) is not None:
        return hello.sni
    authority = NextLayer._get_host_header(context, data, b"")
    return parse_authority(authority, check=False)[0] if authority else None


PATIENT_MODES = {
    ReverseProxy: PatientReverseProxy,
    Socks5Proxy: PatientSocks5Proxy,
    TransparentProxy: PatientTransparentProxy,
}
