"""Embeddings of the engines with OpenAI's wire: request and answer go through as they came where nothing has to differ.

Hosts of this wire differ in the format of the vectors: some answer in numbers although base64 was asked for, some the
other way round. The client gets what it asked for.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from translators.base import AnswerIdentity, AnswerStream, See, WholeAnswer
from translators.embeddings.hosts import EmbeddingFacts, embedding_facts
from translators.embeddings.request import EmbeddingRequest, Format
from translators.embeddings.service import check_count, how_to_read, read_answer
from translators.embeddings.vectors import in_format
from translators.errors import UpstreamError
from translators.forwarded import Forwarded
from translators.jsontext import dumps, model_replaced, object_in, objects_in, text_in
from translators.openai import Gpt
from translators.openai_adjust import ABSENT, edited, refused_fields, renamed_fields
from translators.openai_events import read_usage
from translators.types import Note, Target, WireRequest

ENDPOINT = "/embeddings"


class OpenAIEmbeddings:
    """A Service: see base.py."""

    def __init__(self, engine: Gpt) -> None:
        self.name = engine.name
        self._forwarded = Forwarded(engine, ENDPOINT)

    def build(self, request: EmbeddingRequest, target: Target) -> WireRequest:
        wire = self._forwarded.build(request, target)
        changes, notes = adjustments(request, embedding_facts(self.name, target.base_url))
        if changes:
            wire = replace(wire, body=dumps(edited({**request.raw, "model": target.model}, changes)), notes=notes)
        return replace(wire, context=how_to_read(request))

    def open(
        self, wire: WireRequest, identity: AnswerIdentity, *, stream: bool, content_type: str, see: See | None
    ) -> AnswerStream | None:
        return None

    def whole(
        self, wire: WireRequest, identity: AnswerIdentity, body: bytes, *, content_type: str, see: See | None
    ) -> WholeAnswer:
        answer = read_answer(body)
        changes = repairs(answer, wire, identity)
        usage = read_usage(changes.get("usage") or answer.get("usage"))
        if changes.keys() == {"model"} and "model" in answer:
            body = model_replaced(body, answer, identity.model) or dumps(answer | changes)
        elif changes:
            body = dumps(answer | changes)
        return WholeAnswer(body, usage)

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return self._forwarded.failure(status, headers, body)


# --- the request ----------------------------------------------------------------------------------------------


def adjustments(request: EmbeddingRequest, facts: EmbeddingFacts) -> tuple[dict[str, Any], tuple[Note, ...]]:
    """The fields that must differ for this host beside the model, and notes about what was left out."""
    notes: list[Note] = []
    changes = renamed_fields(request.raw, facts.fields) | refused_fields(request.raw, facts.fields, notes)
    asked = request.raw.get("encoding_format")
    wanted = "float" if asked == "base64" and not facts.base64 else asked
    if wanted == "float" and not facts.names_float:
        wanted = None
    if wanted != asked:
        changes["encoding_format"] = ABSENT if wanted is None else wanted
    return changes, tuple(notes)


# --- the answer -----------------------------------------------------------------------------------------------


def repairs(answer: Mapping[str, Any], wire: WireRequest, identity: AnswerIdentity) -> dict[str, Any]:
    """The members that must differ from the provider's. Raises UpstreamError if there is no vector for each input."""
    entries = objects_in(answer.get("data"))
    check_count(entries, wire)
    changes: dict[str, Any] = {}
    if answer.get("object") != "list":
        changes["object"] = "list"
    fitting = [fitting_entry(entry, position, wire.context["format"]) for position, entry in enumerate(entries)]
    if any(new is not old for new, old in zip(fitting, entries, strict=True)):
        changes["data"] = fitting
    if identity.renamed or not text_in(answer.get("model")):
        changes["model"] = identity.model
    usage = object_in(answer.get("usage"))
    if "prompt_tokens" not in usage:  # Nothing but the prompt is counted here: Voyage says only the total.
        total = usage.get("total_tokens", 0)
        changes["usage"] = {"prompt_tokens": total, "total_tokens": total, **usage}
    return changes


def fitting_entry(entry: dict[str, Any], position: int, wanted: Format) -> dict[str, Any]:
    """The entry itself where nothing has to differ."""
    vector = in_format(entry.get("embedding"), wanted)
    if vector is entry["embedding"] and "index" in entry:
        return entry
    return {"object": "embedding", "index": position, **entry, "embedding": vector}
