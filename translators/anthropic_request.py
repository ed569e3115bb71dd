"""Anthropic's Messages, the request: ChatRequest → body (Claude API reference, "Create a Message").

The order of the members, and of everything in them, depends on the request alone, so that prompt caches hit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from translators.anthropic_blocks import Block, text_block
from translators.anthropic_messages import ConversationWriter, Turn, bounded, lacks_reasoning
from translators.anthropic_options import (
    beta_headers,
    is_thinking,
    limits,
    own_object,
    passed_fields,
    sampling,
    stop_sequences,
    thinking_for,
)
from translators.anthropic_tools import (
    LONGEST_NAME,
    TOOL_NAME,
    AnswerForm,
    answer_choice,
    answer_form,
    called_tools,
    choice_block,
    tool_blocks,
)
from translators.errors import UntranslatableError
from translators.models import ClaudeModel
from translators.names import ToolNames
from translators.types import ChatRequest, Note, Target

CACHE_MARKS = 4
"""More marks in one request are refused (Claude documentation, "Prompt caching")."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A body without the model's name, which not every host wants in it. `betas` go into the anthropic-beta header;
    `context` is for reading the answer: `tools`, names on the wire → client's; `answer_tool`, see AnswerForm."""

    body: Block
    betas: tuple[str, ...]
    notes: tuple[Note, ...]
    context: Mapping[str, Any]


def draft_request(chat: ChatRequest, target: Target, model: ClaudeModel) -> Draft:
    """`model`: what it takes at this host. Raises UntranslatableError, naming the field, for what cannot be said."""
    if chat.n is not None and chat.n > 1:
        raise UntranslatableError("`n` is more than 1; Claude gives one answer to a request.", param="n")
    notes: list[Note] = []
    names = ToolNames(TOOL_NAME, LONGEST_NAME)
    betas = beta_headers(chat)
    writer = ConversationWriter(names, notes, inline_system=model.inline_system, images=target.image)
    system, turns = writer.write(chat.messages)
    tools, choice, form = tools_and_form(chat, target, model, names, notes)
    if form.instruction:
        system.append(text_block(form.instruction))
    thinking, effort = thinking_for(chat, model, notes)
    thinking = compatible_thinking(thinking, choice, turns, chat, notes)
    max_tokens, thinking = limits(chat, model, thinking, betas, notes)
    thinks = is_thinking(thinking)
    stop = stop_sequences(chat, notes)
    # Neither thinking nor constrained decoding can begin in the middle of an answer.
    turns = bounded(turns, notes, prefill=model.prefill and not thinks and form.schema is None)
    body: Block = {"max_tokens": max_tokens}
    if system:
        body["system"] = system
    body["messages"] = [{"role": turn.role, "content": turn.blocks} for turn in turns]
    if not tools:
        tools, choice = tools_of_history(turns)
    if tools:
        body["tools"] = tools
    if choice:
        body["tool_choice"] = choice
    if thinking:
        body["thinking"] = thinking
    body |= sampling(chat, model, notes, thinking=thinks)
    if stop:
        body["stop_sequences"] = stop
    config = output_config(chat, form, effort)
    if config:
        body["output_config"] = config
    body |= passed_fields(chat, notes)
    if chat.stream:
        body["stream"] = True
    limit_cache_marks(body, notes)
    context: dict[str, Any] = {}
    if names.renamed:
        context["tools"] = names.renamed
    if form.tool:
        context["answer_tool"] = form.tool["name"]
    return Draft(body, betas, tuple(notes), context)


def tools_and_form(
    chat: ChatRequest, target: Target, model: ClaudeModel, names: ToolNames, notes: list[Note]
) -> tuple[list[Block], Block | None, AnswerForm]:
    """The tools, which of them to call, and how the form of the answer is asked for."""
    tools: list[Block] = []
    choice: Block | None = None
    if target.tools:
        tools = tool_blocks(chat, model, names, notes)
    elif chat.tools:
        notes.append(Note("tools", "this provider is configured without tools"))
    if tools:
        choice = choice_block(chat, model, names, notes)
    elif chat.tool_choice and chat.tool_choice.mode in ("required", "named"):
        notes.append(Note("tool_choice", "there are no tools to choose from"))
    form = answer_form(chat, model, tools, notes, forceable=model.forced_tools and target.tools)
    if form.tool:
        choice = answer_choice(chat, tools, form.tool)
        tools = [*tools, form.tool]
    return tools, choice, form


def tools_of_history(turns: list[Turn]) -> tuple[list[Block], Block | None]:
    """Definitions for calls that are in the history only, and the choice not to call them again."""
    called = [block["name"] for turn in turns for block in turn.blocks if block["type"] == "tool_use"]
    return (called_tools(called), {"type": "none"}) if called else ([], None)


def compatible_thinking(
    thinking: Block | None, choice: Block | None, turns: list[Turn], chat: ChatRequest, notes: list[Note]
) -> Block | None:
    """Thinking with a budget goes neither with a forced call nor with a turn whose reasoning was lost; adaptive
    thinking goes with both. A call is what the client's code waits for, so it is the thinking that yields."""
    if thinking is None or thinking.get("type") != "enabled":
        return thinking
    field = "thinking" if "thinking" in chat.extensions else "reasoning_effort"
    if choice and choice["type"] in ("any", "tool"):
        notes.append(Note(field, "this model does not think where a tool call is forced"))
        return None
    if lacks_reasoning(turns):
        notes.append(Note(field, "the last tool calls came without their thinking_blocks: no thinking this time"))
        return None
    return thinking


def output_config(chat: ChatRequest, form: AnswerForm, effort: str | None) -> Block:
    """Effort and format; the client's own `output_config` goes before both."""
    config: Block = {}
    if effort:
        config["effort"] = effort
    if form.schema is not None:
        config["format"] = {"type": "json_schema", "schema": form.schema}
    return config | (own_object(chat, "output_config") or {})


# --- cache marks ----------------------------------------------------------------------------------------------


def limit_cache_marks(body: Block, notes: list[Note]) -> None:
    """Keep the last marks, which cover the most; a mark of the whole request counts as one."""
    places = marked_places(body)
    superfluous = len(places) + ("cache_control" in body) - CACHE_MARKS
    if superfluous <= 0:
        return
    for blocks, position in places[:superfluous]:
        blocks[position] = {name: value for name, value in blocks[position].items() if name != "cache_control"}
    notes.append(Note("cache_control", f"Claude takes {CACHE_MARKS} marks: the first {superfluous} were left out"))


def marked_places(body: Block) -> list[tuple[list[Block], int]]:
    """Every marked block as its list and position, in the order of the prompt: tools, system, messages."""
    places: list[tuple[list[Block], int]] = []
    lists = [body.get("tools", []), body.get("system", [])]
    for message in body["messages"]:
        results = (block for block in message["content"] if block["type"] == "tool_result")
        lists += [result["content"] for result in results if isinstance(result.get("content"), list)]
        lists.append(message["content"])
    for blocks in lists:
        places += [(blocks, position) for position, block in enumerate(blocks) if "cache_control" in block]
    return places
