"""What a flow tells of its own past, for the command uniapi.explain. It may come from a file."""

from collections.abc import Iterator

from mitmproxy import http

from inspection.flow_notes import NotedClient
from inspection.summary import comment
from inspection.views.attempts import attempts_table
from inspection.views.progress import nothing_yet
from inspection.views.record import account_of, attempts_of, record_of
from translators.jsontext import loads_object, object_in, text_in


def past_lines(flow: http.HTTPFlow) -> Iterator[str]:
    """What became of the request, and of each attempt."""
    record = record_of(flow) or {}
    account = account_of(record)
    if not account:
        yield nothing_yet(flow, record)
        return
    yield comment(account)
    attempts = attempts_of(record)
    if attempts:
        yield from attempts_table(attempts)


def asked_of(flow: http.HTTPFlow, noted: NotedClient) -> str:
    """The model that the client asked for; empty where nothing tells."""
    asked = text_in(account_of(record_of(flow) or {}).get("asked"))
    return asked or text_in(object_in(loads_object(noted.body)).get("model"))
