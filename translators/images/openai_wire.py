"""Pictures of the engines with OpenAI's wire: request and answer go through as they came, but for xAI's requests."""

from collections.abc import Mapping
from dataclasses import replace

from translators.base import AnswerIdentity, AnswerStream, JsonRequest, See, WholeAnswer
from translators.errors import UpstreamError
from translators.event_passage import TypedEvents
from translators.forms import FormRequest
from translators.forwarded import Forwarded, Host
from translators.images import xai
from translators.jsontext import dumps
from translators.types import Target, WireRequest


class OpenAIImages:
    """A Service: see base.py."""

    def __init__(self, engine: Host, endpoint: str) -> None:
        self.name = engine.name
        self._forwarded = Forwarded(engine, endpoint, TypedEvents)

    def build(self, request: JsonRequest | FormRequest, target: Target) -> WireRequest:
        if not (xai.is_xai(target) and xai.refuses(request)):
            return self._forwarded.build(request, target)
        body, notes = xai.draft(request, target)
        as_json = JsonRequest(dumps(body), body)
        return replace(self._forwarded.build(as_json, target), notes=tuple(notes))

    def open(
        self, wire: WireRequest, identity: AnswerIdentity, *, stream: bool, content_type: str, see: See | None
    ) -> AnswerStream | None:
        return self._forwarded.open(wire, identity, stream=stream, content_type=content_type, see=see)

    def whole(
        self, wire: WireRequest, identity: AnswerIdentity, body: bytes, *, content_type: str, see: See | None
    ) -> WholeAnswer:
        return self._forwarded.whole(wire, identity, body, content_type=content_type, see=see)

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return self._forwarded.failure(status, headers, body)
