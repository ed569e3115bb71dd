"""The view of the client's side: what the client sent, what it received."""

from collections.abc import Iterable, Iterator

from mitmproxy import http
from mitmproxy.contentviews import SyntaxHighlight

from inspection.views.record import client_message
from inspection.views.text import body_lines
from inspection.views.view import FlowView, Side


class ClientSide(FlowView):
    """On the request's side what the client sent, on the response's what it received."""

    title = "Client side"
    highlight: SyntaxHighlight = "yaml"

    def lines(self, side: Side) -> Iterator[str]:
        if not side.is_request:
            yield from own_message_lines(side)
            return
        sent = client_message(side.record)
        if sent is None:
            yield "What the client sent is not kept with this flow."
            return
        yield from message_lines(sent.start, sent.headers, sent.body, sent.content_type, sent.cut)


def own_message_lines(side: Side) -> Iterator[str]:
    """The message that the flow itself holds on this side."""
    message = side.message
    if isinstance(message, http.Request):
        start = f"{message.method} {message.url}"
    else:
        assert isinstance(message, http.Response)
        start = f"{message.status_code} {message.reason}"
    headers = [
        (name.decode("utf-8", "replace"), value.decode("utf-8", "replace")) for name, value in message.headers.fields
    ]
    yield from message_lines(start, headers, side.body, side.content_type)


def message_lines(
    start: str, headers: Iterable[tuple[str, str]], body: bytes, content_type: str, cut: int = 0
) -> Iterator[str]:
    """A message as it goes over the wire, its body readable."""
    yield start
    yield from (f"{name}: {value}" for name, value in headers)
    yield ""
    yield from body_lines(body, content_type, cut)
