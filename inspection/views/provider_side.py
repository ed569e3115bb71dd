"""The view of the provider's side: what the provider got, what it answered."""

from collections.abc import Iterator

from mitmproxy.contentviews import SyntaxHighlight

from inspection.views.client_side import message_lines
from inspection.views.record import nobody_was_asked, own_message, provider_message
from inspection.views.view import FlowView, Side

NOBODY_ASKED = "No provider was asked: the gateway answered by itself."


class ProviderSide(FlowView):
    """On the request's side what the provider got, on the response's what it answered: a stream as it came."""

    title = "Provider side"
    highlight: SyntaxHighlight = "yaml"

    def lines(self, side: Side) -> Iterator[str]:
        message = own_message(side.message) if side.is_request else provider_message(side.record)
        if nobody_was_asked(side.record):
            yield NOBODY_ASKED
        elif message is None:
            yield "No provider's answer was given to the client. Attempts shows what they answered."
        else:
            yield from message_lines(message)
