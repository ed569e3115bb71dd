"""Several attempts inside one mitmproxy flow.

mitmproxy's HTTP layer sends a request once. Here each of *our* requests may be sent several times, to different
providers, until the first real output has gone to the client. Everybody else's flows take the parent's code paths.

How it holds together:
- Every attempt has a stream id of its own, registered in the layer beside the client's. What comes late from an
  abandoned attempt finds no stream under its id and is ignored.
- Nothing here blocks the stream: connections and hooks are asked for with `command.blocking = self`, which mitmproxy
  reads as "somebody waits already"; their completions come back as ordinary events. So a client that goes away, or a
  deadline that passes, is seen at once, in every state.
- What one socket read brings is collected, translated together and written once (`Flush`).
- One timer per client connection serves the deadlines of all its streams (attempts_layer.py).

These classes are mitmproxy's inside, as are those of the files that docs/architecture.md names, and pinned to 12.2.
"""

import itertools
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

from mitmproxy import flow as mitmproxy_flow
from mitmproxy import http
from mitmproxy.connection import Connection, Server
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers import http as http_layers
from mitmproxy.proxy.layers.http import GetHttpConnectionCompleted, HttpLayer, SendHttp
from mitmproxy.proxy.layers.http import _hooks as http_hooks
from mitmproxy.proxy.layers.http._base import HttpEvent
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestData,
    RequestEndOfMessage,
    RequestHeaders,
    RequestProtocolError,
    ResponseData,
    ResponseHeaders,
    ResponseProtocolError,
)

from balancing.attempts_layer import AttemptsLayer, Flush, Gatekeeper, Hedge
from balancing.call import Call
from balancing.connections import (
    FIRST_ATTEMPT_ID,
    GetAttemptConnection,
    JoiningHttp1Client,
    address_to_proxy,
)
from balancing.exchange import Exchange, Step
from balancing.large_bodies import GrowingBody, UniapiDrainHook, collect_soon
from balancing.leaving_connections import LeavingHttp2Client
from balancing.leg import Leg
from balancing.proxies import proxy_of
from balancing.receiving import ReceivingStream
from balancing.tunnels import server_spec
from translators.errors import Kind

KEPT_STREAM_BYTES = 4 * 1024 * 1024
"""How much of a streamed answer stays in the flow."""


@dataclass
class UniapiNextAttemptHook(commands.StartHook):
    """An attempt failed: prepare the next one in `flow.request`, or set `flow.response` when nothing is left."""

    flow: http.HTTPFlow


class FailoverHttpLayer(AttemptsLayer):
    """The HTTP layer of one connection, whose streams can try again."""

    @classmethod
    def take_over(cls, layer: HttpLayer, gatekeeper: Gatekeeper) -> None:
        """Turn a layer that has not begun into one of ours, in its place: other layers hold references to it."""
        layer.__class__ = cls
        assert isinstance(layer, cls)
        layer.gatekeeper = gatekeeper
        layer.attempt_ids = itertools.count(FIRST_ATTEMPT_ID)
        layer.touched = []
        layer.hedging = []
        layer.waiting = set()
        layer.leaving = set()
        layer.alarm_at = None
        layer.alarm_wanted = False

    def make_stream(self, stream_id: int) -> CommandGenerator[None]:
        self.streams[stream_id] = stream = FailoverStream(self.context.fork(), stream_id)
        stream.layer = self
        stream.request_body_buf = GrowingBody()
        yield from self.event_to_child(stream, events.Start())


class FailoverStream(ReceivingStream):
    """One request of a client. `exchange` is set once it is known that there are attempts to be made."""

    layer: FailoverHttpLayer
    exchange: Exchange | None = None
    legs: dict[int, Leg]
    """The attempts that are on, by their stream ids."""
    preparing: UniapiNextAttemptHook | None = None
    """The hook that makes the next attempt, while it is being waited for."""
    head_sent = False
    is_over = False
    streamed: list[bytes]
    streamed_size = 0

    # --- before the first attempt ---

    def _handle_event(self, event: events.Event) -> CommandGenerator[None]:
        if self.exchange is None:
            if isinstance(event, RequestHeaders | RequestData | RequestEndOfMessage):
                yield from self.with_openai_errors(super()._handle_event(event))
            else:
                yield from super()._handle_event(event)
        elif not self.is_over:
            yield from self.handle_attempt_event(event)
        if self.is_large and self.stream_id not in self.layer.streams:
            collect_soon()

    def make_server_connection(self) -> CommandGenerator[bool]:
        """The parent asks for a connection when the request is complete: this is where attempts begin instead."""
        self.exchange = self.layer.gatekeeper.exchange(self.flow)
        attempt = self.layer.gatekeeper.attempt(self.flow)
        if self.exchange is None or attempt is None:
            return (yield from super().make_server_connection())
        self.legs = {}
        self.streamed = []
        yield from self.send_attempt(*attempt)
        return False

    # --- attempts ---

    def send_attempt(self, call: Call, request: http.Request) -> CommandGenerator[None]:
        """The attempt that is prepared begins; `flow.request` shows it."""
        leg = Leg(next(self.layer.attempt_ids), call, request, shown=self.flow.request)
        self.legs[leg.id] = leg
        self.layer.streams[leg.id] = self
        leg.call.start_clock()
        self.layer.watch(self, self.deadline)
        yield from self.connect(leg)

    def connect(self, leg: Leg) -> CommandGenerator[None]:
        proxy = proxy_of(leg.call.attempt.channel.provider)
        command = GetAttemptConnection(
            (leg.request.host, leg.request.port),
            leg.request.scheme == "https",
            server_spec(proxy) if proxy else self.layer.context.server.via,
            proxy=proxy,
            taken=frozenset(self.taken_connections()),
        )
        command.blocking = self  # type: ignore[assignment]
        leg.connecting = command
        yield command

    def taken_connections(self) -> Iterator[Connection]:
        """Those that this attempt is not to have: the client's own to the server it wanted, and other attempts'."""
        yield self.layer.context.server
        for leg in self.legs.values():
            if leg.connecting is not None:
                yield from self.layer.taken_by(leg.connecting)
            elif leg.connection is not None and leg.connection.alpn != b"h2":
                yield leg.connection

    def handle_attempt_event(self, event: events.Event) -> CommandGenerator[None]:
        if isinstance(event, events.CommandCompleted):
            yield from self.command_completed(event)
        elif isinstance(event, RequestProtocolError):
            yield from self.client_gone(event)
        elif isinstance(event, HttpEvent) and (leg := self.legs.get(event.stream_id)):
            if isinstance(event, Flush):
                leg.is_touched = False
                yield from self.advance(leg)
            elif isinstance(event, Hedge):
                yield from self.prepare_attempt()
                self.layer.watch(self, self.deadline)
            elif isinstance(event, ResponseProtocolError) and leg.was_stale(event):
                yield from self.connect(self.renewed(leg))
            else:
                leg.hear(event)
                self.touch(leg)

    def renewed(self, leg: Leg) -> Leg:
        """The attempt under another stream id: a connection that is still open knows the old one as closed."""
        del self.legs[leg.id], self.layer.streams[leg.id]
        leg.id = next(self.layer.attempt_ids)
        self.legs[leg.id] = leg
        self.layer.streams[leg.id] = self
        return leg

    def command_completed(self, event: events.CommandCompleted) -> CommandGenerator[None]:
        if event.command is self.preparing:
            self.preparing = None
            yield from self.attempt_prepared()
        elif isinstance(event, GetHttpConnectionCompleted):
            for leg in self.legs.values():
                if event.command is leg.connecting:
                    leg.connecting = None
                    yield from self.connection_ready(leg, event)
                    return
        else:
            for leg in self.legs.values():
                if event.command is leg.draining:
                    yield from self.send_body(leg)
                    return

    def touch(self, leg: Leg) -> None:
        if not leg.is_touched:
            leg.is_touched = True
            self.layer.touched.append((self, leg))

    def connection_ready(self, leg: Leg, event: GetHttpConnectionCompleted) -> CommandGenerator[None]:
        connection, error = event.reply
        if connection is None:
            leg.call.break_off(Kind.CONNECT, f"Cannot connect to the provider: {error}.")
            self.touch(leg)
            return
        assert isinstance(connection, Server)
        leg.connection = connection
        JoiningHttp1Client.take_over(self.layer.connections[connection])
        LeavingHttp2Client.take_over(self.layer.connections[connection], self.layer.leaving)
        self.context.server = self.flow.server_conn = connection
        address_to_proxy(leg.request, connection)
        leg.unsent = leg.body()
        yield SendHttp(RequestHeaders(leg.id, leg.request, not any(leg.unsent)), connection)
        yield from self.send_body(leg)

    def send_body(self, leg: Leg) -> CommandGenerator[None]:
        """A piece of it, and the next one when the connection has taken this one."""
        assert leg.connection
        leg.draining = None
        piece = leg.unsent.popleft()
        if piece:
            yield SendHttp(RequestData(leg.id, piece), leg.connection)  # type: ignore[arg-type]
        if leg.unsent:
            leg.draining = hook = UniapiDrainHook(self.context.client)
            hook.blocking = self  # type: ignore[assignment]
            yield hook
        else:
            yield SendHttp(RequestEndOfMessage(leg.id), leg.connection)

    @property
    def deadline(self) -> float:
        """When the time has to be looked at: an attempt has been silent for too long, or a second one is due."""
        assert self.exchange
        hedge_at = self.exchange.hedge_at if self.preparing is None else math.inf
        return min(hedge_at, *(leg.call.deadline for leg in self.legs.values()))

    def time_passed(self, now: float) -> None:
        """The deadline has passed."""
        assert self.exchange
        for leg in self.legs.values():
            if leg.call.deadline <= now:
                leg.call.time_out()
                self.touch(leg)
            elif self.preparing is None and self.exchange.hedge_at <= now:
                self.layer.hedging.append((self, leg))

    def advance(self, leg: Leg) -> CommandGenerator[None]:
        assert self.exchange
        if (yield from self.was_killed()):
            return
        step = self.exchange.advance(leg.call)
        if step is Step.WAIT:
            return
        if step is Step.DROP or step is Step.RETRY:
            yield from self.end(leg)
            if self.legs:
                self.layer.watch(self, self.deadline)  # Another one may be begun beside what is still on.
            elif self.preparing is None:
                yield from self.prepare_attempt()
            return
        for other in [other for other in self.legs.values() if other is not leg]:
            yield from self.end(other)
        self.flow.request = leg.shown
        if leg.connection is not None:
            self.context.server = self.flow.server_conn = leg.connection
        if step is Step.ANSWER:
            yield from self.end(leg)
            yield from self.answer()
            return
        yield from self.send_output(leg)
        if step is Step.DONE:
            yield from self.end(leg)
            yield from self.end_stream()
        elif step is Step.BROKEN:
            yield from self.end(leg)
            yield from self.break_stream()
        else:
            self.layer.watch(self, self.deadline)  # The end marker brings it nearer.

    def end(self, leg: Leg) -> CommandGenerator[None]:
        """Leave an attempt behind; what it has not finished is cancelled."""
        del self.legs[leg.id]
        self.layer.streams.pop(leg.id, None)
        if not self.legs:
            self.layer.waiting.discard(self)
        if leg.connecting is not None:
            yield from self.layer.abandon(leg.connecting)
        elif leg.connection is not None and (leg.unsent or not leg.has_ended):
            yield SendHttp(RequestProtocolError(leg.id, "attempt abandoned", ErrorCode.CANCEL), leg.connection)

    def end_all(self) -> CommandGenerator[None]:
        for leg in list(self.legs.values()):
            yield from self.end(leg)

    def prepare_attempt(self) -> CommandGenerator[None]:
        hook = UniapiNextAttemptHook(self.flow)
        hook.blocking = self  # type: ignore[assignment]
        self.preparing = hook
        yield hook

    def attempt_prepared(self) -> CommandGenerator[None]:
        """The hook has run. While it did, an attempt that was on may have got somewhere, or failed."""
        if self.is_over:
            return
        if (yield from self.was_killed()):
            return
        if (attempt := self.layer.gatekeeper.attempt(self.flow)) is not None:
            yield from self.send_attempt(*attempt)
        elif not self.legs:
            yield from self.answer()

    # --- the client's side ---

    def answer(self) -> CommandGenerator[None]:
        """A whole answer: the exchange's, or the one that a hook has set."""
        assert self.exchange
        if self.exchange.reply is not None:
            self.flow.response = self.layer.gatekeeper.reply(self.flow, self.exchange.reply)
        self.is_over = True
        yield from self.send_response()

    def send_output(self, leg: Leg) -> CommandGenerator[None]:
        output = leg.call.take_output()
        if not self.head_sent:
            self.head_sent = True
            self.flow.response = self.layer.gatekeeper.stream_head(self.flow)
            yield http_hooks.HttpResponseHeadersHook(self.flow)
            yield SendHttp(ResponseHeaders(self.stream_id, self.flow.response), self.context.client)
        if output:
            self.keep(output)
            yield SendHttp(ResponseData(self.stream_id, output), self.context.client)

    def end_stream(self) -> CommandGenerator[None]:
        self.is_over = True
        self.keep_streamed()
        yield from self.send_response(already_streamed=True)

    def break_stream(self) -> CommandGenerator[None]:
        """After the error event the connection ends without the body's proper end: nobody takes it for complete."""
        self.is_over = True
        self.keep_streamed()
        message = "The provider's stream broke after output had gone to the client."
        self.flow.error = mitmproxy_flow.Error(message)
        yield http_hooks.HttpErrorHook(self.flow)
        yield SendHttp(
            ResponseProtocolError(self.stream_id, message, ErrorCode.GENERIC_SERVER_ERROR), self.context.client
        )
        yield from self.drop()

    def leave(self) -> CommandGenerator[None]:
        """Nobody waits for the answer any more: what has come of it is kept, and the attempts end."""
        assert self.exchange
        self.is_over = True
        yield from self.end_all()
        self.exchange.leave()
        if self.head_sent:
            self.keep_streamed()

    def was_killed(self) -> CommandGenerator[bool]:
        """Whether a person, or another script, has ended this request; if so, it is left."""
        if self.flow.error is None or self.flow.error.msg != mitmproxy_flow.Error.KILLED_MESSAGE:
            return False
        yield from self.leave()
        return (yield from self.check_killed(True))

    def client_gone(self, event: RequestProtocolError) -> CommandGenerator[None]:
        yield from self.leave()
        self.flow.error = mitmproxy_flow.Error(event.message)
        yield http_hooks.HttpErrorHook(self.flow)
        yield from self.drop()

    def keep(self, output: bytes) -> None:
        """Remember what the client got of a stream, for inspection, up to a limit."""
        room = KEPT_STREAM_BYTES - self.streamed_size
        self.streamed_size += len(output)
        if room > 0:
            self.streamed.append(output[:room])

    def keep_streamed(self) -> None:
        assert self.flow.response
        if self.streamed_size > KEPT_STREAM_BYTES:
            self.flow.metadata["uniapi_response_cut"] = self.streamed_size - KEPT_STREAM_BYTES
        self.flow.response.data.content = b"".join(self.streamed)
        self.flow.response.data.timestamp_end = time.time()

    def drop(self) -> CommandGenerator[None]:
        self.flow.live = False
        self.client_state = self.server_state = self.state_errored
        yield http_layers.DropStream(self.stream_id)
