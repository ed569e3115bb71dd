"""Embeddings of the engine gemini: batchEmbedContents (Gemini API reference, "Embeddings"; google-genai 3.4).

Gemini's own parameters go by their own names, in snake or camel case. Each input is a content of its own: parts of one
content would share a vector. Vectors cut by `dimensions` are not normalised by the older models, and not here.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from translators.embeddings.request import EmbeddingRequest
from translators.embeddings.service import Embeddings
from translators.gemini_options import camel
from translators.jsontext import object_in, objects_in
from translators.types import Target, WireRequest

DIMENSIONS = "outputDimensionality"
PARAMETERS = frozenset({"taskType", "title", DIMENSIONS})


class GeminiEmbeddings(Embeddings):
    """See Service in base.py."""

    provider = "Gemini"

    def build(self, request: EmbeddingRequest, target: Target) -> WireRequest:
        model = target.model if "/" in target.model else f"models/{target.model}"
        settings = own_settings(request, PARAMETERS)
        requests = [{"model": model, "content": content(text), **settings} for text in request.texts(self.provider)]
        return self.post(
            request, target, "batchEmbedContents", {"requests": requests}, names_taken(request, PARAMETERS)
        )

    def read(self, answer: Mapping[str, Any], wire: WireRequest) -> tuple[Sequence[Any], int | None]:
        return [entry.get("values") for entry in objects_in(answer.get("embeddings"))], prompt_tokens(answer)


def content(text: str) -> dict[str, Any]:
    return {"role": "user", "parts": [{"text": text}]}


def own_settings(request: EmbeddingRequest, parameters: Collection[str]) -> dict[str, Any]:
    """Google's parameters that the client sent, by their names on the wire; OpenAI's `dimensions` before Google's."""
    settings = {camel(name): value for name, value in request.raw.items() if value is not None}
    settings = {name: value for name, value in settings.items() if name in parameters}
    return settings if request.dimensions is None else settings | {DIMENSIONS: request.dimensions}


def names_taken(request: EmbeddingRequest, parameters: Collection[str]) -> Collection[str]:
    """The client's names of what `own_settings` takes."""
    return {"dimensions", *(name for name in request.raw if camel(name) in parameters)}


def prompt_tokens(answer: Mapping[str, Any]) -> int | None:
    """The tokens by `usageMetadata`, which not every model reports."""
    tokens = object_in(answer.get("usageMetadata")).get("promptTokenCount")
    return tokens if isinstance(tokens, int) else None
