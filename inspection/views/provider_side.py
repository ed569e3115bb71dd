"""The view of the provider's side: what the provider got, what it answered."""

from collections.abc import Iterator

from mitmproxy.contentviews import SyntaxHighlight

from inspection.views.client_side import message_lines, own_message_lines
from inspection.views.record import account_of, attempts_of, provider_message
from inspection.views.view import FlowView, Side

NOBODY_ASKED = "No provider was asked: the gateway answered by itself."


class ProviderSide(FlowView):
    """On the request's side what the provider got, on the response's what it answered: a stream as it came."""

    title = "Provider side"
    highlight: SyntaxHighlight = "yaml"

    def lines(self, side: Side) -> Iterator[str]:
        if account_of(side.record) and not any(attempt.get("url") for attempt in attempts_of(side.record)):
            yield NOBODY_ASKED
        elif side.is_request:
            yield from own_message_lines(side)
        else:
            answer = provider_message(side.record)
            if answer is None:
                yield "No provider's answer was given to the client. Attempts shows what they answered."
                return
            yield from message_lines(answer.start, answer.headers, answer.body, answer.content_type, answer.cut)
