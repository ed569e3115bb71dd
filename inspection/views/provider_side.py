"""The view of the provider's side: what the provider got, what it answered."""

from collections.abc import Iterator

from mitmproxy.contentviews import SyntaxHighlight

from inspection.views.client_side import message_lines
from inspection.views.progress import nothing_yet
from inspection.views.record import is_open, nobody_was_asked, own_message, provider_message
from inspection.views.view import FlowView, Side


class ProviderSide(FlowView):
    """On the request's side what the provider got, on the response's what it answered: a stream as it came."""

    title = "Provider side"
    highlight: SyntaxHighlight = "yaml"

    def lines(self, side: Side) -> Iterator[str]:
        flow, record = side.flow, side.record
        message = own_message(side.message) if side.is_request else provider_message(record)
        if nobody_was_asked(flow, record) or (message is None and is_open(flow, record)):
            yield nothing_yet(flow, record)
        elif message is None:
            yield "No provider's answer was given to the client. Attempts shows what they answered."
        else:
            yield from message_lines(message)
