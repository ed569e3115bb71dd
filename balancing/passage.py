"""One request on its way through the gateway: who asks, for what, by whose attempts, and what became of it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from balancing.account import Visit, account_of, refused_account
from balancing.admission import no_destination, unknown_name, wrong_key
from balancing.call import Call
from balancing.endpoints import Endpoint, Question, endpoint_of, unknown_endpoint
from balancing.exchange import Exchange
from balancing.gateway import Gateway
from balancing.identity import short_name
from balancing.limits import Allowance
from config.schema import ClientKey
from translators.errors import RequestError, WireError


@dataclass(slots=True)
class Passage:
    """`path` has its query; `ip` is the client's address."""

    path: str
    ip: str
    endpoint: Endpoint | None
    client: ClientKey | None
    """None at public endpoints, and where nobody is served."""
    refusal: WireError | None
    """Why the gateway does not serve it."""
    destination: str = ""
    """The channel that a person has chosen for a replay; empty: as the client's rules have it."""
    is_replay: bool = False
    began: float = field(default_factory=time.time)
    """In Unix time."""
    allowance: Allowance | None = None
    """What the client's rate limits have left."""
    exchange: Exchange | None = None
    call: Call | None = None
    """The attempt that is prepared in the flow's request, until it is sent."""

    @property
    def is_public(self) -> bool:
        """Whether everybody may ask for this."""
        return self.endpoint is not None and self.endpoint.is_public

    def admit(self, gateway: Gateway) -> None:
        """Count the request. A replay is a person's doing, and not held against the client. Raises WireError 429."""
        if self.client is not None and not self.is_public and not self.is_replay:
            self.allowance = gateway.rate_limits.admit(self.client)

    def question(self, body: bytes, headers: Mapping[str, str]) -> Question:
        """What the endpoint is asked. There has to be one. `headers` finds names in lower case."""
        assert self.endpoint
        path, _, query = self.path.partition("?")
        return Question(
            client=self.client,
            body=body,
            content_type=headers.get("content-type", ""),
            name=unquote(path.removeprefix(self.endpoint.path).strip("/")),
            query=dict(parse_qsl(query, keep_blank_values=True)),
            ip=self.ip,
            is_of_website="origin" in headers,
            destination=self.destination,
        )

    @property
    def rate_headers(self) -> Mapping[str, str]:
        return self.allowance.headers if self.allowance else {}

    def account(self, status: int | None, *, killed: bool) -> dict[str, Any] | None:
        """What became of it; `status` is what the client got, `killed` whether a person or another script ended it.
        None for what nobody counts: a request of nobody's, or one that was not for a provider."""
        if self.client is None or self.endpoint is None or self.endpoint.method != "POST":
            return None
        is_open = self.exchange is not None and not self.exchange.is_over
        stopped = self.refusal is None and (killed or is_open)
        visit = Visit(
            time=self.began,
            endpoint=self.endpoint.path,
            client=short_name(self.client),
            ip=self.ip,
            status=status,
            refusal=self.refusal,
            stopped=stopped,
        )
        if self.exchange is None:
            return refused_account(visit)
        if is_open:
            self.exchange.leave()
        return account_of(self.exchange, visit)


def arriving(gateway: Gateway, method: str, path: str, key: str, *, ip: str, addressed_here: bool) -> Passage | None:
    """A request that has come, with the key that the client shows. None: it is not for the gateway, which leaves
    alone what is `addressed_here` only by its host's name, unless endpoint and key are the gateway's."""
    endpoint, refusal = found_endpoint(path, method)
    is_public = endpoint is not None and endpoint.is_public
    if not addressed_here and (is_public or (endpoint is None and refusal is None)):
        return None
    client = gateway.client(key)
    if client is None and not addressed_here:
        client = gateway.default_client
        if client is None:
            return None  # The app's own key belongs to the real host.
    if client is None and not is_public and endpoint is not None:
        refusal = unserved(gateway) or wrong_key(missing=not key)
    if endpoint is None and refusal is None:
        refusal = unknown_endpoint(path.partition("?")[0])
    return Passage(path, ip, endpoint, client, refusal)


def replayed(gateway: Gateway, method: str, path: str, name: str, *, cut: int, ip: str, destination: str) -> Passage:
    """A request that comes again, as the client's that has this short name, else the default key's; `cut`: so many
    bytes of its body are lost."""
    endpoint, refusal = found_endpoint(path, method)
    client = gateway.client_called(name) or gateway.default_client
    if endpoint is None:
        refusal = refusal or unknown_endpoint(path.partition("?")[0])
    elif client is None and not endpoint.is_public:
        refusal = unserved(gateway) or unknown_name(name)
    elif cut:
        refusal = RequestError(f"The client's request is not whole any more: {cut} bytes of its body were not kept.")
    elif destination and endpoint.method != "POST":
        refusal = RequestError(f"{endpoint.method} {endpoint.path} is answered by the gateway itself, by no provider.")
    elif destination and not gateway.catalogue.named(destination):
        refusal = no_destination(destination)
    return Passage(path, ip, endpoint, client, refusal, destination=destination, is_replay=True)


def found_endpoint(path: str, method: str) -> tuple[Endpoint | None, WireError | None]:
    """The endpoint at a path, or what is wrong with the method; neither where there is none."""
    try:
        return endpoint_of(path.partition("?")[0], method), None
    except WireError as wrong_method:
        return None, wrong_method


def unserved(gateway: Gateway) -> WireError | None:
    """Why nobody is served at all."""
    try:
        _ = gateway.catalogue
    except WireError as not_configured:
        return not_configured
    return None
