"""Replays of the gateway's flows: the client's request goes through the gateway once more.

A flow's request is what went to a provider, without the secrets. So before mitmproxy sends it again, the client's own
is put back in its place, and mitmproxy's playback gets the HTTP layer that can make several attempts. Nothing has to
listen for that, and flows of a saved file will do. Flows that are not the gateway's are replayed as mitmproxy does it.

ReplayHandler is mitmproxy's inside, pinned to mitmproxy 12.2.
"""

from collections.abc import Callable

from mitmproxy import http
from mitmproxy.addons import clientplayback
from mitmproxy.addons.clientplayback import ReplayHandler
from mitmproxy.options import Options
from mitmproxy.proxy.layers import HttpLayer

from inspection.flow_notes import NotedClient, Notes, noted_client
from inspection.messages import clone
from inspection.views.record import CUT_KEY, KEY

OF_THE_SENDING = (b"content-encoding", b"content-length", b"transfer-encoding", b"expect")
"""Headers about how a body was sent, which is kept decoded."""


class Replays:
    """In mitmproxy's playback, in the place of ReplayHandler's constructor. `begin` is told of each flow of ours with
    the client's request in it; `take_over` makes its layer one of ours."""

    def __init__(
        self, begin: Callable[[http.HTTPFlow, NotedClient, str], None], take_over: Callable[[HttpLayer], None]
    ) -> None:
        self._begin = begin
        self._take_over = take_over

    def put_in_place(self) -> None:
        clientplayback.ReplayHandler = self.handler_of  # type: ignore[assignment,misc]

    def give_back(self) -> None:
        clientplayback.ReplayHandler = ReplayHandler  # type: ignore[misc]

    def handler_of(self, flow: http.HTTPFlow, options: Options) -> ReplayHandler:
        """What replays this flow."""
        noted = noted_client(flow)
        if noted is None:
            return ReplayHandler(flow, options)
        destination = destination_of(flow)
        put_back(flow, noted, destination)
        self._begin(flow, noted, destination)
        handler = ReplayHandler(flow, options)
        self._take_over(handler.layer)
        return handler


def put_back(flow: http.HTTPFlow, noted: NotedClient, destination: str) -> None:
    """Make the flow one that a client has just sent: nothing is kept of what became of it before."""
    request = flow.request = clone(flow.request)
    data = request.data
    data.method, data.scheme = noted.method.encode(), noted.scheme.encode()
    data.host, data.port, data.path, data.authority = noted.host, noted.port, noted.path.encode(), b""
    data.headers = http.Headers([field for field in noted.headers if field[0].lower() not in OF_THE_SENDING])
    data.content, data.trailers = noted.body, None
    flow.metadata[KEY] = Notes(client=flow.metadata[KEY]["client"], destination=destination)
    flow.metadata.pop(CUT_KEY, None)
    flow.comment = flow.marked = ""


def beside(flow: http.HTTPFlow, destination: str) -> http.HTTPFlow:
    """A new flow with the same client's request, to be answered by a channel `provider/model`."""
    made: http.HTTPFlow = flow.copy()
    made.metadata[KEY] = Notes(made.metadata[KEY], destination=destination)
    made.response = made.error = None
    made.intercepted = False
    return made


def destination_of(flow: http.HTTPFlow) -> str:
    """The channel that a person has chosen for this flow; empty: as the client's rules have it."""
    chosen = flow.metadata[KEY].get("destination")
    return chosen if isinstance(chosen, str) else ""
