"""What all engines' embeddings have in common: one whole answer, a vector for each input, OpenAI's form of it."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from translators.base import AnswerIdentity, AnswerStream, See, WholeAnswer
from translators.embeddings.request import EmbeddingRequest
from translators.embeddings.vectors import in_format
from translators.errors import Kind, UpstreamError
from translators.failures import failure_inside_answer, reports_failure
from translators.forwarded import Host
from translators.jsontext import dumps, loads_object
from translators.types import Target, Usage, WireRequest

HEADERS = {"content-type": "application/json", "accept": "application/json"}


class Embeddings(ABC):
    """A Service (see base.py) of an engine whose wire is not OpenAI's."""

    provider: str
    """What a person calls it."""

    def __init__(self, engine: Host) -> None:
        self.name = engine.name
        self._engine = engine

    @abstractmethod
    def build(self, request: EmbeddingRequest, target: Target) -> WireRequest:
        """See Service."""

    @abstractmethod
    def read(self, answer: Mapping[str, Any], wire: WireRequest) -> tuple[Sequence[Any], int | None]:
        """The vectors in an answer, in the order of the inputs, and the tokens that were embedded; None: not said."""

    def post(
        self, request: EmbeddingRequest, target: Target, call: str, body: Mapping[str, Any], taken: Collection[str]
    ) -> WireRequest:
        """A request with this body. `call`: the end of the address, as the engine's `url` takes it; `taken`: the
        client's fields that are in the body, beside those that always are."""
        return WireRequest(
            method="POST",
            url=self._engine.url(target, call),
            headers=HEADERS,
            credentials=self._engine.credentials(target),
            body=dumps(body),
            notes=request.left_out(taken, self.provider),
            context=how_to_read(request),
        )

    def open(
        self, wire: WireRequest, identity: AnswerIdentity, *, stream: bool, content_type: str, see: See | None
    ) -> AnswerStream | None:
        return None

    def whole(
        self, wire: WireRequest, identity: AnswerIdentity, body: bytes, *, content_type: str, see: See | None
    ) -> WholeAnswer:
        vectors, tokens = self.read(read_answer(body), wire)
        check_count(vectors, wire)
        wanted = wire.context["format"]
        answer = {
            "object": "list",
            "data": [
                {"object": "embedding", "index": index, "embedding": in_format(vector, wanted)}
                for index, vector in enumerate(vectors)
            ],
            "model": identity.model,
            "usage": {"prompt_tokens": tokens or 0, "total_tokens": tokens or 0},
        }
        return WholeAnswer(dumps(answer), None if tokens is None else Usage(prompt=tokens, total=tokens))

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return self._engine.failure(status, headers, body)


def how_to_read(request: EmbeddingRequest) -> dict[str, Any]:
    """What reading the answer takes, for the context: the vectors' format, and how many there have to be (0: not
    known)."""
    return {"format": request.encoding_format, "count": len(request.inputs)}


def read_answer(body: bytes) -> dict[str, Any]:
    """Raises UpstreamError if it is no JSON object, or reports a failure."""
    if not body.strip():
        raise UpstreamError(Kind.EMPTY, "The provider answered with an empty body.")
    answer = loads_object(body)
    if answer is None:
        raise UpstreamError(Kind.MALFORMED, "The provider's answer is no JSON object.")
    if reports_failure(answer):
        raise failure_inside_answer(answer)
    return answer


def check_count(vectors: Sequence[Any], wire: WireRequest) -> None:
    """Raises UpstreamError unless there is a vector for each input: which is whose would be a guess."""
    count = wire.context["count"] or max(1, len(vectors))
    if len(vectors) != count:
        raise UpstreamError(Kind.MALFORMED, f"The provider's answer has {len(vectors)} embeddings for {count} inputs.")
