"""Vectors as a client reads them: numbers, or base64 of the same numbers in 32 bits each, little-endian, which is what
OpenAI sends and its SDKs ask for unless told otherwise (openai-python, resources/embeddings.py)."""

import struct
from base64 import b64decode, b64encode
from math import isfinite
from typing import Any

from translators.embeddings.request import Format
from translators.errors import Kind, UpstreamError

BYTES_OF_A_NUMBER = 4


def in_format(vector: Any, wanted: Format) -> Any:
    """A provider's vector in the format that is wanted: itself where it is in that already, and otherwise written
    anew. Raises UpstreamError if it is no vector."""
    if not vector or not isinstance(vector, list | str):
        raise UpstreamError(Kind.MALFORMED, "The provider's answer has an embedding without numbers in it.")
    if isinstance(vector, str):
        return vector if wanted == "base64" else numbers_of(vector)
    return vector if wanted == "float" else base64_of(vector)


def base64_of(numbers: list[Any]) -> str:
    """Raises UpstreamError if they are no numbers, or too great for 32 bits."""
    try:
        return b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
    except (struct.error, OverflowError) as error:
        raise UpstreamError(Kind.MALFORMED, f"The provider's embedding is no list of numbers: {error}.") from None


def numbers_of(text: str) -> list[float]:
    """Raises UpstreamError if it is not base64 of numbers that JSON can say."""
    try:
        data = b64decode(text, validate=True)
        numbers = struct.unpack(f"<{len(data) // BYTES_OF_A_NUMBER}f", data)
    except (ValueError, struct.error) as error:
        raise UpstreamError(Kind.MALFORMED, f"The provider's embedding is not base64 of numbers: {error}.") from None
    if not all(map(isfinite, numbers)):
        raise UpstreamError(Kind.MALFORMED, "The provider's embedding holds numbers that are none.")
    return list(numbers)
