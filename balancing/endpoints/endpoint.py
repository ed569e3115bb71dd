"""What an endpoint is: method and path, and what answers there."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from balancing.exchange import Exchange
from balancing.gateway import Gateway
from balancing.replies import Reply
from config.schema import ClientKey


@dataclass(frozen=True, slots=True)
class Question:
    """A client's request as an endpoint sees it."""

    client: ClientKey | None
    """None without a key of the gateway's, which only public endpoints ever see."""
    body: bytes = field(repr=False)
    content_type: str
    name: str
    """What the path has behind the endpoint's: `gpt-4o` of `/v1/models/gpt-4o`."""
    query: Mapping[str, str]
    ip: str
    """The client's address."""
    is_of_website: bool = False
    """Whether a browser asks for a page of somebody's (Fetch Standard, "`Origin` header")."""
    destination: str = ""
    """The channel `provider/model` that a person wants the answer from, whatever the client's rules say."""

    @property
    def asker(self) -> ClientKey:
        """The client, at an endpoint that is not public."""
        assert self.client
        return self.client


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`answer` gives a whole answer, or an exchange that is to be had with a provider. It may raise WireError."""

    method: str
    path: str
    answer: Callable[[Gateway, Question], Awaitable[Exchange | Reply]]
    takes_name: bool = False
    """Whether something follows the path: `/v1/models/{id}`."""
    is_public: bool = False
    """Whether it is for everybody who reaches the gateway itself: no key needed, and nothing of OpenAI's API."""
