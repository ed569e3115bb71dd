"""A request in Cohere's form → the same in OpenAI's, for tests: written apart from the engine, so that it can judge it.

What OpenAI cannot say goes by this project's conventions: Cohere's own fields and parts by their own names.
"""

import json
from typing import Any

Json = dict[str, Any]

RENAMED = {"max_tokens": "max_completion_tokens", "stop_sequences": "stop", "p": "top_p", "k": "top_k"}


def openai_request(body: Json) -> Json:
    """Every member of `body` is in the result, under its name there."""
    rest = dict(body)
    request: Json = {"messages": [message(item) for item in rest.pop("messages")]}
    if "tool_choice" in rest:
        request["tool_choice"] = rest.pop("tool_choice").lower()
    if "tools" in rest and rest.pop("strict_tools", False):
        request["tools"] = [strict(tool) for tool in rest.pop("tools")]
    form = rest.pop("response_format", None)
    if form:
        schema = form.get("json_schema") or form.get("schema")
        request["response_format"] = (
            {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
            if schema
            else {"type": form["type"]}
        )
    return request | {RENAMED.get(name, name): value for name, value in rest.items()}


def strict(tool: Json) -> Json:
    return {**tool, "function": {**tool["function"], "strict": True}}


def message(item: Json) -> Json:
    """Cohere's plan is what OpenAI's hosts call reasoning."""
    fields = dict(item)
    plan = fields.pop("tool_plan", None)
    return fields | ({"reasoning_content": plan} if plan else {})


def normalised(body: Json) -> Json:
    """What the documentation calls the same, written the same: text as a string or as one part, absent or default."""
    body = {name: value for name, value in body.items() if value not in (None, False, [])}
    body["messages"] = [normalised_message(item) for item in body["messages"]]
    form = body.get("response_format")
    if form and "schema" in form:
        body["response_format"] = {"type": form["type"], "json_schema": form["schema"]}
    return body


def normalised_message(item: Json) -> Json:
    fields = {name: value for name, value in item.items() if value not in (None, [], "")}
    content = item.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    kept = [part for part in content or [] if part != {"type": "text", "text": ""}]
    fields.pop("content", None)
    if kept or item["role"] == "tool":
        fields["content"] = kept
    if "tool_calls" in fields:
        fields["tool_calls"] = [normalised_call(call) for call in fields["tool_calls"]]
    return fields


def normalised_call(call: Json) -> Json:
    return {**call, "function": {**call["function"], "arguments": json.loads(call["function"]["arguments"])}}
