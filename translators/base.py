"""The contracts: what a dialect (client's side) and an engine (provider's side) have to offer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from translators.errors import UpstreamError
from translators.types import ChatRequest, Event, Target, Usage, WireRequest


class ClientRequest:
    """A client's chat request: its bytes, the JSON in them, and, when an engine asks for it, the typed form.

    Never changed after it was made: every attempt is built from the same one.
    """

    def __init__(self, body: bytes, raw: Mapping[str, Any], parse: Callable[[Mapping[str, Any]], ChatRequest]) -> None:
        self.body = body
        self.raw = raw
        self._parse = parse
        self.model: str = raw["model"]
        self.stream = raw.get("stream") is True
        options = raw.get("stream_options")
        self.include_usage = isinstance(options, Mapping) and options.get("include_usage") is True

    @cached_property
    def chat(self) -> ChatRequest:
        """The request in typed parts. Raises RequestError, naming the field, if it is not what OpenAI's API takes."""
        return self._parse(self.raw)


class StreamTranslator(Protocol):
    """One attempt's streamed answer: provider's bytes in, events out.

    Any cut of the bytes gives the same events. Never raises for what an upstream sent. A stream that ends before its
    end marker gives Failed, never Finished.
    """

    def feed(self, data: bytes) -> list[Event]: ...

    def close(self) -> list[Event]: ...


class Translator(Protocol):
    """One engine: a provider's wire format. Stateless; everything it does is pure and repeatable."""

    name: str
    speaks: str | None
    """The dialect whose wire this is: answers to its clients go through as they came."""

    def build(self, request: ClientRequest, target: Target) -> WireRequest:
        """The provider's request. Raises RequestError if the wire cannot say it."""
        ...

    def credentials(self, target: Target) -> Mapping[str, str]:
        """The headers with the key in them."""
        ...

    def parse(self, body: bytes, wire: WireRequest) -> list[Event]:
        """A whole answer (status 2xx) as events; the last one is Ended or Failed."""
        ...

    def stream(self, wire: WireRequest) -> StreamTranslator: ...

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        """What an answer with status >= 400 says. Header names are in lower case."""
        ...


@dataclass(frozen=True, slots=True)
class AnswerIdentity:
    """What every chunk of one answer carries: `model` is what to call it when the provider says nothing, or instead
    of what it says when `renamed`. `created` in Unix seconds."""

    id: str
    created: int
    model: str
    renamed: bool
    include_usage: bool


class AnswerWriter(Protocol):
    """Events in, the client's stream out."""

    def write(self, events: Sequence[Event]) -> bytes: ...

    def error(self, error: UpstreamError) -> bytes:
        """The stream's last words when it breaks."""
        ...


class Dialect(Protocol):
    """One client's API."""

    name: str

    def read(self, body: bytes) -> ClientRequest:
        """Raises RequestError if it is no request of this dialect."""
        ...

    def writer(self, identity: AnswerIdentity) -> AnswerWriter: ...

    def fold(self, events: Sequence[Event], identity: AnswerIdentity) -> bytes:
        """A whole answer's body. Raises UpstreamError if the events hold a Failed."""
        ...

    def through(self, identity: AnswerIdentity) -> "AnswerStream":
        """For a provider that speaks this dialect itself: its stream, watched, otherwise as it came."""
        ...

    def through_whole(self, body: bytes, identity: AnswerIdentity) -> "WholeAnswer":
        """The same for a whole answer. Raises UpstreamError for a failure inside it."""
        ...


class AnswerStream(Protocol):
    """One attempt's streamed answer on its way to the client: provider's bytes in, client's bytes out.

    `has_output`: something of the answer itself has come. `ended`: the provider's end marker was seen. `failure`: it
    broke; nothing of the failure is in the bytes, `last_words` makes the client's error event.
    """

    has_output: bool
    ended: bool
    failure: UpstreamError | None
    usage: Usage | None

    def feed(self, data: bytes) -> bytes: ...

    def close(self) -> bytes: ...

    def last_words(self, error: UpstreamError) -> bytes: ...


@dataclass(frozen=True, slots=True)
class WholeAnswer:
    """A whole answer for the client."""

    body: bytes
    usage: Usage | None
