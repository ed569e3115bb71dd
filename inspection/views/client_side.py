"""The view of the client's side: what the client sent, what it received."""

from collections.abc import Iterator

from mitmproxy.contentviews import SyntaxHighlight

from inspection.views.layout import GAP
from inspection.views.progress import nothing_yet
from inspection.views.record import Kept, client_message, is_open, own_message, response_cut
from inspection.views.text import body_lines
from inspection.views.view import FlowView, Side


class ClientSide(FlowView):
    """On the request's side what the client sent, on the response's what it received."""

    title = "Client side"
    highlight: SyntaxHighlight = "yaml"

    def lines(self, side: Side) -> Iterator[str]:
        if side.is_request:
            message = client_message(side.flow, side.record)
        else:
            message = own_message(side.message, response_cut(side.flow))
        if message is None:
            yield "What the client sent is not kept with this flow."
        elif not side.is_request and is_open(side.flow, side.record):
            yield from head_lines(message)
            yield nothing_yet(side.flow, side.record)
        else:
            yield from message_lines(message)


def message_lines(message: Kept) -> Iterator[str]:
    """A message as it goes over the wire, its body readable."""
    yield from head_lines(message)
    yield from body_lines(message.body, message.content_type, message.cut)


def head_lines(message: Kept) -> Iterator[str]:
    yield message.start
    yield from (f"{name}: {value}" for name, value in message.headers)
    yield GAP
