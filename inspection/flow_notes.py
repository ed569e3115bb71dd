"""What a flow keeps of its passage through the gateway: for the content views, for replay, and for a glance at the
list of flows."""

from collections.abc import Mapping, Sequence
from typing import Any

from mitmproxy import http

from inspection.summary import comment

KEPT_CLIENT_BYTES = 10 * 1024 * 1024
"""How much of a client's body is kept beside the provider's request; a longer one cannot be replayed."""
MARKERS = {"ok": ":green_circle:", "error": ":red_circle:", "broken": ":red_circle:", "cancelled": ":white_circle:"}
MENDED = ":yellow_circle:"
"""Answered, but not at the first attempt."""


def note_client(
    flow: http.HTTPFlow, method: str, path: str, headers: Sequence[tuple[bytes, bytes]], body: bytes
) -> None:
    """What the client sent, its key masked: from when the flow's request becomes the provider's."""
    flow.metadata["uniapi"] = {
        "client": {
            "method": method,
            "path": path,
            "headers": [list(field) for field in headers],
            "body": body[:KEPT_CLIENT_BYTES],
            "cut": max(0, len(body) - KEPT_CLIENT_BYTES),
        }
    }


def note_provider(flow: http.HTTPFlow, status: int, headers: Mapping[str, str], body: bytes, cut: int) -> None:
    """What the provider answered; `cut`: so many bytes more than are kept."""
    flow.metadata.setdefault("uniapi", {})["provider"] = {
        "status": status,
        "headers": [[name.encode(), value.encode("utf-8", "surrogateescape")] for name, value in headers.items()],
        "body": body,
        "cut": cut,
    }


def note_outcome(flow: http.HTTPFlow, account: Mapping[str, Any]) -> None:
    """What became of the request."""
    flow.metadata.setdefault("uniapi", {})["account"] = account
    flow.comment = comment(account)
    marker = MARKERS[account["outcome"]]
    if account["outcome"] == "ok" and any(attempt["error"] for attempt in account["attempts"]):
        marker = MENDED
    flow.marked = marker
