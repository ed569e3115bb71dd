"""A request in Anthropic's form → the same in OpenAI's, for tests; written apart from the engine that it judges.

What OpenAI cannot say goes by this project's conventions: `thinking_blocks` and `native_blocks` on assistant
messages, `is_error` and `cache_control` on tool messages, Anthropic's own fields and blocks by their own names.
"""

import json
from typing import Any

Json = dict[str, Any]

PLAIN_ORDER = {"thinking": 0, "redacted_thinking": 0, "text": 1, "tool_use": 2}
NATIVE_ORDER = {"compaction": -1, "thinking": 0, "redacted_thinking": 0, "text": 2, "tool_use": 3}


def openai_request(body: Json, *, model: str, betas: str = "") -> Json:
    """Every member of `body` is in the result, under its name there."""
    rest = dict(body)
    request: Json = {"model": model}
    rest.pop("model", None)
    rest.pop("anthropic_version", None)
    request["messages"] = system_messages(rest.pop("system", None)) + [
        message for turn in rest.pop("messages") for message in messages(turn)
    ]
    if "tools" in rest:
        request["tools"] = [tool(item) for item in rest.pop("tools")]
    if "tool_choice" in rest:
        request |= choice(rest.pop("tool_choice"))
    for theirs, ours in (("max_tokens", "max_completion_tokens"), ("stop_sequences", "stop")):
        if theirs in rest:
            request[ours] = rest.pop(theirs)
    config = rest.pop("output_config", {})
    form = config.get("format") or rest.pop("output_format", None)
    if form:
        request["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": form["schema"]},
        }
    config = {name: value for name, value in config.items() if name != "format"}
    if config:
        request["output_config"] = config
    if betas:
        request["betas"] = betas
    return request | rest


# --- messages -------------------------------------------------------------------------------------------------


def system_messages(system: Any) -> list[Json]:
    if system is None:
        return []
    return [{"role": "system", "content": system if isinstance(system, str) else [part(block) for block in system]}]


def messages(turn: Json) -> list[Json]:
    if isinstance(turn["content"], str):
        return [{"role": turn["role"], "content": turn["content"]}]
    if turn["role"] == "assistant":
        return [assistant(turn["content"])]
    results = [tool_message(block) for block in turn["content"] if block["type"] == "tool_result"]
    spoken = [part(block) for block in turn["content"] if block["type"] != "tool_result"]
    return [*results, {"role": "user", "content": spoken}] if spoken else results


def assistant(blocks: list[Json]) -> Json:
    kinds = [block["type"] for block in blocks]
    message: Json = {"role": "assistant"}
    calls = [call(block) for block in blocks if block["type"] == "tool_use"]
    if calls:
        message["tool_calls"] = calls
    if in_order(kinds, PLAIN_ORDER, None) or in_order(kinds, NATIVE_ORDER, 1):
        lists: dict[str, list[Json]] = {"thinking_blocks": [], "content": [], "native_blocks": []}
        for block in blocks:
            if block["type"] in ("thinking", "redacted_thinking"):
                lists["thinking_blocks"].append(block)
            elif block["type"] == "text":
                lists["content"].append(part(block))
            elif block["type"] != "tool_use":
                lists["native_blocks"].append(block)
        return message | {name: items for name, items in lists.items() if items}
    return message | {"content": [part(block) for block in blocks if block["type"] != "tool_use"]}


def in_order(kinds: list[str], order: dict[str, int], others: int | None) -> bool:
    places = [order.get(kind, others) for kind in kinds]
    return None not in places and places == sorted(place for place in places if place is not None)


def call(block: Json) -> Json:
    extra = {name: value for name, value in block.items() if name not in ("type", "id", "name", "input")}
    function = {"name": block["name"], "arguments": json.dumps(block["input"])}
    return {"id": block["id"], "type": "function", "function": function, **extra}


def tool_message(block: Json) -> Json:
    content = block.get("content", "")
    message: Json = {"role": "tool", "tool_call_id": block["tool_use_id"]}
    message["content"] = content if isinstance(content, str) else [part(item) for item in content]
    return message | {name: block[name] for name in ("is_error", "cache_control") if name in block}


def part(block: Json) -> Json:
    """OpenAI's part for a block, or the block itself where OpenAI has none."""
    cache = {"cache_control": block["cache_control"]} if "cache_control" in block else {}
    source = block.get("source", {})
    match block["type"], source.get("type"):
        case "image", "base64":
            return {"type": "image_url", "image_url": {"url": data_url(source)}, **cache}
        case "image", "url":
            return {"type": "image_url", "image_url": {"url": source["url"]}, **cache}
        case "document", kind if "citations" not in block and "context" not in block:
            name = {"filename": block["title"]} if "title" in block else {}
            match kind:
                case "base64":
                    return {"type": "file", "file": {"file_data": data_url(source), **name}, **cache}
                case "url":
                    return {"type": "file", "file": {"file_url": source["url"], **name}, **cache}
                case "file":
                    return {"type": "file", "file": {"file_id": source["file_id"], **name}, **cache}
                case "text":
                    url = "data:text/plain," + source["data"].replace("%", "%25")
                    return {"type": "file", "file": {"file_data": url, **name}, **cache}
    return block


def data_url(source: Json) -> str:
    return f"data:{source['media_type']};base64,{source['data']}"


# --- tools ----------------------------------------------------------------------------------------------------


def tool(item: Json) -> Json:
    if item.get("type", "custom") != "custom":
        return item
    function = {"name": item["name"], "parameters": item["input_schema"]}
    function |= {name: item[name] for name in ("description", "strict") if name in item}
    inside = ("type", "name", "description", "input_schema", "strict")
    extra = {name: value for name, value in item.items() if name not in inside}
    return {"type": "function", "function": function, **extra}


def choice(item: Json) -> Json:
    names = {"auto": "auto", "any": "required", "none": "none"}
    fields: Json = {"tool_choice": names.get(item["type"])}
    if item["type"] == "tool":
        fields["tool_choice"] = {"type": "function", "function": {"name": item["name"]}}
    if "disable_parallel_tool_use" in item:
        fields["parallel_tool_calls"] = not item["disable_parallel_tool_use"]
    return fields


# --- what Anthropic's documentation calls the same ------------------------------------------------------------


def normalised(body: Json) -> Json:
    """The request with every spelling that means the same written out (Claude API reference, "Create a Message").

    Strings as lists of one text block, neighbouring messages of one role combined, defaults, nulls and empty lists left
    out, `output_format` under its newer name, the fields that only Vertex has gone.
    """
    elsewhere = ("model", "anthropic_version", "output_format")
    result = {
        name: value for name, value in body.items() if name not in elsewhere and value is not False and value != []
    }
    turns: list[Json] = []
    for turn in body["messages"]:
        blocks = [normalised_block(block) for block in as_blocks(turn["content"])]
        if turns and turns[-1]["role"] == turn["role"]:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": turn["role"], "content": blocks})
    result["messages"] = turns
    if result.get("system"):
        result["system"] = as_blocks(body["system"])
    if result.get("tools"):
        result["tools"] = [without(item, ("type", "custom"), ("strict", False)) for item in body["tools"]]
    if "tool_choice" in body:
        result["tool_choice"] = without(body["tool_choice"], ("disable_parallel_tool_use", False))
        if result["tool_choice"] == {"type": "auto"}:
            del result["tool_choice"]
    if "output_format" in body:
        result["output_config"] = {**body.get("output_config", {}), "format": body["output_format"]}
    return result


def without(item: Json, *defaults: tuple[str, Any]) -> Json:
    return {name: value for name, value in item.items() if (name, value) not in defaults}


def as_blocks(content: Any) -> list[Json]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def normalised_block(block: Json) -> Json:
    block = {name: value for name, value in block.items() if value is not None}
    if block["type"] == "tool_result":
        block["content"] = as_blocks(block.get("content", ""))
    return block
