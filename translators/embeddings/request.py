"""A request for embeddings, read (OpenAI API reference, "Create embeddings")."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

from translators.base import JsonRequest
from translators.errors import RequestError, UntranslatableError
from translators.json_request import json_type, read_object
from translators.types import Note

Format = Literal["float", "base64"]

OWN_INPUTS = ("images", "inputs")
"""Cohere's fields, with which there may be no `input`."""
ALWAYS_SAID = frozenset({"model", "input", "encoding_format"})
"""Fields that every engine's answer or request says in some way."""


class EmbeddingRequest(JsonRequest):
    """`inputs`: what gets one vector each: texts, lists of token ids, or objects that only some hosts know; none
    where the client sent Cohere's `images` or `inputs` instead. `encoding_format`: how the client reads vectors."""

    def __init__(self, body: bytes, raw: Mapping[str, Any]) -> None:
        super().__init__(body, raw)
        self.inputs = read_inputs(raw)
        self.dimensions = read_dimensions(raw.get("dimensions"))
        self.encoding_format = read_format(raw.get("encoding_format"))

    def texts(self, provider: str) -> Sequence[str]:
        """The inputs, for a provider that embeds text alone. Raises UntranslatableError for anything else."""
        if not self.inputs:
            raise UntranslatableError(f"`input` is missing: {provider} embeds text and nothing else.", param="input")
        for item in self.inputs:
            if not isinstance(item, str):
                what = "token ids" if isinstance(item, list) else "objects"
                raise UntranslatableError(
                    f"`input` holds {what}, and {provider} embeds text: send the text itself, or ask a model whose "
                    f"provider takes {what}.",
                    param="input",
                )
        return self.inputs

    def left_out(self, taken: Collection[str], provider: str) -> tuple[Note, ...]:
        """Notes about the fields that say something and are not among those that the provider takes."""
        reason = f"embeddings of {provider} have no such parameter"
        return tuple(
            Note(name, reason)
            for name, value in self.raw.items()
            if value and name not in taken and name not in ALWAYS_SAID
        )


def read_request(body: bytes) -> EmbeddingRequest:
    """Raises RequestError, naming the field, if it is no request for embeddings."""
    return EmbeddingRequest(body, read_object(body))


def read_inputs(raw: Mapping[str, Any]) -> list[Any]:
    given = raw.get("input")
    if given is None and any(raw.get(name) for name in OWN_INPUTS):
        return []
    if isinstance(given, list):
        if given and all(type(item) is int for item in given):
            return [given]  # The tokens of one text.
        for position, item in enumerate(given):
            if not isinstance(item, str | dict) and not is_tokens(item):
                path = f"input[{position}]"
                raise RequestError(f"`{path}` must be text or a list of token ids.", param=path)
    elif isinstance(given, str):
        given = [given] if given else []
    else:
        raise RequestError(
            f"`input` must be text, a list of texts, or token ids in one or more lists, not {json_type(given)}.",
            param="input",
        )
    if not given:
        raise RequestError("`input` is empty: there is nothing to embed.", param="input")
    return given


def is_tokens(item: Any) -> bool:
    return isinstance(item, list) and all(type(token) is int for token in item)


def read_dimensions(value: Any) -> int | None:
    if value is None:
        return None
    if type(value) is not int or value < 1:
        raise RequestError("`dimensions` must be a whole number from 1 on.", param="dimensions")
    return value


def read_format(value: Any) -> Format:
    match value:
        case "float" | None:
            return "float"
        case "base64":
            return "base64"
    raise RequestError('`encoding_format` must be "float" or "base64".', param="encoding_format")
