"""Embeddings of the engine cohere: version 2 of Embed (Cohere API reference, "Embed"; cohere 7.3).

Beyond OpenAI's fields it understands Cohere's own: `input_type`, `embedding_types` (one of them, as OpenAI's answer has
one vector an input), `truncate`, `max_tokens`, `priority`, and `images` or `inputs` in place of `input`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from translators.embeddings.request import OWN_INPUTS, EmbeddingRequest
from translators.embeddings.service import Embeddings
from translators.errors import RequestError, UntranslatableError
from translators.jsontext import count_in, object_in
from translators.types import Note, Target, WireRequest

PASSED = ("input_type", "truncate", "max_tokens", "priority", "output_dimension")
TAKEN = frozenset({*PASSED, *OWN_INPUTS, "dimensions", "embedding_types"})
TYPES = ("float", "int8", "uint8", "binary", "ubinary", "base64")


class CohereEmbeddings(Embeddings):
    """See Service in base.py."""

    provider = "Cohere"

    def build(self, request: EmbeddingRequest, target: Target) -> WireRequest:
        given = self._given(request, target)
        kind, note = embedding_type(request)
        body: dict[str, Any] = {
            "model": target.model,
            **given,
            "input_type": "image" if given.keys() == {"images"} else "search_document",
            "embedding_types": ["float" if kind == "base64" else kind],
        }
        body |= {name: request.raw[name] for name in PASSED if request.raw.get(name) is not None}
        if request.dimensions is not None:
            body["output_dimension"] = request.dimensions
        wire = self.post(request, target, "/embed", body, TAKEN)
        reading = {"type": body["embedding_types"][0], "count": sum(map(len, given.values()))}
        if kind == "base64":
            reading["format"] = "base64"
        return replace(wire, notes=(*wire.notes, *note), context={**wire.context, **reading})

    def _given(self, request: EmbeddingRequest, target: Target) -> dict[str, Sequence[Any]]:
        """What is to be embedded, by Cohere's name of it: there is one kind of it a request, as Cohere has it."""
        given: dict[str, Sequence[Any]] = {"input": request.inputs} if request.inputs else {}
        for name in OWN_INPUTS:
            value = request.raw.get(name) or []
            if not isinstance(value, list):
                raise RequestError(f"`{name}` must be a list.", param=name)
            if value:
                given[name] = value
        if len(given) > 1:
            *_, extra = given
            names = " and ".join(f"`{name}`" for name in given)
            raise UntranslatableError(f"There are {names}; Cohere takes one of them a request.", param=extra)
        pictured = "images" in given or ("inputs" in given and b'"image_url"' in request.body)
        if pictured and not target.image:
            raise UntranslatableError("This provider is configured without images.", param=next(iter(given)))
        return {"texts": request.texts(self.provider)} if "input" in given else given

    def read(self, answer: Mapping[str, Any], wire: WireRequest) -> tuple[Sequence[Any], int | None]:
        vectors = object_in(answer.get("embeddings")).get(wire.context["type"])
        billed = object_in(object_in(answer.get("meta")).get("billed_units"))
        tokens = [count_in(billed[name]) for name in ("input_tokens", "image_tokens") if name in billed]
        return vectors if isinstance(vectors, list) else [], sum(tokens) if tokens else None


def embedding_type(request: EmbeddingRequest) -> tuple[str, tuple[Note, ...]]:
    """The type of the numbers, and a note where the client asked for more than one. Raises RequestError."""
    types = request.raw.get("embedding_types") or ["float"]
    if not isinstance(types, list) or types[0] not in TYPES:
        raise RequestError(f"`embedding_types` must be a list with one of {', '.join(TYPES)}.", param="embedding_types")
    note = Note("embedding_types", f"OpenAI's answer has one vector an input: {types[0]}")
    return types[0], (note,) if len(types) > 1 else ()
