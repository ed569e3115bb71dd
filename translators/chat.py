"""Chat as each engine offers it: an engine's wire on one side, a client's dialect on the other."""

from collections.abc import Mapping

from translators import DIALECTS, ENGINES
from translators.base import (
    AnswerIdentity,
    AnswerStream,
    ClientRequest,
    Dialect,
    See,
    Service,
    Translator,
    WholeAnswer,
)
from translators.errors import UpstreamError
from translators.relay import open_stream, whole_answer
from translators.types import Target, WireRequest


class Chat:
    """A Service: see base.py."""

    def __init__(self, translator: Translator, dialect: Dialect) -> None:
        self.name = translator.name
        self._translator = translator
        self._dialect = dialect

    def build(self, request: ClientRequest, target: Target) -> WireRequest:
        return self._translator.build(request, target)

    def open(
        self, wire: WireRequest, identity: AnswerIdentity, *, stream: bool, content_type: str, see: See | None
    ) -> AnswerStream | None:
        if not stream:
            return None
        # Some hosts stream without saying so; none says that it sends JSON and streams.
        arrives_as_stream = "event-stream" in content_type or "json" not in content_type
        return open_stream(
            self._translator, self._dialect, wire, identity, arrives_as_stream=arrives_as_stream, see=see
        )

    def whole(
        self, wire: WireRequest, identity: AnswerIdentity, body: bytes, *, content_type: str, see: See | None
    ) -> WholeAnswer:
        arrives_as_stream = "event-stream" in content_type
        return whole_answer(
            self._translator, self._dialect, wire, identity, body, arrives_as_stream=arrives_as_stream, see=see
        )

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return self._translator.failure(status, headers, body)


OPENAI_CHAT: Mapping[str, Service[ClientRequest]] = {
    engine: Chat(translator, DIALECTS["openai-chat"]) for engine, translator in ENGINES.items()
}
