"""What Anthropic's Messages API accepts, as far as its documentation and its recorded refusals tell.

Written apart from the engine: `problems(body)` gives a sentence for everything the API would answer 400 for.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

ID = re.compile(r"[a-zA-Z0-9_-]+")
TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
IMAGES = {"image/jpeg", "image/png", "image/gif", "image/webp"}
FIELDS = {
    "model",
    "max_tokens",
    "system",
    "messages",
    "tools",
    "tool_choice",
    "thinking",
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "output_config",
    "metadata",
    "service_tier",
    "stream",
    "cache_control",
    "container",
}


@dataclass(frozen=True)
class Takes:
    """What one model takes: its limit, kinds of thinking, sampling, and what else differs."""

    limit: int
    thinking: tuple[str, ...] = ()
    sampling: str = "free"
    prefill: bool = True
    system_inside: bool = False
    formats: bool = False
    forced: bool = True


MODELS = {
    "claude-3-haiku-20240307": Takes(4096),
    "claude-sonnet-4-20250514": Takes(64000, ("enabled", "disabled")),
    "claude-haiku-4-5": Takes(64000, ("enabled", "disabled"), "one", formats=True),
    "claude-opus-4-6": Takes(128000, ("enabled", "adaptive", "disabled"), "one", prefill=False, formats=True),
    "claude-opus-4-8": Takes(128000, ("adaptive", "disabled"), "none", prefill=False, system_inside=True, formats=True),
    "claude-opus-5-5": Takes(
        128000, ("adaptive",), "none", prefill=False, system_inside=True, formats=True, forced=False
    ),
    "claude-sonnet-5-5": Takes(
        128000, ("adaptive", "between_tools"), "none", prefill=False, system_inside=True, formats=True, forced=False
    ),
}


def problems(body: Json) -> list[str]:
    """Why the API would refuse the request; empty if it would not."""
    takes = MODELS[body["model"]]
    return [
        *unknown_fields(body),
        *wrong_limits(body, takes),
        *wrong_thinking(body, takes),
        *wrong_tools(body, takes),
        *wrong_system(body),
        *wrong_turns(body["messages"], takes),
        *wrong_end(body, takes),
        *wrong_calls(body["messages"]),
        *wrong_blocks(body["messages"]),
        *wrong_cache(body),
    ]


# --- parameters -----------------------------------------------------------------------------------------------


def unknown_fields(body: Json) -> Iterator[str]:
    yield from (f"{name}: Extra inputs are not permitted" for name in body if name not in FIELDS)
    yield from (f"metadata.{name}" for name in body.get("metadata", {}) if name != "user_id")


def wrong_limits(body: Json, takes: Takes) -> Iterator[str]:
    if not 1 <= body["max_tokens"] <= takes.limit:
        yield f"max_tokens: {body['max_tokens']} > {takes.limit}"
    if any(not sequence.strip() for sequence in body.get("stop_sequences", ["x"])):
        yield "stop_sequences: each stop sequence must contain non-whitespace"
    if not 0 <= body.get("temperature", 0) <= 1:
        yield "temperature: range: 0..1"
    if takes.sampling == "none" and {"temperature", "top_p", "top_k"} & set(body):
        yield "sampling parameters are not supported on this model"
    if takes.sampling == "one" and {"temperature", "top_p"} <= set(body):
        yield "temperature and top_p cannot both be specified"
    if body.get("output_config", {}).get("format") and not takes.formats:
        yield "output_config.format is not supported on this model"


def wrong_thinking(body: Json, takes: Takes) -> Iterator[str]:
    thinking = body.get("thinking")
    if thinking is None:
        return
    if thinking["type"] not in takes.thinking:
        yield f"thinking.type {thinking['type']} is not supported for this model"
    sampled = body.get("temperature", 1) != 1 or "top_k" in body or not 0.95 <= body.get("top_p", 1) <= 1
    if thinking["type"] in ("enabled", "adaptive") and sampled:
        yield "sampling must be default while thinking"
    if thinking["type"] == "enabled":
        if not 1024 <= thinking["budget_tokens"] < body["max_tokens"]:
            yield "thinking.budget_tokens must be at least 1024 and less than max_tokens"
        if body.get("tool_choice", {}).get("type") in ("any", "tool"):
            yield "Thinking may not be enabled when tool_choice forces tool use"
        yield from missing_reasoning(body["messages"])


def missing_reasoning(messages: list[Json]) -> Iterator[str]:
    """While results are returned, the assistant's turn must begin with its reasoning."""
    if not has(messages[-1], "tool_result"):
        return
    start = len(messages)
    while start > 0 and (messages[start - 1]["role"] == "assistant" or has(messages[start - 1], "tool_result")):
        start -= 1
    if messages[start]["content"][0]["type"] not in ("thinking", "redacted_thinking"):
        yield "Expected `thinking` or `redacted_thinking` at the beginning of the final assistant turn"


def has(message: Json, kind: str) -> bool:
    return any(block["type"] == kind for block in message["content"])


def wrong_tools(body: Json, takes: Takes) -> Iterator[str]:
    tools = body.get("tools")
    if tools == []:
        yield "tools: empty"
    names = [tool["name"] for tool in tools or ()]
    if len(set(names)) < len(names):
        yield "tools: Tool names must be unique"
    for tool in tools or ():
        if not TOOL_NAME.fullmatch(tool["name"]):
            yield f"tools: {tool['name']!r} is no name"
        if tool["input_schema"].get("type") != "object":
            yield "tools: input_schema.type must be object"
        if tool.get("strict") and not takes.formats:
            yield "tools: strict is not supported on this model"
    if any(has(message, "tool_use") for message in body["messages"]) and not tools:
        yield "Requests which include `tool_use` or `tool_result` blocks must define tools"
    choice = body.get("tool_choice")
    if choice is None:
        return
    if not tools:
        yield "tool_choice may only be specified while providing tools"
    if choice["type"] in ("any", "tool") and not takes.forced:
        yield 'tool_choice: type "tool" and "any" are not supported for this model'
    if choice["type"] == "tool" and choice["name"] not in names:
        yield "tool_choice names no tool"
    if choice["type"] == "none" and len(choice) > 1:
        yield "tool_choice.none takes no other field"


# --- conversation ---------------------------------------------------------------------------------------------


def wrong_system(body: Json) -> Iterator[str]:
    for block in body.get("system", [{"type": "text", "text": "x"}]):
        if block["type"] != "text" or not block["text"].strip():
            yield "system: text content blocks must be non-empty"


def wrong_turns(messages: list[Json], takes: Takes) -> Iterator[str]:
    if not messages or messages[0]["role"] != "user":
        yield "messages: first message must use the user role"
    for before, message, after in zip([None, *messages], messages, [*messages[1:], None], strict=False):
        if not message["content"]:
            yield "messages: content must not be empty"
        if before and before["role"] == message["role"]:
            yield f"messages: two of {message['role']} in a row"
        if message["role"] == "system":
            if not takes.system_inside:
                yield "role 'system' is not supported on this model"
            if not before or before["role"] != "user" or (after and after["role"] != "assistant"):
                yield "a system message must follow a user turn and precede an assistant turn"


def wrong_end(body: Json, takes: Takes) -> Iterator[str]:
    last = body["messages"][-1]
    if last["role"] != "assistant" or last["content"][-1]["type"].endswith("_tool_result"):
        return
    if not takes.prefill:
        yield "This model does not support assistant message prefill"
    if body.get("thinking", {}).get("type") in ("enabled", "adaptive"):
        yield "prefill is not supported with thinking"
    if "format" in body.get("output_config", {}):
        yield "prefill is not supported with output_config.format"
    if last["content"][-1].get("text", "x") != last["content"][-1].get("text", "x").rstrip():
        yield "final assistant content cannot end with trailing whitespace"


def wrong_calls(messages: list[Json]) -> Iterator[str]:
    seen: set[str] = set()
    for before, message, after in zip([None, *messages], messages, [*messages[1:], None], strict=False):
        calls = [block["id"] for block in message["content"] if block["type"] == "tool_use"]
        yield from (f"tool_use.id {id_!r}" for id_ in calls if not ID.fullmatch(id_))
        if len(set(calls)) < len(calls) or seen & set(calls):
            yield "`tool_use` ids must be unique"
        seen |= set(calls)
        if calls:
            first = [block.get("tool_use_id") for block in after["content"][: len(calls)]] if after else []
            if set(first) != set(calls) or (after and after["role"] != "user"):
                yield "`tool_use` ids were found without `tool_result` blocks immediately after"
        results = [block["tool_use_id"] for block in message["content"] if block["type"] == "tool_result"]
        known = {block.get("id") for block in before["content"]} if before else set()
        if set(results) - known or len(set(results)) < len(results):
            yield "unexpected `tool_use_id` found in `tool_result` blocks"
        if results and message["role"] != "user":
            yield "tool_result blocks belong to the user"


def wrong_blocks(messages: list[Json]) -> Iterator[str]:
    for message in messages:
        for block in message["content"]:
            yield from wrong_block(block, message["role"])
        if message["content"] and message["content"][-1]["type"] in ("thinking", "redacted_thinking"):
            yield "The final block in an assistant message cannot be `thinking`"


def wrong_block(block: Json, role: str) -> Iterator[str]:
    kind = block["type"]
    if kind == "text" and not block["text"].strip():
        yield "text content blocks must be non-empty"
    if kind == "tool_use" and (not isinstance(block["input"], dict) or not TOOL_NAME.fullmatch(block["name"])):
        yield "tool_use.input must be an object, its name a name"
    if kind in ("thinking", "redacted_thinking", "tool_use") and role != "assistant":
        yield f"{kind} belongs to the assistant"
    if kind == "thinking" and not block.get("signature"):
        yield "thinking.signature: Field required"
    if kind == "image":
        if role != "user":
            yield "images belong to the user"
        source = block["source"]
        if source["type"] == "base64" and source["media_type"] not in IMAGES:
            yield f"image.source.media_type {source['media_type']}"
    if kind == "tool_result" and isinstance(block.get("content"), list):
        for inner in block["content"]:
            yield from wrong_block(inner, role)


def wrong_cache(body: Json) -> Iterator[str]:
    blocks = [*body.get("tools", []), *body.get("system", [])]
    for message in body["messages"]:
        for block in message["content"]:
            blocks.append(block)
            blocks += block["content"] if isinstance(block.get("content"), list) else []
    marked = [block for block in blocks if "cache_control" in block]
    if len(marked) + ("cache_control" in body) > 4:
        yield "A maximum of 4 blocks with cache_control may be provided"
    if any(block.get("type") in ("thinking", "redacted_thinking") for block in marked):
        yield "thinking blocks cannot be cached"
