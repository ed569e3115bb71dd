"""The engine gpt: providers that speak OpenAI's Chat Completions themselves, and the dialect of OpenAI's clients.

The same wire on both sides: the body goes through as it came, unknown fields included, and is written anew only where
something must differ (the model's name, usage asked for, what only other engines understand).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from translators.base import (
    AnswerIdentity,
    AnswerStream,
    AnswerWriter,
    ClientRequest,
    StreamTranslator,
    WholeAnswer,
)
from translators.errors import RequestError, UpstreamError
from translators.failures import read_failure
from translators.jsontext import dumps
from translators.openai_answer import ChunkWriter, fold
from translators.openai_events import ChunkReader, whole_events
from translators.openai_request import read_request
from translators.openai_through import ThroughStream, through_whole
from translators.types import Event, Note, Target, WireRequest
from translators.urls import prefix


class OpenAIChat:
    """The dialect: clients of /v1/chat/completions."""

    name = "openai-chat"

    def read(self, body: bytes) -> ClientRequest:
        return read_request(body)

    def writer(self, identity: AnswerIdentity) -> AnswerWriter:
        return ChunkWriter(identity)

    def fold(self, events: Sequence[Event], identity: AnswerIdentity) -> bytes:
        return fold(events, identity)

    def through(self, identity: AnswerIdentity) -> AnswerStream:
        return ThroughStream(identity)

    def through_whole(self, body: bytes, identity: AnswerIdentity) -> WholeAnswer:
        return through_whole(body, identity)


class Gpt:
    """The engine: any provider with OpenAI's wire."""

    name = "gpt"
    speaks: str | None = "openai-chat"

    def build(self, request: ClientRequest, target: Target) -> WireRequest:
        changes, notes = adjustments(request, target)
        return WireRequest(
            method="POST",
            url=prefix(target.base_url) + "/chat/completions",
            headers={
                "content-type": "application/json",
                "accept": "text/event-stream" if request.stream else "application/json",
            },
            credentials={"authorization": f"Bearer {target.key}"} if target.key else {},
            body=dumps(edited(request.raw, changes)) if changes else request.body,
            notes=notes,
        )

    def parse(self, body: bytes, wire: WireRequest) -> list[Event]:
        return whole_events(body)

    def stream(self, wire: WireRequest) -> StreamTranslator:
        return ChunkReader()

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return read_failure(status, headers, body)


# --- request --------------------------------------------------------------------------------------------------

ABSENT = object()
"""Marks a field that has to go."""


def edited(raw: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the request with some fields replaced, added or gone, everything else in its place."""
    return {name: value for name, value in {**raw, **changes}.items() if value is not ABSENT}


def adjustments(request: ClientRequest, target: Target) -> tuple[dict[str, Any], tuple[Note, ...]]:
    """The fields that must differ for this target, and notes about what was left out. Raises RequestError."""
    changes: dict[str, Any] = {}
    notes: list[Note] = []
    if target.model != request.model:
        changes["model"] = target.model
    if request.stream and not request.include_usage:
        # For the statistics; the client, who did not ask, does not see it.
        options = request.raw.get("stream_options") or {}
        if not isinstance(options, dict):
            raise RequestError("`stream_options` must be an object.", param="stream_options")
        changes["stream_options"] = {**options, "include_usage": True}
    if not target.tools and request.raw.get("tools"):
        changes |= dict.fromkeys(("tools", "tool_choice", "parallel_tool_calls"), ABSENT)
        notes.append(Note("tools", "this provider is configured without tools"))
    messages = adjusted_messages(request, target, notes)
    if messages is not None:
        changes["messages"] = messages
    return changes, tuple(notes)


def adjusted_messages(request: ClientRequest, target: Target, notes: list[Note]) -> list[Any] | None:
    """The messages without what this wire does not take; None where nothing has to go.

    A look at the bytes comes first: most requests have nothing of the kind, and may be long.
    """
    body = request.body
    replayed = b'"thinking_blocks"' in body or (b'"tool_calls"' in body and b'"index"' in body)
    pictured = not target.image and b'"image_url"' in body
    if not (replayed or pictured):
        return None
    messages = [without_artefacts(message) for message in request.raw["messages"]]
    if pictured:
        messages = [without_images(message, f"messages[{i}]", notes) for i, message in enumerate(messages)]
    return messages if messages != request.raw["messages"] else None


def without_artefacts(message: Any) -> Any:
    """Without what clients copy from answers and OpenAI's wire refuses: thinking blocks, positions of tool calls."""
    if not isinstance(message, dict):
        return message
    kept = {name: value for name, value in message.items() if name != "thinking_blocks"}
    if isinstance(kept.get("tool_calls"), list):
        kept["tool_calls"] = [
            {name: value for name, value in call.items() if name != "index"} if isinstance(call, dict) else call
            for call in kept["tool_calls"]
        ]
    return kept


def without_images(message: Any, path: str, notes: list[Note]) -> Any:
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, list):
        return message
    kept = [item for item in content if not (isinstance(item, dict) and item.get("type") == "image_url")]
    if len(kept) == len(content):
        return message
    notes.append(Note(f"{path}.content", "this provider is configured without images"))
    return {**message, "content": kept or ""}  # An empty list is refused.
