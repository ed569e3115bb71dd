"""The contracts: what a dialect (client's side) and an engine (provider's side) have to offer."""

import re
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from translators.errors import RequestError, UpstreamError
from translators.jsontext import ESCAPED_LETTER, dumps, member_names, model_replaced
from translators.types import ChatRequest, Event, Splice, Target, Usage, WireRequest

ONLY_ONCE = ("model", "messages", "prompt", "input", "stream", "stream_options")
"""Fields that the gateway acts on: of two, a provider that took the first where the gateway has read the last would be
asked for something else than was allowed. forms.py has those of forms."""
ONLY_ONCE_FIELD = re.compile(rb'"(%s)"\s*:' % b"|".join(name.encode() for name in ONLY_ONCE))


class ApiRequest(Protocol):
    """A client's request for any endpoint. Never changed after it was made: every attempt is built from the same."""

    body: bytes
    content_type: str
    model: str
    stream: bool
    include_usage: bool
    """Whether a stream is to tell the usage (`stream_options`)."""

    @property
    def fields(self) -> Mapping[str, Any]:
        """What the client says, by the names that the API has for it; files left out."""
        ...

    def with_model(self, name: str) -> tuple[bytes, Splice | None]:
        """The body, asking for a model of this name; otherwise as it came. A large one is the very body that came, and
        asks with the splice in it."""
        ...


class JsonRequest:
    """A request whose body is a JSON object: its bytes, and what is in them."""

    content_type = "application/json"

    def __init__(self, body: bytes, raw: Mapping[str, Any]) -> None:
        """Raises RequestError where anything of which there can be one only is said twice."""
        check_said_once(body, raw)
        self.body = body.removeprefix(BOM_UTF8)
        self.raw = raw
        self.model: str = raw["model"]
        self.stream = raw.get("stream") is True
        options = raw.get("stream_options")
        self.include_usage = isinstance(options, Mapping) and options.get("include_usage") is True

    @property
    def fields(self) -> Mapping[str, Any]:
        return self.raw

    def with_model(self, name: str) -> tuple[bytes, None]:
        if name == self.model:
            return self.body, None
        return model_replaced(self.body, self.raw, name) or dumps({**self.raw, "model": name}), None


def check_said_once(body: bytes, raw: Mapping[str, Any]) -> None:
    """Raises RequestError where one of ONLY_ONCE stands in the object twice, or in capitals, which some providers do
    not tell apart. Other objects inside may have members of these names."""
    for name in raw:
        meant = name.casefold()
        if meant != name and meant in ONLY_ONCE:
            raise RequestError(f"`{name}` must be written `{meant}`.", param=name)
    found = ONLY_ONCE_FIELD.findall(body)
    alone = len(found) == len(set(found)) and not ESCAPED_LETTER.search(body)
    names = () if alone else member_names(body)
    for name in ONLY_ONCE:
        if names.count(name) > 1:
            raise RequestError(f"`{name}` stands in the body more than once.", param=name)


class ClientRequest(JsonRequest):
    """A chat request: beside the JSON, when an engine asks for it, the typed form."""

    def __init__(self, body: bytes, raw: Mapping[str, Any], parse: Callable[[Mapping[str, Any]], ChatRequest]) -> None:
        super().__init__(body, raw)
        self._parse = parse

    @cached_property
    def chat(self) -> ChatRequest:
        """The request in typed parts. Raises RequestError, naming the field, if it is not what OpenAI's API takes."""
        return self._parse(self.raw)

    def replaced(self, raw: Mapping[str, Any]) -> "ClientRequest":
        """The same kind of request with other JSON in it."""
        return ClientRequest(dumps(raw), raw, self._parse)


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

    content_type: str
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
    content_type: str = "application/json"


See = Callable[[Sequence[Event]], None]
"""Somebody who watches the events of an answer go by."""


class Service[Request: ApiRequest](Protocol):
    """One endpoint of the gateway as one engine offers it. Stateless and repeatable, like the translators."""

    name: str
    """The engine's."""

    def build(self, request: Request, target: Target) -> WireRequest:
        """The provider's request. Raises RequestError if it is wrong, UntranslatableError if the wire cannot say it."""
        ...

    def open(
        self, wire: WireRequest, identity: AnswerIdentity, *, stream: bool, content_type: str, see: See | None
    ) -> AnswerStream | None:
        """The answer (status 2xx) on its way to the client piece by piece; None: it is taken whole.

        `stream`: the client asked for a stream; `content_type` is the provider's.
        """
        ...

    def whole(
        self, wire: WireRequest, identity: AnswerIdentity, body: bytes, *, content_type: str, see: See | None
    ) -> WholeAnswer:
        """A whole answer (status 2xx). Raises UpstreamError for a failure inside it."""
        ...

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        """What an answer with status >= 400 says. Header names are in lower case."""
        ...
