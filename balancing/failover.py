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
- One timer per client connection serves the deadlines of all its streams.

These classes are mitmproxy's inside, used here, in connections.py and in tunnels.py, and pinned to mitmproxy 12.2.
"""

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from mitmproxy import flow as mitmproxy_flow
from mitmproxy import http
from mitmproxy.connection import Connection, Server
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers import http as http_layers
from mitmproxy.proxy.layers.http import (
    GetHttpConnectionCompleted,
    HttpLayer,
    HTTPMode,
    HttpStream,
    SendHttp,
)
from mitmproxy.proxy.layers.http import _hooks as http_hooks
from mitmproxy.proxy.layers.http._base import HttpEvent
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestData,
    RequestEndOfMessage,
    RequestHeaders,
    RequestProtocolError,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
)

from balancing.connections import (
    FIRST_ATTEMPT_ID,
    ConnectingHttpLayer,
    GetAttemptConnection,
    JoiningHttp1Client,
    address_to_proxy,
)
from balancing.exchange import Exchange, Step
from balancing.proxies import proxy_of
from balancing.replies import Reply, error_reply
from balancing.tunnels import server_spec
from translators.errors import Kind, RequestError, WireError

BODY_LIMIT = 100 * 1024 * 1024


class Gatekeeper(Protocol):
    """What the layer asks the addon."""

    def owns(self, flow: http.HTTPFlow) -> bool:
        """Whether the gateway answers this flow."""
        ...

    def exchange(self, flow: http.HTTPFlow) -> Exchange | None:
        """The flow's exchange, its first attempt prepared in `flow.request`; None for flows without attempts."""
        ...

    def wire_request(self, flow: http.HTTPFlow) -> http.Request:
        """`flow.request` as it goes out, with the secrets that the flow itself never holds."""
        ...

    def reply(self, flow: http.HTTPFlow, reply: Reply) -> http.Response:
        """A whole answer as the flow's response."""
        ...

    def stream_head(self, flow: http.HTTPFlow) -> http.Response:
        """The head of a streamed answer."""
        ...


@dataclass
class UniapiNextAttemptHook(commands.StartHook):
    """An attempt failed: prepare the next one in `flow.request`, or set `flow.response` when nothing is left."""

    flow: http.HTTPFlow


@dataclass
class Flush(HttpEvent):
    """What has arrived for this stream is to be dealt with now."""


class FailoverHttpLayer(ConnectingHttpLayer):
    """The HTTP layer of one connection, whose streams can try again."""

    gatekeeper: Gatekeeper
    attempt_ids: Iterator[int]
    touched: "list[FailoverStream]"
    """Streams that something has arrived for since the last flush."""
    waiting: "set[FailoverStream]"
    """Streams with an attempt on, whose deadlines count."""
    alarm_at: float | None
    alarm_wanted: bool

    @classmethod
    def take_over(cls, layer: HttpLayer, gatekeeper: Gatekeeper) -> None:
        """Turn a layer that has not begun into one of ours, in its place: other layers hold references to it."""
        layer.__class__ = cls
        assert isinstance(layer, cls)
        layer.gatekeeper = gatekeeper
        layer.attempt_ids = itertools.count(FIRST_ATTEMPT_ID)
        layer.touched = []
        layer.waiting = set()
        layer.alarm_at = None
        layer.alarm_wanted = False

    def make_stream(self, stream_id: int) -> CommandGenerator[None]:
        self.streams[stream_id] = stream = FailoverStream(self.context.fork(), stream_id)
        stream.layer = self
        yield from self.event_to_child(stream, events.Start())

    def _handle_event(self, event: events.Event) -> CommandGenerator[None]:
        if isinstance(event, events.Wakeup) and event.command not in self.command_sources:
            self.ring()
        else:
            yield from super()._handle_event(event)
        while self.touched:
            stream = self.touched.pop()
            yield from self.event_to_child(stream, Flush(stream.attempt_id))
        if self.alarm_wanted:
            self.alarm_wanted = False
            assert self.alarm_at is not None
            yield commands.RequestWakeup(max(0.0, self.alarm_at - time.monotonic()))

    def watch(self, stream: "FailoverStream", deadline: float) -> None:
        """See to it that the stream is looked at when its deadline passes. A deadline may move later on its own."""
        self.waiting.add(stream)
        if self.alarm_at is None or deadline < self.alarm_at:
            self.alarm_at = deadline
            self.alarm_wanted = True

    def ring(self) -> None:
        """A timer went off: time out what is due, and set the alarm for the rest."""
        now = time.monotonic()
        if self.alarm_at is None or now < self.alarm_at - 0.001:
            return  # An alarm that has been replaced by an earlier one.
        self.alarm_at = None
        for stream in list(self.waiting):
            deadline = stream.deadline
            if deadline <= now + 0.001:
                stream.time_out()
            else:
                self.watch(stream, deadline)


class FailoverStream(HttpStream):
    """One request of a client. `exchange` is set once it is known that there are attempts to be made."""

    layer: FailoverHttpLayer
    was_ours = False
    exchange: Exchange | None = None
    attempt_id = 0
    """The stream id of the attempt that is on, 0 between attempts."""
    upstream: Connection | None = None
    upstream_finished = False
    pending_command: commands.Command | None = None
    """The connection or the hook that is being waited for."""
    began = 0.0
    """When the attempt began, in Unix time as connections have it."""
    reconnected = False
    is_touched = False
    head_sent = False
    is_over = False
    streamed: list[bytes]

    def is_ours(self) -> bool:
        """Whether the gateway answers this flow; known from its `requestheaders` hook on, and for good."""
        if not self.was_ours:
            # A request that the proxy itself was sent, with no destination in it, can only be meant for the gateway.
            is_lost = self.mode is HTTPMode.regular and not self.flow.request.host
            self.was_ours = is_lost or self.layer.gatekeeper.owns(self.flow)
        return self.was_ours

    # --- before the first attempt ---

    def _handle_event(self, event: events.Event) -> CommandGenerator[None]:
        if self.exchange is None:
            if isinstance(event, RequestHeaders | RequestData | RequestEndOfMessage):
                yield from self.with_openai_errors(super()._handle_event(event))
            else:
                yield from super()._handle_event(event)
        elif not self.is_over:
            yield from self.handle_attempt_event(event)

    def with_openai_errors(self, generator: CommandGenerator[None]) -> CommandGenerator[None]:
        """What mitmproxy would answer with a page of HTML becomes OpenAI's error body."""
        result: Any = None
        while True:
            try:
                command = generator.send(result)
            except StopIteration:
                return
            if (
                isinstance(command, SendHttp)
                and isinstance(command.event, ResponseProtocolError)
                and command.connection == self.context.client
                and (status := command.event.code.http_status_code())
                and self.is_ours()
            ):
                yield from self.refuse(status, command.event.message)
                if self.flow.request.is_http2:
                    continue  # The answer is complete; a reset would take it back.
            result = yield command

    def refuse(self, status: int, message: str) -> CommandGenerator[None]:
        error: WireError = RequestError(message, status=status, code="request_too_large" if status == 413 else None)
        if status >= 500:
            error = WireError(status, message, type="server_error", code="server_error")
        response = self.layer.gatekeeper.reply(self.flow, error_reply(error))
        response.headers["connection"] = "close"
        self.flow.response = response
        yield SendHttp(ResponseHeaders(self.stream_id, response), self.context.client)
        yield SendHttp(ResponseData(self.stream_id, response.raw_content or b""), self.context.client)
        yield SendHttp(ResponseEndOfMessage(self.stream_id), self.context.client)

    def check_body_size(self, request: bool) -> CommandGenerator[bool]:
        """Requests of ours are never streamed through, and have a limit of their own."""
        if not request or not self.is_ours():
            return (yield from super().check_body_size(request))
        if len(self.request_body_buf) <= BODY_LIMIT:
            return False
        message = f"The request's body is larger than the gateway's limit of {BODY_LIMIT // 1024 // 1024} MB."
        self.flow.error = mitmproxy_flow.Error(message)
        yield http_hooks.HttpErrorHook(self.flow)
        yield SendHttp(ResponseProtocolError(self.stream_id, message, ErrorCode.REQUEST_TOO_LARGE), self.context.client)
        self.client_state = self.server_state = self.state_errored
        self.flow.live = False
        return True

    def make_server_connection(self) -> CommandGenerator[bool]:
        """The parent asks for a connection when the request is complete: this is where attempts begin instead."""
        self.exchange = self.layer.gatekeeper.exchange(self.flow)
        if self.exchange is None:
            return (yield from super().make_server_connection())
        self.streamed = []
        yield from self.begin_attempt()
        return False

    # --- an attempt ---

    def begin_attempt(self) -> CommandGenerator[None]:
        self.attempt_id = next(self.layer.attempt_ids)
        self.layer.streams[self.attempt_id] = self
        self.upstream = None
        self.upstream_finished = False
        self.began = time.time()
        self.reconnected = False
        assert self.exchange
        self.exchange.start_clock()
        self.layer.watch(self, self.deadline)
        yield from self.connect()

    def connect(self) -> CommandGenerator[None]:
        assert self.exchange
        proxy = proxy_of(self.exchange.record.attempt.channel.provider)
        command = GetAttemptConnection(
            (self.flow.request.host, self.flow.request.port),
            self.flow.request.scheme == "https",
            server_spec(proxy) if proxy else self.layer.context.server.via,
            proxy=proxy,
        )
        command.blocking = self  # type: ignore[assignment]
        self.pending_command = command
        yield command

    def handle_attempt_event(self, event: events.Event) -> CommandGenerator[None]:
        assert self.exchange
        if isinstance(event, Flush):
            self.is_touched = False
            if event.stream_id == self.attempt_id != 0:
                yield from self.advance()
        elif isinstance(event, events.CommandCompleted):
            if event.command is self.pending_command:
                self.pending_command = None
                if isinstance(event, GetHttpConnectionCompleted):
                    yield from self.connection_ready(event)
                else:
                    yield from self.attempt_prepared()
        elif isinstance(event, RequestProtocolError):
            yield from self.client_gone(event)
        elif isinstance(event, HttpEvent) and event.stream_id == self.attempt_id:
            if isinstance(event, ResponseProtocolError) and self.was_stale():
                yield from self.connect()
            else:
                self.upstream_says(event)

    def upstream_says(self, event: HttpEvent) -> None:
        assert self.exchange
        if isinstance(event, ResponseHeaders):
            self.exchange.head(event.response.status_code, event.response.headers)
        elif isinstance(event, ResponseData):
            self.exchange.receive(event.data)
        elif isinstance(event, ResponseEndOfMessage):
            self.upstream_finished = True
            self.exchange.finish()
        elif isinstance(event, ResponseProtocolError):
            self.upstream_finished = True
            self.exchange.break_off(Kind.CLOSED, f"The provider broke the connection: {event.message}.")
        self.touch()

    def touch(self) -> None:
        if not self.is_touched:
            self.is_touched = True
            self.layer.touched.append(self)

    def connection_ready(self, event: GetHttpConnectionCompleted) -> CommandGenerator[None]:
        connection, error = event.reply
        assert self.exchange
        if connection is None:
            self.exchange.break_off(Kind.CONNECT, f"Cannot connect to the provider: {error}.")
            self.touch()
            return
        self.upstream = connection
        JoiningHttp1Client.take_over(self.layer.connections[connection])
        assert isinstance(connection, Server)
        self.context.server = self.flow.server_conn = connection
        request = self.layer.gatekeeper.wire_request(self.flow)
        address_to_proxy(request, connection)
        content = request.raw_content or b""
        yield SendHttp(RequestHeaders(self.attempt_id, request, not content), connection)
        if content:
            yield SendHttp(RequestData(self.attempt_id, content), connection)
        yield SendHttp(RequestEndOfMessage(self.attempt_id), connection)

    def was_stale(self) -> bool:
        """Whether a connection kept from an earlier request was closed by the provider as we began to use it: no
        fault of the provider's, so the same attempt is made once more on a new connection."""
        assert self.exchange
        assert self.upstream
        opened = self.upstream.timestamp_start or self.began
        stale = opened < self.began and not self.exchange.answering and not self.reconnected
        self.reconnected = self.reconnected or stale
        return stale

    @property
    def deadline(self) -> float:
        assert self.exchange
        return self.exchange.deadline

    def time_out(self) -> None:
        assert self.exchange
        self.exchange.time_out()
        self.touch()

    def advance(self) -> CommandGenerator[None]:
        assert self.exchange
        if (yield from self.check_killed(True)):
            yield from self.end_attempt()
            self.exchange.client_gone()
            self.is_over = True
            return
        step = self.exchange.advance()
        if step is Step.RETRY:
            yield from self.end_attempt()
            yield from self.prepare_attempt()
        elif step is Step.ANSWER:
            yield from self.end_attempt()
            yield from self.answer()
        elif step is not Step.WAIT:
            yield from self.send_output()
            if step is Step.DONE:
                yield from self.end_attempt()
                yield from self.end_stream()
            elif step is Step.BROKEN:
                yield from self.end_attempt()
                yield from self.break_stream()
            else:
                self.layer.watch(self, self.deadline)  # The end marker brings it nearer.

    def end_attempt(self) -> CommandGenerator[None]:
        """Leave the attempt behind; what it has not finished is cancelled."""
        attempt_id, self.attempt_id = self.attempt_id, 0
        self.layer.streams.pop(attempt_id, None)
        self.layer.waiting.discard(self)
        if self.upstream is not None and not self.upstream_finished:
            yield SendHttp(RequestProtocolError(attempt_id, "attempt abandoned", ErrorCode.CANCEL), self.upstream)
        elif isinstance(self.pending_command, GetAttemptConnection):
            yield from self.layer.abandon(self.pending_command)
        self.pending_command = None

    def prepare_attempt(self) -> CommandGenerator[None]:
        hook = UniapiNextAttemptHook(self.flow)
        hook.blocking = self  # type: ignore[assignment]
        self.pending_command = hook
        yield hook

    def attempt_prepared(self) -> CommandGenerator[None]:
        if (yield from self.check_killed(True)):
            self.is_over = True
        elif self.flow.response:
            yield from self.answer()
        else:
            yield from self.begin_attempt()

    # --- the client's side ---

    def answer(self) -> CommandGenerator[None]:
        """A whole answer: the exchange's, or the one that a hook has set."""
        assert self.exchange
        if self.exchange.reply is not None:
            self.flow.response = self.layer.gatekeeper.reply(self.flow, self.exchange.reply)
        self.is_over = True
        yield from self.send_response()

    def send_output(self) -> CommandGenerator[None]:
        assert self.exchange
        output = self.exchange.take_output()
        if not self.head_sent:
            self.head_sent = True
            self.flow.response = self.layer.gatekeeper.stream_head(self.flow)
            yield http_hooks.HttpResponseHeadersHook(self.flow)
            yield SendHttp(ResponseHeaders(self.stream_id, self.flow.response), self.context.client)
        if output:
            self.streamed.append(output)
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

    def client_gone(self, event: RequestProtocolError) -> CommandGenerator[None]:
        assert self.exchange
        self.is_over = True
        yield from self.end_attempt()
        self.exchange.client_gone()
        if self.head_sent:
            self.keep_streamed()
        self.flow.error = mitmproxy_flow.Error(event.message)
        yield http_hooks.HttpErrorHook(self.flow)
        yield from self.drop()

    def keep_streamed(self) -> None:
        assert self.flow.response
        self.flow.response.data.content = b"".join(self.streamed)
        self.flow.response.data.timestamp_end = time.time()

    def drop(self) -> CommandGenerator[None]:
        self.flow.live = False
        self.client_state = self.server_state = self.state_errored
        yield http_layers.DropStream(self.stream_id)
