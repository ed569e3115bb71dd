"""Embeddings as OpenAI and everybody after it answer with them (OpenAI API reference, "Embeddings")."""

import struct
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from scripts.demo.brain import tokens
from scripts.demo.media import vector


def texts_of(given: Any) -> list[str]:
    """An `input`: a text, tokens, or a list of either; tokens are told by their numbers."""
    if isinstance(given, str):
        return [given]
    if not isinstance(given, list) or not given:
        return []
    items = [given] if isinstance(given[0], int) else given
    return [item if isinstance(item, str) else " ".join(map(str, item)) for item in items]


def answer(body: Mapping[str, Any], texts: list[str], model: str) -> dict[str, Any]:
    """Numbers, or base64 of them as 32-bit floats where that is asked for."""
    vectors = [vector(text, body.get("dimensions")) for text in texts]
    in_base64 = body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": packed(numbers) if in_base64 else numbers}
        for index, numbers in enumerate(vectors)
    ]
    count = sum(len(tokens(text)) for text in texts)
    return {
        "object": "list",
        "data": data,
        "model": model,
        "usage": {"prompt_tokens": count, "total_tokens": count},
    }


def packed(numbers: list[float]) -> str:
    return b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
