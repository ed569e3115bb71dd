"""What Cohere's Chat API accepts, as far as its SDK's types, its documentation and its recorded refusals tell.

Written apart from the engine: `problems(body)` gives a sentence for everything the API would answer 400 for.
"""

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

from cohere.types import ChatMessages, Document, ResponseFormatV2, Thinking, ToolV2
from cohere.v2.client import V2Client
from pydantic import BaseModel, TypeAdapter, ValidationError

Json = dict[str, Any]

FIELDS = {*inspect.signature(V2Client.chat).parameters, "stream"} - {"self", "request_options"}
TYPES: dict[str, TypeAdapter[Any]] = {
    "messages": TypeAdapter(ChatMessages),
    "tools": TypeAdapter(list[ToolV2]),
    "documents": TypeAdapter(list[str | Document]),
    "response_format": TypeAdapter(ResponseFormatV2),
    "thinking": TypeAdapter(Thinking),
}
PARTS = {
    "system": {"text"},
    "user": {"text", "image_url"},
    "assistant": {"text", "thinking"},
    "tool": {"text", "document"},
}
RANGES = {"temperature": (0, 1), "frequency_penalty": (0, 1), "presence_penalty": (0, 1), "p": (0.01, 0.99)}
TOOL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
REFUSED_KEYWORDS = {"allOf", "oneOf", "not", "minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength"}


def problems(body: Json) -> list[str]:
    """Why the API would refuse the request; empty if it would not."""
    return [
        *(f"{name}: unknown field" for name in body if name not in FIELDS),
        *(problem for name in TYPES if name in body for problem in misfits(name, body[name])),
        *wrong_numbers(body),
        *wrong_tools(body),
        *wrong_format(body),
        *wrong_messages(body["messages"]),
    ]


def misfits(name: str, value: Any) -> Iterator[str]:
    """Where a value is not of the SDK's type, or has fields that the type has not."""
    try:
        parsed = TYPES[name].validate_python(value)
    except ValidationError as error:
        yield f"{name}: {error}"
        return
    for item in parsed if isinstance(parsed, list) else [parsed]:
        yield from (f"{name}: unknown field {field}" for field in extras(item))


def extras(item: Any) -> Iterator[str]:
    """The fields that a model took without knowing them. Citations hold documents of any kind."""
    if isinstance(item, list):
        for inner in item:
            yield from extras(inner)
    elif isinstance(item, BaseModel):
        yield from item.model_extra or ()
        for field in type(item).model_fields:
            if field != "citations":
                yield from extras(getattr(item, field))


def wrong_numbers(body: Json) -> Iterator[str]:
    for name, (least, most) in RANGES.items():
        if not least <= body.get(name, least) <= most:
            yield f"{name}: {body[name]} is not within {least} and {most}"
    if len(body.get("stop_sequences", [])) > 5 or "" in body.get("stop_sequences", []):
        yield "stop_sequences: up to 5, none of them empty"
    if body.get("tool_choice") not in (None, "REQUIRED", "NONE"):
        yield f"tool_choice: {body['tool_choice']}"
    if body.get("tool_choice") == "REQUIRED" and not body.get("tools"):
        yield "tool_choice REQUIRED needs tools"
    if body.get("thinking", {}).get("token_budget", 1) < 1:
        yield "thinking.token_budget must be a positive integer"


def wrong_tools(body: Json) -> Iterator[str]:
    if body.get("tools") == []:
        yield "tools: empty"
    for tool in body.get("tools", []):
        function = tool["function"]
        if not TOOL_NAME.fullmatch(function["name"]):
            yield f"tools: {function['name']!r} is no name"
        if function.get("parameters", {}).get("type") != "object":
            yield "tools: parameters must be an object's schema"
        if body.get("strict_tools"):
            yield from wrong_schema(function["parameters"])


def wrong_format(body: Json) -> Iterator[str]:
    form = body.get("response_format", {"type": "text"})
    if form["type"] != "text" and (body.get("tools") or body.get("documents")):
        yield "response_format is not supported with tools or documents"
    if "json_schema" in form:
        yield from wrong_schema(form["json_schema"])


def wrong_schema(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for item in schema:
            yield from wrong_schema(item)
    elif isinstance(schema, dict):
        if schema.get("type") == "object" and not schema.get("required"):
            yield "schema: every object must have at least one required field"
        yield from (f"schema: {name} is not supported" for name in sorted(REFUSED_KEYWORDS & set(schema)))
        for value in schema.values():
            yield from wrong_schema(value)


def wrong_messages(messages: list[Json]) -> Iterator[str]:
    if not any(message["role"] == "user" for message in messages):
        yield "messages: the user must have spoken"
    waiting: list[str] = []
    seen: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                yield "messages: a tool message without its call"
            else:
                waiting.remove(message["tool_call_id"])
        elif waiting:
            yield "An assistant message with 'tool_calls' must be followed by tool messages"
        if message["role"] == "assistant":
            waiting = [call["id"] for call in message.get("tool_calls") or []]
            if len(set(waiting)) < len(waiting) or seen & set(waiting):
                yield "messages: ids of calls must be unique"
            seen |= set(waiting)
            for call in message.get("tool_calls") or []:
                if not isinstance(json_value(call.get("function", {}).get("arguments", "")), dict):
                    yield "messages: arguments must be a JSON object"
        yield from wrong_content(message)
    if waiting:
        yield "An assistant message with 'tool_calls' must be followed by tool messages"


def json_value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def wrong_content(message: Json) -> Iterator[str]:
    role, content = message["role"], message.get("content")
    if content in (None, "", []) and not (role == "tool" or message.get("tool_calls")):
        yield f"messages: a message of {role} that says nothing"
    for part in content if isinstance(content, list) else []:
        if part["type"] not in PARTS[role]:
            yield f"messages: {part['type']} from {role}"
        if part["type"] == "text" and not part["text"].strip():
            yield "messages: empty text"
    if message.get("tool_plan") and not message.get("tool_calls"):
        yield "messages: a plan without calls"
