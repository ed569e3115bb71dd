"""POST /v1/completions, passed through: the endpoint before chats, which base models and code models still have.

A stream of it is a chat's but for the place of the text (OpenAI API reference, "Create completion").
"""

from collections.abc import Mapping
from typing import Any

from translators.azure import Azure
from translators.base import AnswerIdentity, AnswerStream, JsonRequest, See, Service
from translators.forwarded import Forwarded
from translators.json_request import read_object
from translators.openai import Gpt
from translators.openai_through import ThroughStream
from translators.openrouter import OpenRouter
from translators.types import WireRequest


class CompletionStream(ThroughStream):
    """The stream of a completion."""

    def says_something(self, choice: dict[str, Any]) -> bool:
        return bool(choice.get("text"))


class Completions(Forwarded):
    """A Service: see base.py."""

    def open(
        self, wire: WireRequest, identity: AnswerIdentity, *, stream: bool, content_type: str, see: See | None
    ) -> AnswerStream | None:
        # Some hosts stream without saying so; none says that it sends JSON and streams.
        is_stream = "event-stream" in content_type or (stream and "json" not in content_type)
        return CompletionStream(identity) if is_stream else None


def read(body: bytes, content_type: str) -> JsonRequest:
    """Raises RequestError. A prompt is not asked for: without one a model begins with whatever it likes."""
    return JsonRequest(body, read_object(body))


SERVICES: Mapping[str, Service[JsonRequest]] = {
    engine.name: Completions(engine, "/completions") for engine in (Gpt(), OpenRouter(), Azure())
}
