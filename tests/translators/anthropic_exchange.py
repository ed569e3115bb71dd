"""Short ways to the engine claude for its tests: a request built, an answer read."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from translators.anthropic import Claude
from translators.base import AnswerIdentity
from translators.openai import OpenAIChat
from translators.openai_request import read_request
from translators.relay import open_stream
from translators.types import Event, Target, WireRequest

FIXTURES = Path(__file__).parents[1] / "fixtures" / "anthropic"

MODEL = "claude-sonnet-4-5"
USER = {"role": "user", "content": "Hello"}
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}


def wire(request: Mapping[str, Any], *, base_url: str = "", key: str = "", **target: Any) -> WireRequest:
    """What the engine makes of a client's request; `target` are fields of Target."""
    request = {"model": MODEL, "messages": [USER], **request}
    destination = {"base_url": base_url, "model": request["model"], "alias": request["model"], "key": key, **target}
    return Claude().build(read_request(json.dumps(request).encode()), Target(**destination))


def body(request: Mapping[str, Any] | None = None, /, **fields: Any) -> Any:
    """The body for a request with these fields."""
    return json.loads(wire({**(request or {}), **fields}).body)


def noted(**fields: Any) -> set[str]:
    """The fields that a note says were left out or changed."""
    return {note.field for note in wire(fields).notes}


def call(id_: str, name: str = "look_up", arguments: str = "{}", **fields: Any) -> dict[str, Any]:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}, **fields}


def called(*ids: str, **fields: Any) -> dict[str, Any]:
    """An assistant message with calls."""
    return {"role": "assistant", "content": None, "tool_calls": [call(id_) for id_ in ids], **fields}


def result(id_: str, content: Any = "found", **fields: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id_, "content": content, **fields}


def fixture(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


def read_stream(data: bytes | Iterable[bytes], request: WireRequest | None = None) -> list[Event]:
    """The events of a stream, fed in one piece or in the pieces given."""
    stream = Claude().stream(request or wire({}))
    events: list[Event] = []
    for piece in [data] if isinstance(data, bytes) else data:
        events += stream.feed(piece)
    return events + stream.close()


def sse(*events: Mapping[str, Any]) -> bytes:
    """A stream of these events, a message's start and end around them."""
    start = {"type": "message_start", "message": {"id": "msg_1", "model": "claude", "usage": {"input_tokens": 1}}}
    framed = [start, *events, {"type": "message_stop"}]
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in framed)


def block(index: int, content: Mapping[str, Any], *deltas: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The events of one content block."""
    return [
        {"type": "content_block_start", "index": index, "content_block": content},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def stop(reason: str, **fields: Any) -> Mapping[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, **fields}


def whole(message: Mapping[str, Any], **request: Any) -> list[Event]:
    """The events of a whole message."""
    return Claude().parse(json.dumps(message).encode(), wire(request))


IDENTITY = AnswerIdentity("chatcmpl-1", 1_700_000_000, "claude", renamed=False, include_usage=True)


def fold(events: list[Event]) -> Any:
    """The client's `chat.completion`."""
    return json.loads(OpenAIChat().fold(events, IDENTITY))


def client_chunks(data: bytes) -> list[Any]:
    """The client's chunks for a provider's stream."""
    stream = open_stream(Claude(), OpenAIChat(), wire({}), IDENTITY, arrives_as_stream=True)
    sent = stream.feed(data) + stream.close()
    lines = [line[6:] for line in sent.decode().split("\n") if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]
