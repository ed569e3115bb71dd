"""How far a request has come, in a sentence: for views that have nothing else to show."""

from collections.abc import Mapping
from typing import Any

from mitmproxy import http

from inspection.views.record import is_open, nobody_was_asked


def nothing_yet(flow: http.HTTPFlow, record: Mapping[str, Any]) -> str:
    """Why there is nothing to be seen."""
    if nobody_was_asked(flow, record):
        return "No provider was asked" + (": the gateway answered by itself." if flow.response else ".")
    if not (flow.live and is_open(flow, record)):
        return "What became of the request is not kept with this flow."
    return f"The {'answer is still coming' if flow.response else 'request is still on its way'}: look again at its end."
