"""Short ways to the engine gemini for its tests: a request built, an answer read."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from translators.base import AnswerIdentity
from translators.gemini import Gemini
from translators.openai import OpenAIChat
from translators.openai_request import read_request
from translators.relay import open_stream
from translators.types import Event, Target, WireRequest

MODEL = "gemini-3-flash-preview"
USER = {"role": "user", "content": "Hello"}
IDENTITY = AnswerIdentity("chatcmpl-1", 1_700_000_000, "gemini", renamed=False, include_usage=True)


def wire(request: Mapping[str, Any], **target: Any) -> WireRequest:
    """What the engine makes of a client's request; `target` are fields of Target."""
    request = {"model": MODEL, "messages": [USER], **request}
    destination = {"base_url": "", "model": request["model"], "alias": request["model"], **target}
    return Gemini().build(read_request(json.dumps(request).encode()), Target(**destination))


def body(request: Mapping[str, Any] | None = None, /, **fields: Any) -> Any:
    """The body for a request with these fields."""
    return json.loads(wire({**(request or {}), **fields}).body)


def config(**fields: Any) -> Any:
    """`generationConfig` for a request with these fields."""
    return body(**fields).get("generationConfig", {})


def contents(*messages: Mapping[str, Any], **fields: Any) -> Any:
    """`contents` for these messages."""
    return body(messages=list(messages), **fields)["contents"]


def noted(**fields: Any) -> set[str]:
    """The fields that a note says were left out or changed."""
    return {note.field for note in wire(fields).notes}


def tool(name: str = "look_up", parameters: Any = None, **fields: Any) -> dict[str, Any]:
    made = {"name": name, **({} if parameters is None else {"parameters": parameters}), **fields}
    return {"type": "function", "function": made}


def signed(signature: str = "c2ln") -> dict[str, Any]:
    """A thought signature where clients send it back."""
    return {"extra_content": {"google": {"thought_signature": signature}}}


def call(id_: str, name: str = "look_up", arguments: str = "{}", **fields: Any) -> dict[str, Any]:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}, **fields}


def called(*ids: str, **fields: Any) -> dict[str, Any]:
    """An assistant message with calls."""
    return {"role": "assistant", "content": None, "tool_calls": [call(id_) for id_ in ids], **fields}


def result(id_: str, content: Any = "found", **fields: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id_, "content": content, **fields}


# --- answers --------------------------------------------------------------------------------------------------


def chunk(*parts: Mapping[str, Any], finish: str | None = None, **fields: Any) -> dict[str, Any]:
    """A chunk with one candidate."""
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "responseId": "r1", "modelVersion": "gemini", **fields}


def sse(*chunks: Mapping[str, Any]) -> bytes:
    return b"".join(b"data: " + json.dumps(item).encode() + b"\r\n\r\n" for item in chunks)


def read_stream(data: bytes | Iterable[bytes], request: WireRequest | None = None) -> list[Event]:
    """The events of a stream, fed in one piece or in the pieces given."""
    stream = Gemini().stream(request or wire({}))
    events: list[Event] = []
    for piece in [data] if isinstance(data, bytes) else data:
        events += stream.feed(piece)
    return events + stream.close()


def streamed(*chunks: Mapping[str, Any], **request: Any) -> list[Event]:
    """The events of a stream of these chunks."""
    return read_stream(sse(*chunks), wire(request))


def whole(answer: Any, **request: Any) -> list[Event]:
    """The events of a whole answer."""
    return Gemini().parse(json.dumps(answer).encode(), wire(request))


def fold(events: list[Event]) -> Any:
    """The client's `chat.completion`."""
    return json.loads(OpenAIChat().fold(events, IDENTITY))


def message(*chunks: Mapping[str, Any], **request: Any) -> Any:
    """The client's message for a stream of these chunks."""
    return fold(streamed(*chunks, **request))["choices"][0]["message"]


def client_chunks(*chunks: Mapping[str, Any]) -> list[Any]:
    """The client's chunks for a provider's stream."""
    stream = open_stream(Gemini(), OpenAIChat(), wire({}), IDENTITY, arrives_as_stream=True)
    sent = stream.feed(sse(*chunks)) + stream.close()
    lines = [line[6:] for line in sent.decode().split("\n") if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]
