"""Cohere's Chat, the request: ChatRequest → body (Cohere API reference, "Chat", version 2).

The order of the members, and of everything in them, depends on the request alone, so that prompt caches hit.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from translators.cohere_messages import ConversationWriter, Json
from translators.cohere_schema import cohere_schema, fields_in
from translators.defaults import changes_nothing
from translators.errors import RequestError, UntranslatableError
from translators.jsontext import dumps
from translators.names import ToolNames, distinct_tools
from translators.schema import Schema, UnspeakableError, object_schema
from translators.types import ChatRequest, Note, Target, Tool

REASONING_MODEL = re.compile(r"command-a-plus|reasoning")
"""Models that think before they answer, unless told not to (Cohere documentation, "Reasoning Capabilities")."""

BUDGETS = {"minimal": 1_024, "low": 2_048, "medium": 8_192}
"""reasoning_effort → tokens of thinking; more effort than these is no limit."""

EFFORTS = ("none", *BUDGETS, "high", "xhigh", "max")

PASSED = ("citation_options", "priority", "safety_mode", "strict_tools")
TAKEN = frozenset({*PASSED, "documents", "k", "p", "thinking", "top_k"})
"""Fields of Cohere's that OpenAI has not, and `top_k`, as most call `k`."""

TOOL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
LONGEST_NAME = 128
"""Cohere names no limit; this is the others'."""

MOST_STOP_SEQUENCES = 5
MOST_STRICT_FIELDS = 200
P_RANGE = (0.01, 0.99)

JSON_ONLY = "Answer with one JSON object and nothing else: no words around it and no code fence."


@dataclass(frozen=True, slots=True)
class Draft:
    """`context` is for reading the answer: `tools`, names on the wire → client's."""

    body: Json
    notes: tuple[Note, ...]
    context: Mapping[str, Any]


def draft_request(chat: ChatRequest, target: Target) -> Draft:
    """Raises UntranslatableError, naming the field, for what the wire cannot say."""
    if chat.n is not None and chat.n > 1:
        raise UntranslatableError("`n` is more than 1; Cohere gives one answer to a request.", param="n")
    notes: list[Note] = []
    names = ToolNames(TOOL_NAME, LONGEST_NAME)
    reasons = REASONING_MODEL.search(target.model.lower()) is not None
    writer = ConversationWriter(names, notes, images=target.image, reasons=reasons)
    messages = writer.write(chat.messages)
    tools = tool_fields(chat, target, names, notes)
    documents = [*client_documents(chat), *writer.documents]
    form, instruction = answer_form(chat, notes, alone=not tools and not documents)
    if instruction:
        messages.insert(0, {"role": "system", "content": instruction})
    body: Json = {"model": target.model, "messages": messages, **tools}
    if documents:
        body["documents"] = documents
    body |= form
    body |= limits_and_sampling(chat, notes)
    body |= thinking_field(chat, notes, reasons=reasons)
    body |= {name: chat.extensions[name] for name in PASSED if name in chat.extensions}
    if chat.stream:
        body["stream"] = True
    note_unsaid(chat, notes)
    return Draft(body, tuple(notes), {"tools": names.renamed} if names.renamed else {})


# --- tools ----------------------------------------------------------------------------------------------------


def tool_fields(chat: ChatRequest, target: Target, names: ToolNames, notes: list[Note]) -> Json:
    """`tools`, `strict_tools` and `tool_choice`. A call of one tool is forced by offering no other."""
    if chat.tools and not target.tools:
        notes.append(Note("tools", "this provider is configured without tools"))
        return {}
    choice = chat.tool_choice
    allowed = choice.allowed if choice else ()
    if choice and choice.mode == "named" and choice.name:
        allowed = (choice.name,)
    functions = [function_tool(tool, path) for path, tool in distinct_tools(chat.tools, notes)]
    offered = [tool for tool in functions if not allowed or tool.name in allowed]
    if not offered:
        if choice and choice.mode in ("required", "named"):
            notes.append(Note("tool_choice", "there are no tools to choose from"))
        return {"tool_choice": "NONE"} if choice and choice.mode == "none" else {}
    fields: Json = {"tools": [written_tool(tool, names, notes) for tool in offered]}
    if any(tool.strict for tool in offered):
        fields |= strict_fields(offered, fields["tools"], notes)
    if choice and choice.mode == "none":
        fields["tool_choice"] = "NONE"
    elif choice and choice.mode in ("required", "named"):
        fields["tool_choice"] = "REQUIRED"
    return fields


def function_tool(tool: Any, path: str) -> Tool:
    if isinstance(tool, Tool):
        return tool
    raise UntranslatableError(f"`{path}` is of type {tool.type!r}; Cohere's tools are functions.", param=path)


def written_tool(tool: Tool, names: ToolNames, notes: list[Note]) -> Json:
    function: Json = {"name": names.wire(tool.name)}
    if tool.description is not None:
        function["description"] = tool.description
    function["parameters"] = object_schema(tool.parameters)
    for name, value in tool.extra.items():
        if value:
            notes.append(Note(f"tools.{tool.name}.{name}", "Cohere's tools have no such field"))
    if tool.cache:
        notes.append(Note(f"tools.{tool.name}.cache_control", "Cohere caches by itself"))
    return {"type": "function", "function": function}


def strict_fields(tools: list[Tool], written: list[Json], notes: list[Note]) -> Json:
    """All tools are strict or none: `strict_tools`, with schemas that decoding can follow."""
    reason = ""
    schemas: list[Schema] = []
    try:
        schemas = [cohere_schema(object_schema(tool.parameters)) for tool in tools]
    except UnspeakableError as error:
        reason = f"Cohere's strict tools do not take {error}"
    if not all(tool.strict for tool in tools):
        reason = "Cohere's tools are strict all together or not at all"
    elif fields_in(schemas) > MOST_STRICT_FIELDS:
        reason = f"Cohere's strict tools have at most {MOST_STRICT_FIELDS} fields together"
    if reason:
        notes.append(Note("tools.strict", reason))
        return {}
    functions = [tool["function"] | {"parameters": schema} for tool, schema in zip(written, schemas, strict=True)]
    return {"tools": [{"type": "function", "function": function} for function in functions], "strict_tools": True}


# --- documents, the form of the answer ------------------------------------------------------------------------


def client_documents(chat: ChatRequest) -> list[Any]:
    documents = chat.extensions.get("documents") or []
    if not isinstance(documents, list):
        raise RequestError("`documents` must be a list.", param="documents")
    return documents


def answer_form(chat: ChatRequest, notes: list[Note], *, alone: bool) -> tuple[Json, str]:
    """`response_format`, or words that ask for the same where Cohere does not combine it with tools and documents."""
    wanted = chat.response_format
    if wanted is None or wanted.kind == "text":
        return {}, ""
    schema = wanted.schema if wanted.kind == "json_schema" else None
    reason = "" if alone else "Cohere does not combine it with tools or documents: asked for in words"
    form: Json = {"type": "json_object"}
    if schema is not None and alone:
        try:
            form["json_schema"] = cohere_schema(schema)
        except UnspeakableError as error:
            reason = f"Cohere's structured outputs do not take {error}: asked for in words"
    if reason:
        notes.append(Note("response_format", reason))
    instruction = JSON_ONLY if reason else ""
    if reason and schema:
        instruction += f" It must follow this JSON schema:\n{dumps(schema).decode()}"
    return {"response_format": form} if alone else {}, instruction


# --- limits, sampling, thinking -------------------------------------------------------------------------------


def limits_and_sampling(chat: ChatRequest, notes: list[Note]) -> Json:
    stop = [sequence for sequence in chat.stop if sequence]
    if len(stop) > MOST_STOP_SEQUENCES:
        notes.append(Note("stop", f"Cohere takes {MOST_STOP_SEQUENCES} stop sequences: the rest was left out"))
    p = chat.extensions.get("p", chat.top_p)
    fields = {
        "max_tokens": chat.max_tokens,
        "stop_sequences": stop[:MOST_STOP_SEQUENCES] or None,
        "temperature": within("temperature", chat.temperature, (0, 1), notes),
        "seed": chat.seed,
        "frequency_penalty": within("frequency_penalty", chat.frequency_penalty, (0, 1), notes),
        "presence_penalty": within("presence_penalty", chat.presence_penalty, (0, 1), notes),
        "k": chat.extensions.get("k", chat.extensions.get("top_k")),
        # OpenAI's 1 means no limit, and so, nearly, does Cohere's highest.
        "p": within("top_p", P_RANGE[1] if p == 1 else p, P_RANGE, notes),
        "logprobs": chat.logprobs,
    }
    return {name: value for name, value in fields.items() if value is not None}


def within(name: str, value: Any, bounds: tuple[float, float], notes: list[Note]) -> Any:
    """A number, or the nearest that Cohere takes."""
    if value is None:
        return None
    if not isinstance(value, int | float):
        raise RequestError(f"`{name}` must be a number.", param=name)
    least, most = bounds
    if least <= value <= most:
        return value
    notes.append(Note(name, f"Cohere takes {least} to {most}"))
    return min(max(value, least), most)


def thinking_field(chat: ChatRequest, notes: list[Note], *, reasons: bool) -> Json:
    """The client's own `thinking`, also in Anthropic's form, before `reasoning_effort`."""
    own = chat.extensions.get("thinking")
    if own is not None:
        if not isinstance(own, dict) or not isinstance(own.get("type"), str):
            raise RequestError('`thinking` must be an object with a "type".', param="thinking")
        budget = own.get("token_budget", own.get("budget_tokens"))
        thinking: Json = {"type": "disabled" if own["type"] == "disabled" else "enabled"}
        return {"thinking": thinking if budget is None else thinking | {"token_budget": budget}}
    effort = chat.reasoning_effort
    if effort is None or (effort == "none" and not reasons):
        return {}
    if not reasons or effort not in EFFORTS:
        reason = f"{effort!r} is none of {', '.join(EFFORTS)}" if reasons else "this model does not reason"
        notes.append(Note("reasoning_effort", reason))
        return {}
    if effort == "none":
        return {"thinking": {"type": "disabled"}}
    budget = BUDGETS.get(effort)
    return {"thinking": {"type": "enabled"} if budget is None else {"type": "enabled", "token_budget": budget}}


# --- the rest -------------------------------------------------------------------------------------------------


def note_unsaid(chat: ChatRequest, notes: list[Note]) -> None:
    """Notes for everything that has no place in Cohere's body."""
    unsaid: dict[str, Any] = {
        "logit_bias": chat.logit_bias,
        "top_logprobs": chat.top_logprobs,
        "user": chat.user,
        "parallel_tool_calls": chat.parallel_tool_calls is False,
    }
    names = [name for name, value in unsaid.items() if value]
    names += [name for name, value in chat.extensions.items() if name not in TAKEN and not changes_nothing(name, value)]
    notes += [Note(name, "Cohere has no such parameter") for name in names]
