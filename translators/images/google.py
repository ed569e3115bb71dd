"""Pictures of the engines gemini and vertex-gemini: by one or the other of Google's two wires for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from translators.base import AnswerIdentity, AnswerStream, JsonRequest, See, WholeAnswer
from translators.errors import UntranslatableError, UpstreamError
from translators.forms import FormRequest
from translators.gemini import content_headers
from translators.images import gemini, imagen
from translators.images.answer import Drawn, event_stream, whole_answer
from translators.images.request import ImageRequest, image_request
from translators.jsontext import dumps
from translators.openai_answer import error_event
from translators.sse import EVENT_STREAM
from translators.types import Note, Target, Usage, WireRequest


class GoogleEngine(Protocol):
    """Gemini or VertexGemini."""

    name: str

    def url(self, target: Target, call: str) -> str: ...

    def credentials(self, target: Target) -> Mapping[str, str]: ...

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError: ...


@dataclass(frozen=True, slots=True)
class Maker:
    """A family of models: how they are called, what is sent, and the pictures in what comes back.

    `draft` gives the body, and notes of what is not in it, and may raise RequestError; `drawn` may raise UpstreamError.
    """

    call: str
    draft: Callable[[ImageRequest, Target], tuple[dict[str, Any], list[Note]]]
    drawn: Callable[[bytes], Drawn]


GEMINI = Maker("generateContent", gemini.draft, gemini.drawn)
IMAGEN = Maker("predict", imagen.draft, imagen.drawn)


def maker_of(model: str) -> Maker:
    return IMAGEN if imagen.NAME.fullmatch(model.lower()) else GEMINI


class GoogleImages:
    """A Service (see base.py). `event`: the type of the event that brings a picture in a stream."""

    def __init__(self, engine: GoogleEngine, event: str) -> None:
        self.name = engine.name
        self._engine = engine
        self._event = event

    def build(self, request: JsonRequest | FormRequest, target: Target) -> WireRequest:
        wanted = image_request(request)
        if wanted.images and not target.image:
            raise UntranslatableError("This provider is configured without images.", param="image")
        maker = maker_of(target.model)
        notes: list[Note] = []
        if maker is GEMINI and self.name == "gemini" and (wanted.format or wanted.compression is not None):
            notes.append(Note("output_format", "the Gemini API chooses the format itself"))
            wanted = replace(wanted, format="", compression=None)
        body, left_out = maker.draft(wanted, target)
        return WireRequest(
            method="POST",
            url=self._engine.url(target, maker.call),
            headers=content_headers(stream=False),
            credentials=self._engine.credentials(target),
            body=dumps(body),
            notes=(*notes, *left_out),
            context={"maker": maker, "as_url": wanted.as_url, "size": wanted.size},
        )

    def open(
        self, wire: WireRequest, identity: AnswerIdentity, *, stream: bool, content_type: str, see: See | None
    ) -> AnswerStream | None:
        return PictureStream(wire, identity, self._event) if stream else None

    def whole(
        self, wire: WireRequest, identity: AnswerIdentity, body: bytes, *, content_type: str, see: See | None
    ) -> WholeAnswer:
        return whole_answer(wire.context["maker"].drawn(body), identity, as_url=wire.context["as_url"])

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return self._engine.failure(status, headers, body)


class PictureStream:
    """An AnswerStream for clients that want events of a provider that has none: one for each picture, at the end."""

    content_type = EVENT_STREAM

    def __init__(self, wire: WireRequest, identity: AnswerIdentity, event: str) -> None:
        self._wire = wire
        self._identity = identity
        self._event = event
        self._body: list[bytes] = []
        self.has_output = False
        self.ended = False
        self.failure: UpstreamError | None = None
        self.usage: Usage | None = None

    def feed(self, data: bytes) -> bytes:
        self._body.append(data)
        return b""

    def close(self) -> bytes:
        try:
            drawn: Drawn = self._wire.context["maker"].drawn(b"".join(self._body))
        except UpstreamError as error:
            self.failure = error
            return b""
        self.usage = drawn.usage
        self.has_output = self.ended = True
        return event_stream(drawn, self._identity, self._event, self._wire.context["size"])

    def last_words(self, error: UpstreamError) -> bytes:
        return error_event(error)
