"""An endpoint of providers that speak OpenAI's wire: the request goes through as it came, and so does the answer.

Only the model's name is changed, where the channel renames it; everything the client sent reaches the provider.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from translators.base import AnswerIdentity, AnswerStream, ApiRequest, See, WholeAnswer
from translators.errors import Kind, UpstreamError
from translators.failures import failure_inside_answer, reports_failure
from translators.jsontext import dumps, loads_object, model_replaced
from translators.openai_events import read_usage
from translators.types import Target, WireRequest


class Host(Protocol):
    """An engine whose endpoints are OpenAI's."""

    name: str

    def url(self, target: Target, endpoint: str) -> str: ...

    def credentials(self, target: Target) -> Mapping[str, str]: ...

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError: ...


class Forwarded:
    """A Service (see base.py): one endpoint, "/embeddings", of an engine with OpenAI's wire.

    `events`: how an answer is watched that comes as server-sent events, where the endpoint has such.
    """

    def __init__(
        self, engine: Host, endpoint: str, events: Callable[[AnswerIdentity], AnswerStream] | None = None
    ) -> None:
        self.name = engine.name
        self._engine = engine
        self._endpoint = endpoint
        self._events = events

    def build(self, request: ApiRequest, target: Target) -> WireRequest:
        body, splice = request.with_model(target.model)
        return WireRequest(
            method="POST",
            url=self._engine.url(target, self._endpoint),
            headers={
                "content-type": request.content_type,
                "accept": "text/event-stream" if request.stream else "*/*",
            },
            credentials=self._engine.credentials(target),
            body=body,
            splice=splice,
        )

    def open(
        self, wire: WireRequest, identity: AnswerIdentity, *, stream: bool, content_type: str, see: See | None
    ) -> AnswerStream | None:
        if self._events is None or "event-stream" not in content_type:
            return None
        return self._events(identity)

    def whole(
        self, wire: WireRequest, identity: AnswerIdentity, body: bytes, *, content_type: str, see: See | None
    ) -> WholeAnswer:
        if not body:
            raise UpstreamError(Kind.EMPTY, "The provider answered with an empty body.")
        if "html" in content_type:
            raise UpstreamError(Kind.MALFORMED, "The provider answered with an HTML page: its base_url may be wrong.")
        if "json" not in content_type:
            return WholeAnswer(body, None, content_type)
        answer = loads_object(body)
        if answer is None:
            raise UpstreamError(Kind.MALFORMED, "The provider's answer is no JSON object.")
        if reports_failure(answer):
            raise failure_inside_answer(answer)
        if identity.renamed and "model" in answer:
            body = model_replaced(body, answer, identity.model) or dumps(answer | {"model": identity.model})
        return WholeAnswer(body, read_usage(answer.get("usage")))

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return self._engine.failure(status, headers, body)
