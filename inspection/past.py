"""What a flow tells of its own past, for the command uniapi.explain."""

import json
from collections.abc import Iterator

from mitmproxy.flow import Flow

from inspection.flow_notes import NotedClient
from inspection.summary import comment
from inspection.views.attempts import attempts_table
from inspection.views.record import account_of, attempts_of, record_of


def past_lines(flow: Flow) -> Iterator[str]:
    """What became of the request, and of each attempt."""
    record = record_of(flow) or {}
    account = account_of(record)
    if not account:
        yield "The request is still on its way." if flow.live else "What became of the request is not kept with it."
        return
    yield comment(account)
    attempts = attempts_of(record)
    if attempts:
        yield from attempts_table(attempts)


def asked_of(flow: Flow, noted: NotedClient) -> str:
    """The model that the client asked for; empty where nothing tells."""
    asked = account_of(record_of(flow) or {}).get("asked")
    if isinstance(asked, str) and asked:
        return asked
    try:
        model = json.loads(noted.body).get("model")
    except (ValueError, AttributeError):
        return ""
    return model if isinstance(model, str) else ""
