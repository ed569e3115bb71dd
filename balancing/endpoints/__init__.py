"""The gateway's endpoints. A new one is a file and a line in a table: in translators/services.py if providers answer
it, otherwise here."""

from balancing.endpoints.api_key import GENERATE_API_KEY
from balancing.endpoints.endpoint import Endpoint, Question
from balancing.endpoints.health import HEALTH
from balancing.endpoints.models import MODEL, MODEL_LIST
from balancing.endpoints.reports import METRICS, STATISTICS, STATISTICS_PAGE
from balancing.endpoints.service import SERVICE_ENDPOINTS
from translators.errors import WireError

__all__ = ["ENDPOINTS", "Endpoint", "Question", "endpoint_of", "unknown_endpoint"]

ENDPOINTS = (
    *SERVICE_ENDPOINTS,
    MODEL_LIST,
    MODEL,
    GENERATE_API_KEY,
    STATISTICS,
    STATISTICS_PAGE,
    METRICS,
    HEALTH,
)


def endpoint_of(path: str, method: str) -> Endpoint | None:
    """The endpoint at a path (without its query). None if there is none. Raises WireError 405 for another method.

    OPTIONS finds every endpoint: it is CORS's question.
    """
    path = path.rstrip("/") if path.endswith("/") else path
    at_path = [
        endpoint
        for endpoint in ENDPOINTS
        if path == endpoint.path or (endpoint.takes_name and path.startswith(endpoint.path))
    ]
    for endpoint in at_path:
        if method in (endpoint.method, "OPTIONS") or (method == "HEAD" and endpoint.method == "GET"):
            return endpoint
    if not at_path:
        return None
    raise WireError(
        405,
        f"{path} takes {at_path[0].method}, not {method}.",
        type="invalid_request_error",
        code="method_not_allowed",
        headers={"allow": at_path[0].method},
    )


def unknown_endpoint(path: str) -> WireError:
    known = ", ".join(f"{endpoint.method} {endpoint.path}" for endpoint in ENDPOINTS if not endpoint.takes_name)
    return WireError(
        404,
        f"The gateway has no endpoint {path!r}. It has: {known}. A base URL ends in /v1.",
        type="invalid_request_error",
        code="unknown_endpoint",
    )
