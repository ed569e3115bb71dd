"""Reasoning that clients lose: kept for a while by the ids of the tool calls that it led to.

Claude wants its thinking back before the calls that it made, Gemini its thought signatures on them; a plain OpenAI
client sends neither. What an answer held is remembered here and put back into the next request, for the client and the
engine that it came from and for nobody else: other engines refuse it, other clients have no business with it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cachetools import TTLCache

from translators.base import ClientRequest
from translators.jsontext import dumps
from translators.types import ChatRequest, Event, Finished, Message, ThinkingBlock, ToolCall, ToolCallStart

BYTES = 64 * 1024 * 1024
SECONDS = 4 * 3600.0
"""How much is kept, and for how long; a conversation that rests longer goes on without its old reasoning."""
OVERHEAD = 200
"""Bytes that an entry takes besides what is in it, about."""

SAME_SIGNATURES = {"vertex-claude": "claude"}
"""Engines whose reasoning another takes as its own (Claude documentation, "Extended thinking": signatures are
compatible across platforms)."""

Blocks = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """What belongs to one call: the reasoning of its message, and the call's own extra fields."""

    thinking: Blocks
    extra: Mapping[str, Any]
    size: int


@dataclass(slots=True)
class Said:
    """One choice of an answer, as far as it is of interest."""

    thinking: list[Mapping[str, Any]] = field(default_factory=list)
    calls: dict[str, Mapping[str, Any]] = field(default_factory=dict)


class ReasoningStore:
    """Shared by all clients. `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float], *, size: int = BYTES, seconds: float = SECONDS) -> None:
        self._kept: TTLCache[tuple[str, str, str], Kept] = TTLCache(
            maxsize=size, ttl=seconds, timer=clock, getsizeof=lambda kept: kept.size
        )

    def watch(self, client: str, engine: str) -> "Watch":
        """Something that sees the events of one answer of `engine` to `client`."""
        return Watch(self, client, family(engine))

    def keep(self, client: str, engine: str, said: Said) -> None:
        """Remember a choice that is complete."""
        thinking = tuple(said.thinking)
        for id_, extra in said.calls.items():
            if id_ and (thinking or extra):
                size = len(dumps([*thinking, extra])) + OVERHEAD
                if size <= self._kept.maxsize:
                    self._kept[client, engine, id_] = Kept(thinking, extra, size)

    def restore(self, request: ClientRequest, *, client: str, engine: str) -> ClientRequest:
        """The request with what this client has lost of this engine's reasoning; the same one if nothing is missing."""
        if not self._kept or b'"tool_calls"' not in request.body:
            return request
        messages = tuple(self._restored(message, client, family(engine)) for message in request.chat.messages)
        if all(before is after for before, after in zip(request.chat.messages, messages, strict=True)):
            return request
        chat = replace(request.chat, messages=messages)

        def restored(raw: Mapping[str, Any]) -> ChatRequest:
            return chat

        return ClientRequest(request.body, request.raw, restored)

    def _restored(self, message: Message, client: str, engine: str) -> Message:
        kept = {call.id: self._kept.get((client, engine, call.id)) for call in message.tool_calls}
        found = [each for each in kept.values() if each]
        if not found:
            return message
        calls = tuple(completed(call, kept[call.id]) for call in message.tool_calls)
        thinking = message.thinking or found[0].thinking
        if thinking is message.thinking and all(a is b for a, b in zip(calls, message.tool_calls, strict=True)):
            return message
        return replace(message, thinking=thinking, tool_calls=calls)


class Watch:
    """Sees an answer's events, in any portions, and has each choice remembered when it is finished."""

    def __init__(self, store: ReasoningStore, client: str, engine: str) -> None:
        self._store = store
        self._client = client
        self._engine = engine
        self._choices: dict[int, Said] = {}

    def see(self, events: Iterable[Event]) -> None:
        for event in events:
            match event:
                case ThinkingBlock(block, choice):
                    self._choices.setdefault(choice, Said()).thinking.append(block)
                case ToolCallStart(_, id_, _, choice, extra):
                    self._choices.setdefault(choice, Said()).calls[id_] = extra
                case Finished(_, choice) if choice in self._choices:
                    self._store.keep(self._client, self._engine, self._choices.pop(choice))


def completed(call: ToolCall, kept: Kept | None) -> ToolCall:
    """The call with the extra fields that it has lost; what the client sent goes before what was kept."""
    if kept is None or kept.extra.keys() <= call.extra.keys():
        return call
    return replace(call, extra={**kept.extra, **call.extra})


def family(engine: str) -> str:
    return SAME_SIGNATURES.get(engine, engine)
