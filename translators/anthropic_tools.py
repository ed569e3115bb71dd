"""Anthropic's Messages: tools, the choice between them, and the form of the answer.

Shapes: Claude API reference, "Create a Message" (`tools`, `tool_choice`, `output_config.format`); Claude
documentation, "Structured outputs".
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from translators.anthropic_blocks import Block, marked
from translators.errors import UntranslatableError
from translators.jsontext import dumps
from translators.models import ClaudeModel
from translators.names import ToolNames, distinct_tools
from translators.schema import Schema, UnspeakableError, constrained_schema, object_schema
from translators.types import ChatRequest, NativeTool, Note, ResponseFormat, Tool, ToolChoice

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
LONGEST_NAME = 128
TOOL_FIELDS = ("allowed_callers", "defer_loading", "eager_input_streaming", "input_examples")
"""What a tool of Claude's has beyond OpenAI's function; passes as it came."""

NATIVE_TOOL = re.compile(
    r"(web_search|web_fetch|code_execution|computer|computer_toolset|browser_toolset|bash|text_editor|memory"
    r"|tool_search_tool_regex|tool_search_tool_bm25|advisor)_20\d{6}|mcp_toolset"
)
"""Anthropic's own tools: a name and the date of its version."""

ANSWER_TOOL = "json_answer"
ANSWER_TOOL_DESCRIPTION = "Gives the user the final answer, in the form the user asked for."
JSON_ONLY = "Answer with one JSON object and nothing else: no words around it and no code fence."


# --- tools ----------------------------------------------------------------------------------------------------


def tool_blocks(chat: ChatRequest, model: ClaudeModel, names: ToolNames, notes: list[Note]) -> list[Block]:
    """Raises UntranslatableError for another provider's own tools."""
    allowed = chat.tool_choice.allowed if chat.tool_choice else ()
    blocks = []
    for path, tool in distinct_tools(chat.tools, notes):
        if isinstance(tool, NativeTool):
            block = native_tool(tool, path)
        else:
            block = function_tool(tool, model, names, path, notes)
        if not allowed or (tool.name if isinstance(tool, Tool) else tool.raw.get("name")) in allowed:
            blocks.append(block)
    return blocks


def native_tool(tool: NativeTool, path: str) -> Block:
    if NATIVE_TOOL.fullmatch(tool.type) or (tool.type == "custom" and "input_schema" in tool.raw):
        return dict(tool.raw)
    raise UntranslatableError(
        f"`{path}` is of type {tool.type!r}, which is no tool of Claude's. Claude knows functions and tools such as "
        "web_search_20260318 or code_execution_20260521.",
        param=path,
    )


def function_tool(tool: Tool, model: ClaudeModel, names: ToolNames, path: str, notes: list[Note]) -> Block:
    block: Block = {"name": names.wire(tool.name)}
    if tool.description is not None:
        block["description"] = tool.description
    block["input_schema"] = object_schema(tool.parameters)
    if tool.strict and not model.structured:
        notes.append(Note(f"{path}.function.strict", "this model has no strict tools"))
    elif tool.strict:
        block |= strict_fields(block["input_schema"], path, notes)
    for name, value in tool.extra.items():
        if name in TOOL_FIELDS:
            block[name] = value
        elif value:
            notes.append(Note(f"{path}.{name}", "Claude's tools have no such field"))
    return marked(block, tool.cache)


def strict_fields(schema: Schema, path: str, notes: list[Note]) -> Block:
    try:
        return {"strict": True, "input_schema": constrained_schema(schema)}
    except UnspeakableError as error:
        notes.append(Note(f"{path}.function.strict", f"Claude's strict tools do not take {error}"))
        return {}


def called_tools(names: Iterable[str]) -> list[Block]:
    """Definitions for tools that only the history knows: calls without any definition are refused."""
    return [{"name": name, "input_schema": object_schema(None)} for name in dict.fromkeys(names)]


def choice_block(chat: ChatRequest, model: ClaudeModel, names: ToolNames, notes: list[Note]) -> Block | None:
    """`tool_choice` for a request that has tools; None for Claude's default."""
    choice = chat.tool_choice or ToolChoice("auto")
    alone = {"disable_parallel_tool_use": True} if chat.parallel_tool_calls is False else {}
    if choice.mode == "none":
        return {"type": "none"}
    if choice.mode != "auto" and not model.forced_tools:
        notes.append(Note("tool_choice", "this model cannot be made to call a tool: it decides by itself"))
    elif choice.mode == "required":
        return {"type": "any", **alone}
    elif choice.mode == "named":
        return {"type": "tool", "name": names.wire(choice.name or ""), **alone}
    return {"type": "auto", **alone} if alone else None


# --- the form of the answer -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """How JSON is asked for: by constrained decoding (`schema`), by a tool whose input is the answer (`tool`), or in
    words (`instruction`)."""

    schema: Schema | None = None
    tool: Block | None = None
    instruction: str = ""


def answer_form(
    chat: ChatRequest, model: ClaudeModel, tools: list[Block], notes: list[Note], *, forceable: bool
) -> AnswerForm:
    """`forceable`: whether the model can be made to call a tool here."""
    wanted = chat.response_format
    if wanted is None or wanted.kind == "text":
        return AnswerForm()
    if wanted.kind == "json_object":
        return AnswerForm(instruction=JSON_ONLY)
    schema = wanted.schema or {}
    reason = "this model has no structured outputs"
    if model.structured:
        try:
            return AnswerForm(schema=constrained_schema(schema))
        except UnspeakableError as error:
            reason = f"Claude's structured outputs do not take {error}"
    if wanted.strict:
        notes.append(Note("response_format.json_schema.strict", reason))
    if tools and chat.tool_choice and chat.tool_choice.mode in ("required", "named"):
        return AnswerForm()  # This answer is a call; its form is the tool's.
    if forceable and schema.get("type", "object") == "object":
        return AnswerForm(tool=answer_tool(wanted, schema, {tool.get("name") for tool in tools}))
    words = dumps(schema).decode()
    return AnswerForm(instruction=f"{JSON_ONLY} It must follow this JSON schema:\n{words}")


def answer_tool(wanted: ResponseFormat, schema: Schema, taken: set[Any]) -> Block:
    name = ANSWER_TOOL
    while name in taken:
        name += "_"
    return {
        "name": name,
        "description": wanted.description or ANSWER_TOOL_DESCRIPTION,
        "input_schema": object_schema(schema),
    }


def answer_choice(chat: ChatRequest, tools: list[Block], answer: Block) -> Block:
    """The choice that makes the model end in the answer's tool: at once, or after tools of the client's."""
    if tools and not (chat.tool_choice and chat.tool_choice.mode == "none"):
        alone = {"disable_parallel_tool_use": True} if chat.parallel_tool_calls is False else {}
        return {"type": "any", **alone}
    return {"type": "tool", "name": answer["name"], "disable_parallel_tool_use": True}
