"""Short ways to the engine cohere for its tests: a request built, an answer read."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from translators.cohere import Cohere
from translators.openai_request import read_request
from translators.types import Event, Target, WireRequest

FIXTURES = Path(__file__).parents[1] / "fixtures" / "cohere"

MODEL = "command-a-03-2025"
REASONING_MODEL = "command-a-reasoning-08-2025"
USER = {"role": "user", "content": "Hello"}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": CITY}}


def wire(request: Mapping[str, Any] | None = None, /, **target: Any) -> WireRequest:
    """What the engine makes of a client's request; `target` are fields of Target."""
    request = {"model": MODEL, "messages": [USER], **(request or {})}
    destination = {"base_url": "", "model": request["model"], "alias": request["model"], **target}
    return Cohere().build(read_request(json.dumps(request).encode()), Target(**destination))


def body(**fields: Any) -> Any:
    """The body for a request with these fields."""
    return json.loads(wire(fields).body)


def messages(*conversation: Mapping[str, Any], **fields: Any) -> Any:
    """Cohere's messages for a conversation."""
    return body(messages=list(conversation), **fields)["messages"]


def noted(**fields: Any) -> dict[str, str]:
    """Field → why it was left out or changed."""
    return {note.field: note.reason for note in wire(fields).notes}


def call(id_: str, name: str = "look_up", arguments: str = '{"city":"Oslo"}', **fields: Any) -> dict[str, Any]:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}, **fields}


def called(*ids: str, **fields: Any) -> dict[str, Any]:
    """An assistant message with calls."""
    return {"role": "assistant", "content": None, "tool_calls": [call(id_) for id_ in ids], **fields}


def result(id_: str, content: Any = "found") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id_, "content": content}


def fixture(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


def read_stream(data: bytes, request: WireRequest | None = None) -> list[Event]:
    """The events of a stream, fed byte by byte."""
    stream = Cohere().stream(request or wire())
    events = [event for place in range(len(data)) for event in stream.feed(data[place : place + 1])]
    return events + stream.close()


def read_whole(answer: Any, request: WireRequest | None = None) -> list[Event]:
    """The events of a whole answer."""
    return Cohere().parse(answer if isinstance(answer, bytes) else json.dumps(answer).encode(), request or wire())
