"""Embeddings of the engine vertex-gemini.

    models                          method
    gemini-embedding-2, …           embedContent for one input, batchEmbedContents for more
    …-maas, of other makers         embedContent, one input a request
    text-embedding-005, and others  predict

Sources: google-genai 3.4, models.py and _transformers.py, which choose like this; Vertex AI reference,
"PredictionService" (EmbedContent, BatchEmbedContents) and "Text embeddings API"; a recorded predict.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from translators.embeddings.gemini import DIMENSIONS, content, names_taken, own_settings, prompt_tokens
from translators.embeddings.request import EmbeddingRequest
from translators.embeddings.service import Embeddings
from translators.errors import UntranslatableError
from translators.jsontext import count_in, object_in, objects_in
from translators.types import Target, WireRequest

EMBED_PARAMETERS = frozenset({"taskType", "title", DIMENSIONS, "autoTruncate", "documentOcr", "audioTrackExtraction"})
INSTANCE_PARAMETERS = {"taskType": "task_type", "title": "title"}
"""Parameters of predict that stand with each input → their names there."""
PREDICT_PARAMETERS = frozenset({*INSTANCE_PARAMETERS, DIMENSIONS, "autoTruncate"})


class VertexEmbeddings(Embeddings):
    """See Service in base.py."""

    provider = "Vertex AI"

    def build(self, request: EmbeddingRequest, target: Target) -> WireRequest:
        texts = request.texts(self.provider)
        name = target.model.rpartition("/")[2]
        if "maas" in name and len(texts) > 1:
            raise UntranslatableError(f"`input` is a list, and {name} embeds one text a request.", param="input")
        if "gemini" in name or "maas" in name:
            taken = names_taken(request, EMBED_PARAMETERS)
            method, body = embed_call(texts, own_settings(request, EMBED_PARAMETERS))
        else:
            taken = names_taken(request, PREDICT_PARAMETERS)
            method, body = predict_call(texts, own_settings(request, PREDICT_PARAMETERS))
        return self.post(request, target, method, body, taken)

    def read(self, answer: Mapping[str, Any], wire: WireRequest) -> tuple[Sequence[Any], int | None]:
        if "predictions" in answer:
            found = [object_in(prediction.get("embeddings")) for prediction in objects_in(answer["predictions"])]
        elif "embedding" in answer:
            found = [object_in(answer["embedding"])]
        else:
            found = objects_in(answer.get("embeddings"))
        tokens = prompt_tokens(answer)
        return [entry.get("values") for entry in found], counted_tokens(found) if tokens is None else tokens


def embed_call(texts: Sequence[str], settings: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Method and body for the newer models."""
    config = {"embedContentConfig": settings} if settings else {}
    requests = [{"content": content(text), **config} for text in texts]
    return ("embedContent", requests[0]) if len(requests) == 1 else ("batchEmbedContents", {"requests": requests})


def predict_call(texts: Sequence[str], settings: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Method and body for the older models."""
    each = {INSTANCE_PARAMETERS[name]: value for name, value in settings.items() if name in INSTANCE_PARAMETERS}
    parameters = {name: value for name, value in settings.items() if name not in INSTANCE_PARAMETERS}
    body: dict[str, Any] = {"instances": [{"content": text, **each} for text in texts]}
    return "predict", body | ({"parameters": parameters} if parameters else {})


def counted_tokens(embeddings: Sequence[Mapping[str, Any]]) -> int | None:
    """The tokens by the statistics of each embedding; None where there are none."""
    statistics = [object_in(entry.get("statistics")) for entry in embeddings]
    return sum(count_in(entry.get("token_count")) for entry in statistics) if any(statistics) else None
