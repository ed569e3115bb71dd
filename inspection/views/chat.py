"""The view that is chosen for the gateway's flows: the conversation, and the answer, as a person reads them."""

from collections.abc import Iterator

from mitmproxy import http
from mitmproxy.contentviews import Metadata

from inspection.views.answer import error_lines, has_end, is_stream
from inspection.views.layout import GAP, prose
from inspection.views.progress import nothing_yet
from inspection.views.readings import READINGS, Reading
from inspection.views.record import account_of, client_message, endpoint_of, is_open, response_cut
from inspection.views.text import body_lines, cut_line, parsed
from inspection.views.view import FlowView, Side, side_of
from translators.jsontext import object_in

PRIORITY = 10
"""Above every view of mitmproxy's own: the highest of those says 2."""


class Chat(FlowView):
    """On the request's side what the client said, on the response's what it was answered."""

    title = "Chat"

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        side = side_of(data, metadata)
        if side is None:
            return -1
        return PRIORITY if endpoint_of(side.record) in READINGS else 0

    def lines(self, side: Side) -> Iterator[str]:
        reading = READINGS.get(endpoint_of(side.record))
        return prose(asked(side, reading) if side.is_request else answered(side, reading))


def asked(side: Side, reading: Reading | None) -> Iterator[str]:
    sent = client_message(side.flow, side.record)
    if sent is None:
        yield "What the client sent is not kept with this flow. The provider got:"
        yield from body_lines(side.body, side.content_type)
        return
    request = json_object(sent.body)
    if reading is None or not request:
        yield from body_lines(sent.body, sent.content_type, sent.cut)
    else:
        yield from reading.request(request)


def answered(side: Side, reading: Reading | None) -> Iterator[str]:
    assert isinstance(side.message, http.Response)
    rest = missing_line(side)
    if is_open(side.flow, side.record):
        yield nothing_yet(side.flow, side.record)
    elif side.message.status_code >= 400:
        yield from error_lines(side.message.status_code, side.body, side.content_type)
    elif reading is None:
        yield from body_lines(side.body, side.content_type)
    elif rest:
        yield from reading.beginning(side.body, side.content_type)
    else:
        yield from reading.answer(side.body, side.content_type)
    if rest:
        yield GAP
        yield rest
    if side.flow.comment:  # The whole request in one line, see inspection/summary.py.
        yield GAP
        yield side.flow.comment


def missing_line(side: Side) -> str:
    """Why a stream has no end here, if it is not the provider's fault; else empty."""
    account = account_of(side.record)
    if cut := response_cut(side.flow):
        return cut_line(cut)
    if account.get("outcome") != "cancelled" or not is_stream(side.body, side.content_type) or has_end(side.body):
        return ""
    return "… (stopped in mitmproxy here)" if account.get("stopped") else "… (the client went away here)"


def json_object(body: bytes) -> dict[str, object]:
    """The JSON object in a body; an empty one if there is none, or more than is read for a page."""
    try:
        return object_in(parsed(body))
    except ValueError:
        return {}
