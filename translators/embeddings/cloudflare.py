"""Embeddings of the engine cloudflare: OpenAI's wire, or Workers AI's own where base_url ends in /ai/run.

The latter: {"text": […]} → {"result": {"data": [[…]], "shape": […]}, "success": true} (Cloudflare documentation, pages
of the models bge-base-en-v1.5 and bge-m3). The vectors' length is the model's own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from translators.base import AnswerIdentity, AnswerStream, See, Service, WholeAnswer
from translators.cloudflare import Cloudflare
from translators.embeddings.openai_wire import ENDPOINT, OpenAIEmbeddings
from translators.embeddings.request import EmbeddingRequest
from translators.embeddings.service import Embeddings
from translators.errors import UpstreamError
from translators.jsontext import object_in
from translators.openai_events import read_usage
from translators.types import Target, WireRequest

PASSED = frozenset({"pooling", "truncate_inputs", "instruction"})
"""Parameters of Workers AI's own; models take some of them."""


class RunEmbeddings(Embeddings):
    """Workers AI's own wire. See Service in base.py."""

    provider = "Workers AI"

    def build(self, request: EmbeddingRequest, target: Target) -> WireRequest:
        body: dict[str, Any] = {"text": request.texts(self.provider)}
        body |= {name: value for name, value in request.raw.items() if name in PASSED and value is not None}
        return self.post(request, target, ENDPOINT, body, PASSED)

    def read(self, answer: Mapping[str, Any], wire: WireRequest) -> tuple[Sequence[Any], int | None]:
        result = object_in(answer.get("result"))
        vectors = result.get("data")
        usage = read_usage(result.get("usage"))
        return vectors if isinstance(vectors, list) else [], usage.prompt if usage else None


class CloudflareEmbeddings:
    """Either wire, by the address. See Service in base.py."""

    def __init__(self, engine: Cloudflare) -> None:
        self.name = engine.name
        self._url = engine.url
        self._compatible = OpenAIEmbeddings(engine)
        self._run = RunEmbeddings(engine)

    def build(self, request: EmbeddingRequest, target: Target) -> WireRequest:
        return self._speaking(self._url(target, ENDPOINT)).build(request, target)

    def open(
        self, wire: WireRequest, identity: AnswerIdentity, *, stream: bool, content_type: str, see: See | None
    ) -> AnswerStream | None:
        return None

    def whole(
        self, wire: WireRequest, identity: AnswerIdentity, body: bytes, *, content_type: str, see: See | None
    ) -> WholeAnswer:
        return self._speaking(wire.url).whole(wire, identity, body, content_type=content_type, see=see)

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return self._compatible.failure(status, headers, body)

    def _speaking(self, url: str) -> Service[EmbeddingRequest]:
        return self._run if "/ai/run/" in url else self._compatible
