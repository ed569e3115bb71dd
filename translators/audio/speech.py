"""POST /v1/audio/speech, passed through: text in, sound out, on its way to the client while it is still being made.

Sound comes as bytes, as events (`stream_format: sse`), or, at Mistral, inside JSON, out of which it is taken: clients
of this endpoint save what they get.
"""

from collections.abc import Mapping
from dataclasses import replace

from translators.azure import Azure
from translators.base import AnswerIdentity, AnswerStream, JsonRequest, See, Service, WholeAnswer
from translators.errors import Kind, UpstreamError
from translators.event_passage import TypedEvents
from translators.forwarded import Forwarded, Host
from translators.json_request import read_object, required_text
from translators.jsontext import loads_object, text_in
from translators.media import decoded
from translators.openai import Gpt
from translators.openrouter import OpenRouter
from translators.types import Target, Usage, WireRequest

SOUND_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
"""`response_format` → media type (OpenAI API reference, "Create speech")."""


class SoundStream:
    """An AnswerStream of bytes that nobody reads on the way. It has no end marker: it ends where the message does."""

    usage: Usage | None = None

    def __init__(self, content_type: str) -> None:
        self.content_type = content_type
        self.has_output = False
        self.ended = False
        self.failure: UpstreamError | None = None

    def feed(self, data: bytes) -> bytes:
        self.has_output = self.has_output or bool(data)
        return data

    def close(self) -> bytes:
        if self.has_output:
            self.ended = True
        else:
            self.failure = UpstreamError(Kind.EMPTY, "The provider's answer has no sound in it.")
        return b""

    def last_words(self, error: UpstreamError) -> bytes:
        """None: words would be heard as noise. That the connection breaks off says it all."""
        return b""


class Speech:
    """A Service: see base.py."""

    def __init__(self, engine: Host) -> None:
        self.name = engine.name
        self._forwarded = Forwarded(engine, "/audio/speech", TypedEvents)

    def build(self, request: JsonRequest, target: Target) -> WireRequest:
        wire = self._forwarded.build(request, target)
        return replace(wire, context={"format": text_in(request.raw.get("response_format"))})

    def open(
        self, wire: WireRequest, identity: AnswerIdentity, *, stream: bool, content_type: str, see: See | None
    ) -> AnswerStream | None:
        if "json" in content_type or "html" in content_type:
            return None
        events = self._forwarded.open(wire, identity, stream=stream, content_type=content_type, see=see)
        return events or SoundStream(content_type)

    def whole(
        self, wire: WireRequest, identity: AnswerIdentity, body: bytes, *, content_type: str, see: See | None
    ) -> WholeAnswer:
        answer = self._forwarded.whole(wire, identity, body, content_type=content_type, see=see)
        sound = text_in((loads_object(body) or {}).get("audio_data"))
        if not sound:
            raise UpstreamError(Kind.MALFORMED, "The provider's answer has no sound in it.")
        try:
            return WholeAnswer(decoded(sound), answer.usage, SOUND_TYPES.get(wire.context["format"], "audio/mpeg"))
        except ValueError:
            raise UpstreamError(Kind.MALFORMED, "The sound in the provider's answer is no base64.") from None

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return self._forwarded.failure(status, headers, body)


def read(body: bytes, content_type: str) -> JsonRequest:
    """Raises RequestError."""
    raw = read_object(body)
    required_text(raw, "input")
    return JsonRequest(body, raw)


SERVICES: Mapping[str, Service[JsonRequest]] = {
    engine.name: Speech(engine) for engine in (Gpt(), OpenRouter(), Azure())
}
