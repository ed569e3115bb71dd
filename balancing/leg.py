"""One attempt, as the layers of failover.py know it: a stream id, a request, a connection."""

import time
from collections import deque
from dataclasses import dataclass, field

from mitmproxy import http
from mitmproxy.connection import Server
from mitmproxy.proxy.layers.http._base import HttpEvent
from mitmproxy.proxy.layers.http._events import (
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
)

from balancing.call import Call
from balancing.connections import GetAttemptConnection
from balancing.large_bodies import UniapiDrainHook, small_pieces
from balancing.leaving_connections import GOODBYE
from translators.errors import Kind


@dataclass(slots=True, eq=False)
class Leg:
    """See the module's docstring."""

    id: int
    call: Call
    request: http.Request
    """As it goes out."""
    shown: http.Request
    """As the flow shows it, should this attempt be the one that serves."""
    connecting: GetAttemptConnection | None = None
    """The connection that is being waited for."""
    connection: Server | None = None
    unsent: deque[bytes | memoryview] = field(default_factory=deque)
    """What has to be sent yet of the body."""
    draining: UniapiDrainHook | None = None
    """The hook that waits for the connection to take more of it."""
    has_ended: bool = False
    """Whether the provider has said all it will."""
    is_touched: bool = False
    began: float = field(default_factory=time.time)
    """In Unix time, as connections have it."""
    reconnected: bool = False

    def body(self) -> deque[bytes | memoryview]:
        """What is sent. A body that a person has edited at a breakpoint is not the one we know, and goes out as
        edited."""
        content, wire = self.request.raw_content or b"", self.call.wire
        if wire.splice is not None and content is wire.body:
            return small_pieces(*wire.splice.pieces(content))
        return small_pieces(content)

    def hear(self, event: HttpEvent) -> None:
        """What the provider says."""
        if isinstance(event, ResponseHeaders):
            self.call.head(event.response.status_code, event.response.headers)
        elif isinstance(event, ResponseData):
            self.call.receive(event.data)
        elif isinstance(event, ResponseEndOfMessage):
            self.has_ended = True
            self.call.finish()
        elif isinstance(event, ResponseProtocolError):
            self.has_ended = True
            self.unsent.clear()
            self.call.break_off(Kind.CLOSED, f"The provider broke the connection: {event.message}.")

    def was_stale(self, event: ResponseProtocolError) -> bool:
        """Whether a connection kept from an earlier request was closed by the provider as we began to use it, or the
        provider says that it has not begun on this request (RFC 9113, section 8.7): no fault of the provider's, so the
        same attempt is made once more."""
        assert self.connection
        was_kept = (self.connection.timestamp_start or self.began) < self.began
        not_begun = "REFUSED_STREAM" in event.message or event.message == GOODBYE
        closed_meanwhile = was_kept and "stream reset" not in event.message
        stale = (not_begun or closed_meanwhile) and not self.call.answering and not self.reconnected
        self.draining = None
        self.reconnected = self.reconnected or stale
        return stale
