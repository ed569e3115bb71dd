"""The engine cloudflare: Workers AI, by its endpoint with OpenAI's wire, which knows tools, JSON schemas and streams.

    base_url                          the endpoint
    none, or a host                   …/client/v4/accounts/<account>/ai/v1/chat/completions
    …/ai/v1, a gateway's …/compat     behind it
    …/ai/run                          …/ai/run/<model>: Workers AI's own wire, if the user wants that

Answers differ from OpenAI's, so they are read and written anew: content that is an object (an answer to a JSON
schema), arguments that are objects, usage that comes twice, the second time as zeros. Workers AI's own wire wraps
everything in `result`, says `response` for the text, and streams `data: {"response": "…"}`; newer models mix both
(Cloudflare documentation, "OpenAI compatible API endpoints", "Workers AI REST API").
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from translators.base import ClientRequest, StreamTranslator
from translators.hosts import CLOUDFLARE, Facts
from translators.jsontext import dumps, loads_object, object_in, objects_in, text_in
from translators.openai import CHAT_ENDPOINT, Gpt
from translators.openai_adjust import ABSENT
from translators.openai_events import ChunkReader, whole_events
from translators.types import Event, Note, Target, UsageReport, WireRequest
from translators.urls import ENDPOINT

HOST = "https://api.cloudflare.com"
API = "/client/v4"
ACCOUNT = re.compile(r"(.*/accounts/[^/]+)(/ai)?")
RUN = re.compile(r"(.*/ai/run)(/.*)?")


class Cloudflare(Gpt):
    """The engine: Workers AI."""

    name = "cloudflare"
    speaks: str | None = None

    def url(self, target: Target, endpoint: str) -> str:
        base = (target.base_url or HOST).split("?", 1)[0].rstrip("/")
        if ENDPOINT.search(base):
            return ENDPOINT.sub("", base) + endpoint
        if run := RUN.fullmatch(base):
            return f"{run[1]}/{target.model}"
        if not urlsplit(base).path:
            base += API
        if account := ACCOUNT.fullmatch(base):
            base = account[1] + "/ai/v1"
        elif not base.endswith(("/v1", "/compat")):
            base += f"/accounts/{target.account}/ai/v1"
        return base + endpoint

    def facts(self, target: Target) -> Facts:
        return CLOUDFLARE

    def changes(self, request: ClientRequest, target: Target) -> tuple[dict[str, Any], tuple[Note, ...]]:
        changes, notes = super().changes(request, target)
        if "/ai/run/" in self.url(target, CHAT_ENDPOINT):
            changes |= {"model": ABSENT, "stream_options": ABSENT}
        return changes, notes

    def parse(self, body: bytes, wire: WireRequest) -> list[Event]:
        answer = loads_object(body)
        if answer is None or "choices" in answer or answer.get("success") is False:
            return whole_events(body)
        return whole_events(dumps(unwrapped(answer)))

    def stream(self, wire: WireRequest) -> StreamTranslator:
        return RunReader()


class RunReader(ChunkReader):
    """A stream in either wire: pieces of Workers AI's own are read as the chunks that they stand for."""

    def __init__(self) -> None:
        super().__init__()
        self._counted = False
        self._pieces = 0

    def _chunk(self, chunk: dict[str, Any]) -> Iterator[Event]:
        self._pieces += 1
        for event in super()._chunk(chunk if "choices" in chunk else native_chunk(chunk, self._pieces)):
            if isinstance(event, UsageReport):
                if self._counted and not (event.usage.prompt or event.usage.completion):
                    continue
                self._counted = True
            yield event


def native_chunk(piece: Mapping[str, Any], number: int) -> dict[str, Any]:
    """A piece of Workers AI's own stream as OpenAI's chunk; the last one, with usage alone, has no choice."""
    delta = native_message(piece, number)
    chunk: dict[str, Any] = {"choices": [{"index": 0, "delta": delta}] if delta else []}
    if piece.get("usage"):
        chunk["usage"] = piece["usage"]
    return chunk


def unwrapped(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Workers AI's own answer as OpenAI's."""
    result = object_in(answer.get("result")) or dict(answer)
    if "choices" in result:
        return result
    message = native_message(result, 1)
    choices = [{"index": 0, "message": message, "finish_reason": "tool_calls" if "tool_calls" in message else "stop"}]
    return {"choices": choices if message else [], "usage": result.get("usage")}


def native_message(source: Mapping[str, Any], piece: int) -> dict[str, Any]:
    """`response` and `tool_calls` as the message that they stand for; empty if they say nothing."""
    message: dict[str, Any] = {}
    if source.get("response") not in (None, ""):
        message["content"] = source["response"]
    calls = objects_in(source.get("tool_calls"))
    if calls:
        message["tool_calls"] = [native_call(call, f"call_{piece}_{i}") for i, call in enumerate(calls, 1)]
    return message


def native_call(call: Mapping[str, Any], id_: str) -> dict[str, Any]:
    """A call, which Workers AI's own wire writes without an id, and without an object around name and arguments."""
    if "function" in call:
        return dict(call)
    return {
        "id": text_in(call.get("id")) or id_,
        "type": "function",
        "function": {"name": call.get("name"), "arguments": call.get("arguments")},
    }
