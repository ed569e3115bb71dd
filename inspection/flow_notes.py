"""What a flow keeps of its passage through the gateway: for the content views, for replay, and for a glance at the
list of flows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mitmproxy import http
from mitmproxy.flow import Flow

from inspection.summary import comment
from inspection.views.record import KEY

KEPT_CLIENT_BYTES = 10 * 1024 * 1024
"""A longer body of a client is not kept beside the provider's request, and cannot be replayed …"""
KEPT_BEGINNING = 64 * 1024
"""… but for its beginning."""
MARKERS = {"ok": ":green_circle:", "error": ":red_circle:", "broken": ":red_circle:", "cancelled": ":white_circle:"}
MENDED = ":yellow_circle:"
"""Answered, but not at the first attempt."""


class Notes(dict[str, Any]):
    """All that a flow keeps. mitmproxy's console writes out a flow's metadata on its Detail tab, and takes minutes for
    a large body: it is told where to look instead."""

    def __repr__(self) -> str:
        return "(see the views Client side, Provider side, Attempts, Translation)"


def notes_of(flow: Flow) -> dict[str, Any]:
    """The flow's notes, to be added to."""
    notes: dict[str, Any] = flow.metadata.setdefault(KEY, Notes())
    return notes


def recognise(flow: Flow) -> None:
    """Notes that have come from a file as plain data become what they were."""
    plain = flow.metadata.get(KEY)
    if isinstance(plain, dict):
        flow.metadata[KEY] = Notes(plain)


@dataclass(frozen=True, slots=True)
class NotedClient:
    """What the client sent, its key masked. `name` is the client's short name; `cut`: so many bytes of the body are not
    kept."""

    name: str
    method: str
    scheme: str
    host: str
    port: int
    path: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    cut: int


def note_client(flow: http.HTTPFlow, name: str, body: bytes) -> None:
    """Keep the client's request, with this body, beside the provider's, which the flow's request becomes."""
    request = flow.request
    kept = body if len(body) <= KEPT_CLIENT_BYTES else body[:KEPT_BEGINNING]
    notes_of(flow)["client"] = {
        "name": name,
        "method": request.method,
        "scheme": request.scheme,
        "host": request.host,
        "port": request.port,
        "path": request.data.path.decode("utf-8", "replace"),
        "headers": [list(field) for field in request.headers.fields],
        "body": kept,
        "cut": len(body) - len(kept),
    }


NOTED = {
    "name": str,
    "method": str,
    "scheme": str,
    "host": str,
    "port": int,
    "path": str,
    "headers": list,
    "body": bytes,
    "cut": int,
}


def noted_client(flow: Flow) -> NotedClient | None:
    """What was kept of the client's request. None for a flow that is not the gateway's, and one in a file that
    something else has written."""
    record = flow.metadata.get(KEY)
    note = record.get("client") if isinstance(record, dict) else None
    if not isinstance(note, dict) or {name: type(value) for name, value in note.items()} != NOTED:
        return None
    headers = note["headers"]
    if not all(isinstance(field, list | tuple) and list(map(type, field)) == [bytes, bytes] for field in headers):
        return None
    return NotedClient(**note | {"headers": tuple(map(tuple, headers))})


def note_provider(flow: http.HTTPFlow, status: int, headers: Mapping[str, str], body: bytes, cut: int) -> None:
    """What the provider answered; `cut`: so many bytes more than are kept."""
    notes_of(flow)["provider"] = {
        "status": status,
        "headers": [[name.encode(), value.encode("utf-8", "surrogateescape")] for name, value in headers.items()],
        "body": body,
        "cut": cut,
    }


def note_outcome(flow: http.HTTPFlow, account: Mapping[str, Any]) -> None:
    """What became of the request."""
    notes_of(flow)["account"] = account
    flow.comment = comment(account)
    marker = MARKERS[account["outcome"]]
    if account["outcome"] == "ok" and any(attempt["error"] for attempt in account["attempts"]):
        marker = MENDED
    flow.marked = marker
