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
from translators.errors import UpstreamError
from translators.failures import read_failure
from translators.hosts import Facts, host_facts
from translators.jsontext import dumps
from translators.openai_adjust import adjustments, edited
from translators.openai_answer import ChunkWriter, fold
from translators.openai_events import ChunkReader, whole_events
from translators.openai_request import read_request
from translators.openai_through import ThroughStream, through_whole
from translators.relay import READ_ANSWER
from translators.types import Event, Note, Target, WireRequest
from translators.urls import prefix

CHAT_ENDPOINT = "/chat/completions"


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
    """The engine: any provider with OpenAI's wire. Engines with this wire and an address of their own build on it."""

    name = "gpt"
    speaks: str | None = "openai-chat"

    def build(self, request: ClientRequest, target: Target) -> WireRequest:
        changes, notes = self.changes(request, target)
        return WireRequest(
            method="POST",
            url=self.url(target, CHAT_ENDPOINT),
            headers={
                "content-type": "application/json",
                "accept": "text/event-stream" if request.stream else "application/json",
            },
            credentials=self.credentials(target),
            body=dumps(edited(request.raw, changes)) if changes else request.body,
            notes=notes,
            context=READ_ANSWER if self.facts(target).answers_in_parts else {},
        )

    def url(self, target: Target, endpoint: str) -> str:
        """The address of an endpoint, which is its path behind the prefix: "/embeddings"."""
        return prefix(target.base_url) + endpoint

    def credentials(self, target: Target) -> dict[str, str]:
        """The headers with the key in them."""
        return {"authorization": f"Bearer {target.key}"} if target.key else {}

    def facts(self, target: Target) -> Facts:
        """What the provider takes for this model."""
        return host_facts(target.base_url, target.model)

    def changes(self, request: ClientRequest, target: Target) -> tuple[dict[str, Any], tuple[Note, ...]]:
        """The fields that must differ from the client's, and notes about what was left out."""
        return adjustments(request, target, self.facts(target))

    def parse(self, body: bytes, wire: WireRequest) -> list[Event]:
        return whole_events(body)

    def stream(self, wire: WireRequest) -> StreamTranslator:
        return ChunkReader()

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return read_failure(status, headers, body)
