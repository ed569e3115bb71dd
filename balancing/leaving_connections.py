"""HTTP/2 connections to providers that say goodbye. A GOAWAY without an error is how servers let go of a connection in
everyday running: no more requests are to come, and those that are on are answered (RFC 9113, section 6.8). mitmproxy
closes the connection at once, and h2 takes nothing more from it.

These classes are the inside of mitmproxy and of h2, see failover.py.
"""

from functools import partial

from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, Event
from hyperframe.frame import Frame, GoAwayFrame
from mitmproxy.connection import Connection
from mitmproxy.proxy.layer import CommandGenerator, Layer
from mitmproxy.proxy.layers.http._base import ReceiveHttp
from mitmproxy.proxy.layers.http._events import ErrorCode, ResponseProtocolError
from mitmproxy.proxy.layers.http._http2 import Http2Client

GOODBYE = "the HTTP/2 connection takes no more requests"


class LeavingHttp2Client(Http2Client):
    """A provider's HTTP/2 connection, for attempts of ours. `leaving` is where it puts itself when it takes no more of
    them."""

    leaving: set[Connection]

    @classmethod
    def take_over(cls, layer: Layer | None, leaving: set[Connection]) -> None:
        """Find the HTTP/2 client in a connection's stack, if that is what it speaks, and turn it into one of these."""
        while layer is not None and type(layer) is not Http2Client:
            layer = getattr(layer, "child_layer", None)
        if layer is not None:
            layer.__class__ = cls
            assert isinstance(layer, cls)
            layer.leaving = leaving
            layer.h2_conn._frame_dispatch_table[GoAwayFrame] = partial(goodbye, layer.h2_conn)

    def handle_h2_event(self, event: Event) -> CommandGenerator[bool]:
        if not isinstance(event, ConnectionTerminated) or event.error_code != ErrorCodes.NO_ERROR:
            return (yield from super().handle_h2_event(event))
        self.leaving.add(self.conn)
        assert event.last_stream_id is not None
        for stream_id in [each for each in self.streams if each > event.last_stream_id]:
            del self.streams[stream_id]
            yield not_begun(stream_id)
        for stream_id in self.stream_queue:
            self.their_stream_id[stream_id] = stream_id  # It has none: it waits to be sent.
            yield not_begun(stream_id)
        self.stream_queue.clear()
        return False


def goodbye(connection: H2Connection, frame: GoAwayFrame) -> tuple[list[Frame], list[Event]]:
    """The frame's event. h2's own way closes the connection, which is right only after an error."""
    if frame.error_code != ErrorCodes.NO_ERROR:
        frames, events = connection._receive_goaway_frame(frame)
        return frames, events
    event = ConnectionTerminated()
    event.error_code, event.last_stream_id = ErrorCodes.NO_ERROR, frame.last_stream_id
    return [], [event]


def not_begun(stream_id: int) -> ReceiveHttp:
    return ReceiveHttp(ResponseProtocolError(stream_id, GOODBYE, ErrorCode.GENERIC_SERVER_ERROR))
