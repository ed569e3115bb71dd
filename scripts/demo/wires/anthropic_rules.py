"""What Anthropic's API refuses: rules and their messages, as its error answers word them.

Stricter in one place: two messages of the same role in a row, which the API now joins by itself, are refused
as they once were, because other servers that speak this wire still refuse them.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

FIELDS = {
    "cache_control",
    "container",
    "context_management",
    "max_tokens",
    "messages",
    "metadata",
    "model",
    "output_config",
    "output_format",
    "service_tier",
    "stop_sequences",
    "stream",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
}
MOST_OUTPUT = 64000
MOST_CACHE_MARKS = 4
LEAST_BUDGET = 1024
SPACE = (" ", "\t", "\n")
THINKING = ("thinking", "redacted_thinking")

Block = Mapping[str, Any]
Rule = Callable[[Mapping[str, Any]], Iterator[str]]


def problem(body: Mapping[str, Any]) -> str | None:
    """What the API says to this request, or None when it takes it. The first rule that is broken is named."""
    return next(chain.from_iterable(rule(body) for rule in RULES), None)


def signature(thinking: str) -> str:
    """The signature of a thinking block: whoever sends the block back must not have touched its text."""
    return "Sim" + hashlib.sha512(thinking.encode()).hexdigest()


def blocks(content: object) -> list[Block]:
    """Message content as blocks; a string is one text block."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [block for block in content if isinstance(block, Mapping)] if isinstance(content, list) else []


def thinks(body: Mapping[str, Any]) -> bool:
    """Whether the request asks for thinking."""
    return (body.get("thinking") or {}).get("type") in ("enabled", "adaptive")


def _fields(body: Mapping[str, Any]) -> Iterator[str]:
    for name in ("model", "messages", "max_tokens"):
        if name not in body:
            yield f"{name}: Field required"
    for name in sorted(body.keys() - FIELDS):
        yield f"{name}: Extra inputs are not permitted"


def _numbers(body: Mapping[str, Any]) -> Iterator[str]:
    most = body["max_tokens"]
    if not isinstance(most, int) or most < 1:
        yield "max_tokens: must be greater than or equal to 1"
    elif most > MOST_OUTPUT:
        yield (
            f"max_tokens: {most} > {MOST_OUTPUT}, which is the maximum allowed number of output tokens for "
            f"{body['model']}"
        )
    temperature = body.get("temperature")
    if temperature is not None and not 0 <= temperature <= 1:
        yield "temperature: range: 0..1"
    if temperature is not None and body.get("top_p") is not None:
        yield "`temperature` and `top_p` cannot both be specified for this model. Please use only one."
    if any(not text.strip() for text in body.get("stop_sequences") or []):
        yield "stop_sequences: each stop sequence must contain non-whitespace"


def _roles(body: Mapping[str, Any]) -> Iterator[str]:
    if not body["messages"]:
        yield "messages: at least one message is required"
    previous = "assistant"
    for index, message in enumerate(body["messages"]):
        role = message.get("role")
        if role not in ("user", "assistant"):
            yield f"messages.{index}.role: Input should be 'user' or 'assistant'"
        elif role == previous and index == 0:
            yield 'messages: first message must use the "user" role'
        elif role == previous:
            yield (
                'messages: roles must alternate between "user" and "assistant", but found multiple '
                f'"{role}" roles in a row'
            )
        previous = role


def _contents(body: Mapping[str, Any]) -> Iterator[str]:
    last = len(body["messages"]) - 1
    for index, message in enumerate(body["messages"]):
        content = blocks(message.get("content"))
        if not content and not (index == last and message["role"] == "assistant"):
            yield f"messages.{index}: all messages must have non-empty content"
        for block in content:
            if block.get("type") != "text":
                continue
            if not block.get("text"):
                yield "messages: text content blocks must be non-empty"
            elif not block["text"].strip():
                yield "messages: text content blocks must contain non-whitespace text"
    system = body.get("system")
    if isinstance(system, list) and any(not block.get("text") for block in system):
        yield "system: text content blocks must be non-empty"
    ending = blocks(body["messages"][last]["content"])[-1:]
    prefilled = body["messages"][last]["role"] == "assistant"
    if prefilled and any(block.get("text", "").endswith(SPACE) for block in ending):
        yield "messages: final assistant content cannot end with trailing whitespace"
    if sum(_cache_marks(body.get(part)) for part in ("system", "messages", "tools")) > MOST_CACHE_MARKS:
        yield f"A maximum of {MOST_CACHE_MARKS} blocks with cache_control may be provided."


def _cache_marks(value: object) -> int:
    """Marks on blocks, and on blocks within blocks."""
    if isinstance(value, list):
        return sum(map(_cache_marks, value))
    if isinstance(value, Mapping):
        return bool(value.get("cache_control")) + _cache_marks(value.get("content"))
    return 0


def _calls(body: Mapping[str, Any]) -> Iterator[str]:
    """Every call is answered in the very next message, and only calls are answered."""
    asked: list[str] = []
    for index, message in enumerate(body["messages"]):
        content = blocks(message["content"])
        answered = [block["tool_use_id"] for block in content if block.get("type") == "tool_result"]
        missing = [call for call in asked if call not in answered]
        if missing:
            yield (
                f"messages.{index - 1}: `tool_use` ids were found without `tool_result` blocks immediately "
                f"after: {', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` "
                "block in the next message."
            )
        for place, block in enumerate(content):
            if block.get("type") == "tool_result" and block["tool_use_id"] not in asked:
                yield (
                    f"messages.{index}.content.{place}: unexpected `tool_use_id` found in `tool_result` "
                    f"blocks: {block['tool_use_id']}. Each `tool_result` block must have a corresponding "
                    "`tool_use` block in the previous message."
                )
        asked = [block["id"] for block in content if block.get("type") == "tool_use"]
        for place, call in enumerate(asked):
            if not re.fullmatch(r"[a-zA-Z0-9_-]+", call):
                where = f"messages.{index}.content.{place}.tool_use.id"
                yield f"{where}: String should match pattern '^[a-zA-Z0-9_-]+$'"
    if asked:
        yield f"messages: `tool_use` ids were found without `tool_result` blocks: {', '.join(asked)}"


def _tools(body: Mapping[str, Any]) -> Iterator[str]:
    tools = body.get("tools") or []
    for index, tool in enumerate(tools):
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", tool.get("name", "")):
            yield f"tools.{index}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
        if (tool.get("input_schema") or {}).get("type") != "object":
            yield f"tools.{index}.custom.input_schema.type: Field required"
    names = [tool.get("name") for tool in tools]
    if len(set(names)) < len(names):
        yield "tools: Tool names must be unique."
    used = any(block.get("type") in ("tool_use", "tool_result") for block in _all_blocks(body))
    if used and not tools:
        yield "Requests which include `tool_use` or `tool_result` blocks must define tools."
    choice = body.get("tool_choice")
    if choice and not tools:
        yield "tool_choice: may only be specified while providing tools."
    elif choice and choice.get("type") == "tool" and choice.get("name") not in names:
        yield f"Tool '{choice.get('name')}' not found in provided tools"


def _all_blocks(body: Mapping[str, Any]) -> Iterator[Block]:
    for message in body["messages"]:
        yield from blocks(message["content"])


def _thinking(body: Mapping[str, Any]) -> Iterator[str]:
    for index, message in enumerate(body["messages"]):
        for place, block in enumerate(blocks(message["content"])):
            if block.get("type") == "thinking" and not _is_signed(block):
                yield f"messages.{index}.content.{place}: Invalid `signature` in `thinking` block"
    if not thinks(body):
        return
    budget = body["thinking"].get("budget_tokens")
    if body["thinking"]["type"] == "enabled":
        if not isinstance(budget, int) or budget < LEAST_BUDGET:
            yield f"thinking.enabled.budget_tokens: Input should be greater than or equal to {LEAST_BUDGET}"
        elif budget >= body["max_tokens"]:
            yield "`max_tokens` must be greater than `thinking.budget_tokens`."
    if body.get("temperature", 1) != 1:
        yield "`temperature` may only be set to 1 when thinking is enabled."
    if (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
        yield "Thinking may not be enabled when tool_choice forces tool use."
    kinds = [block.get("type") for block in _last_assistant_turn(body)]
    if "tool_use" in kinds and kinds[0] not in THINKING:
        yield (
            f"messages.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{kinds[0]}`. "
            "When `thinking` is enabled, a final `assistant` message must start with a thinking block."
        )


def _is_signed(block: Block) -> bool:
    return block.get("signature") == signature(block.get("thinking", ""))


def _last_assistant_turn(body: Mapping[str, Any]) -> list[Block]:
    turns = [message["content"] for message in body["messages"] if message["role"] == "assistant"]
    return blocks(turns[-1]) if turns else []


RULES: tuple[Rule, ...] = (_fields, _numbers, _roles, _contents, _calls, _tools, _thinking)
