"""Gemini's generateContent: tools and the choice between them (Gemini API, "Function calling", "Grounding")."""

import re

from translators.errors import UntranslatableError
from translators.gemini_parts import JsonObject
from translators.gemini_schema import Schema, json_schema, openapi_schema
from translators.models import GeminiModel
from translators.names import ToolNames, distinct_tools
from translators.schema import object_schema
from translators.types import ChatRequest, NativeTool, Note, Tool, ToolChoice

TOOL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.-]{0,63}")
"""What every version takes; newer ones take colons, and 128 characters."""
LONGEST_NAME = 64

SERVER_TOOLS = {
    "google_search": "googleSearch",
    "google_search_retrieval": "googleSearchRetrieval",
    "google_maps": "googleMaps",
    "url_context": "urlContext",
    "code_execution": "codeExecution",
    "file_search": "fileSearch",
    "computer_use": "computerUse",
    "enterprise_web_search": "enterpriseWebSearch",
    "parallel_ai_search": "parallelAiSearch",
    "exa_ai_search": "exaAiSearch",
    "retrieval": "retrieval",
}
"""Tools that Google runs: {"type": "google_search", "google_search": {…}}; the settings may be missing."""


def tool_list(chat: ChatRequest, model: GeminiModel, names: ToolNames, notes: list[Note]) -> list[JsonObject]:
    """One entry with all functions, one for each tool that Google runs. Raises UntranslatableError for any other."""
    allowed = chat.tool_choice.allowed if chat.tool_choice else ()
    functions: list[JsonObject] = []
    server_tools: list[JsonObject] = []
    for path, tool in distinct_tools(chat.tools, notes):
        if isinstance(tool, NativeTool):
            server_tools.append(server_tool(tool, path))
        elif not allowed or tool.name in allowed:
            functions.append(declaration(tool, model, names, path, notes))
    options = chat.extensions.get("web_search_options")
    if options is not None:
        if options:
            notes.append(Note("web_search_options", "Google's search has no such settings: it searches as usual"))
        server_tools.append({"googleSearch": {}})
    return ([{"functionDeclarations": functions}] if functions else []) + server_tools


def server_tool(tool: NativeTool, path: str) -> JsonObject:
    settings = {name: value for name, value in tool.raw.items() if name != "type"}
    wire = SERVER_TOOLS.get(tool.type, tool.type)
    if wire not in SERVER_TOOLS.values():
        raise UntranslatableError(
            f"`{path}` is of type {tool.type!r}, which is no tool of Gemini's. Gemini knows functions and "
            f"{', '.join(SERVER_TOOLS)}.",
            param=path,
        )
    return {wire: settings.get(tool.type, settings.get(wire, settings))}


def declaration(tool: Tool, model: GeminiModel, names: ToolNames, path: str, notes: list[Note]) -> JsonObject:
    made: JsonObject = {"name": names.wire(tool.name)}
    if tool.description is not None:
        made["description"] = tool.description
    schema = object_schema(tool.parameters)
    if says_anything(schema):
        made |= parameters(schema, model, path, notes)
    if tool.strict:
        notes.append(Note(f"{path}.function.strict", "Gemini has no strict functions"))
    for name, value in tool.extra.items():
        if value:
            notes.append(Note(f"{path}.{name}", "Gemini's functions have no such field"))
    return made


def says_anything(schema: Schema) -> bool:
    """Whether a function has parameters at all: an object without properties is refused."""
    return bool(
        schema.get("properties")
        or isinstance(schema.get("additionalProperties"), dict)
        or any(name in schema for name in ("$ref", "anyOf", "oneOf", "allOf"))
    )


def parameters(schema: Schema, model: GeminiModel, path: str, notes: list[Note]) -> JsonObject:
    """The schema under the name that it has for this model."""
    if model.json_schema:
        return {"parametersJsonSchema": json_schema(schema)}
    form = openapi_schema(schema)
    if form.get("properties"):
        return {"parameters": form}
    notes.append(Note(f"{path}.function.parameters", "this model takes no objects with any keys"))
    return {}


def tool_config(chat: ChatRequest, tools: list[JsonObject], names: ToolNames, notes: list[Note]) -> JsonObject:
    """`toolConfig`; empty for Gemini's default."""
    choice = chat.tool_choice or ToolChoice("auto")
    if not any("functionDeclarations" in tool for tool in tools):
        if choice.mode in ("required", "named"):
            notes.append(Note("tool_choice", "there are no functions to choose from"))
        return {}
    if chat.parallel_tool_calls is False:
        notes.append(Note("parallel_tool_calls", "Gemini cannot be kept from calling several tools at once"))
    calling = calling_config(choice, names)
    return {"functionCallingConfig": calling} if calling else {}


def calling_config(choice: ToolChoice, names: ToolNames) -> JsonObject:
    match choice.mode:
        case "none":
            return {"mode": "NONE"}
        case "required":
            allowed = [names.wire(name) for name in choice.allowed]
            return {"mode": "ANY", "allowedFunctionNames": allowed} if allowed else {"mode": "ANY"}
        case "named":
            return {"mode": "ANY", "allowedFunctionNames": [names.wire(choice.name or "")]}
    return {}
