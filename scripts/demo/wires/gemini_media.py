"""Google's wire, what is no text: pictures by generateContent and by predict, vectors by two more methods.

Gemini API reference, "Generating content", "Embeddings"; Vertex AI documentation, "Imagen API", "Text embeddings API".
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from scripts.demo.brain import tokens
from scripts.demo.example import as_json
from scripts.demo.media import FORBIDDEN, picture, vector
from scripts.demo.wires.base import new_id

MOST_PICTURES = 4
PICTURING = "gemini-3-pro-image-simulated"
IMAGEN = "imagen-4.0-simulated"
EMBEDDING = "gemini-embedding-simulated"
TEXT_EMBEDDING = "text-embedding-simulated"
"""Vertex's older one."""


def pictured(body: Mapping[str, Any], model: str) -> dict[str, Any]:
    """A picture after a prompt, and after the pictures beside it."""
    parts = body["contents"][-1]["parts"]
    prompt = " ".join(part["text"] for part in parts if "text" in part)
    files = [b64decode(part["inlineData"]["data"]) for part in parts if "inlineData" in part]
    counts = {"TEXT": len(tokens(prompt)), "IMAGE": 258 * len(files)}
    usage = {
        "promptTokenCount": sum(counts.values()),
        "candidatesTokenCount": 1120,
        "totalTokenCount": sum(counts.values()) + 1120,
        "promptTokensDetails": [{"modality": kind, "tokenCount": count} for kind, count in counts.items() if count],
    }
    candidate: dict[str, Any] = {"finishReason": "IMAGE_SAFETY", "index": 0}
    if FORBIDDEN not in prompt.lower():
        shape = as_json(body.get("generationConfig", {}).get("imageConfig", {}))
        data = b64encode(picture(prompt, shape, *files)).decode()
        part = {"inlineData": {"mimeType": "image/png", "data": data}}
        candidate |= {"content": {"parts": [part], "role": "model"}, "finishReason": "STOP"}
    identity = {"modelVersion": model, "responseId": new_id("", 22)}
    return {"candidates": [candidate], "usageMetadata": usage, **identity}


def predicted(body: Mapping[str, Any]) -> dict[str, Any]:
    """Imagen's pictures: nothing but the reason where the filter finds one. Raises ValueError for too many."""
    prompt, parameters = body["instances"][0]["prompt"], body.get("parameters", {})
    if FORBIDDEN in prompt.lower():
        return {"predictions": [{"raiFilteredReason": "The simulator's filter found forbidden words."}]}
    shape = parameters.get("aspectRatio", "1:1")
    count = parameters.get("sampleCount", 1)
    if not 1 <= count <= MOST_PICTURES:
        raise ValueError(f"{count} pictures")
    made = [picture(prompt, shape, number) for number in range(count)]
    return {"predictions": [{"mimeType": "image/png", "bytesBase64Encoded": b64encode(data).decode()} for data in made]}


def all_embedded(requests: list[Mapping[str, Any]]) -> dict[str, Any]:
    """The vectors of many contents."""
    found = [embedded(request) for request in requests]
    count = sum(one["usageMetadata"]["promptTokenCount"] for one in found)
    return {"embeddings": [one["embedding"] for one in found], "usageMetadata": {"promptTokenCount": count}}


def embedded(request: Mapping[str, Any]) -> dict[str, Any]:
    """The vector of one content."""
    text = " ".join(part["text"] for part in request["content"]["parts"])
    config = request.get("embedContentConfig", request)
    return {
        "embedding": {"values": vector(text, config.get("outputDimensionality"))},
        "usageMetadata": {"promptTokenCount": len(tokens(text))},
    }


def predicted_vectors(body: Mapping[str, Any]) -> dict[str, Any]:
    """The same by the older method."""
    dimensions = body.get("parameters", {}).get("outputDimensionality")
    return {
        "predictions": [
            {
                "embeddings": {
                    "values": vector(instance["content"], dimensions),
                    "statistics": {"token_count": len(tokens(instance["content"])), "truncated": False},
                }
            }
            for instance in body["instances"]
        ]
    }
