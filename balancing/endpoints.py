"""The gateway's endpoints: method and path → what answers."""

from collections.abc import Callable
from dataclasses import dataclass

from balancing.exchange import Exchange
from balancing.gateway import Gateway
from balancing.replies import Reply
from config.schema import ClientKey
from translators.errors import WireError

JSON = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`answer` takes the gateway, the client, the request's body and what the path has behind `path`; it may raise
    WireError."""

    method: str
    path: str
    answer: Callable[[Gateway, ClientKey, bytes, str], Exchange | Reply]
    takes_name: bool = False
    """Whether something follows the path: `/v1/models/{id}`."""


def chat(gateway: Gateway, client: ClientKey, body: bytes, name: str) -> Exchange:
    return gateway.chat(client, body)


def model_list(gateway: Gateway, client: ClientKey, body: bytes, name: str) -> Reply:
    return Reply(200, JSON, gateway.model_list(client))


def model(gateway: Gateway, client: ClientKey, body: bytes, name: str) -> Reply:
    return Reply(200, JSON, gateway.model(client, name))


ENDPOINTS = (
    Endpoint("POST", "/v1/chat/completions", chat),
    Endpoint("GET", "/v1/models", model_list),
    Endpoint("GET", "/v1/models/", model, takes_name=True),
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
