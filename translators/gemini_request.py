"""Gemini's generateContent, the request: ChatRequest → body (Gemini API reference, "Generating content").

The order of the members, and of everything in them, depends on the request alone, so that prompt caches hit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from translators.gemini_contents import ConversationWriter
from translators.gemini_options import answer_form, generation_config, own_settings
from translators.gemini_parts import JsonObject
from translators.gemini_tools import LONGEST_NAME, TOOL_NAME, tool_config, tool_list
from translators.jsontext import object_in, text_in
from translators.models import gemini_model
from translators.names import ToolNames
from translators.types import ChatRequest, Note, Target


@dataclass(frozen=True, slots=True)
class Host:
    """What the Gemini API and Vertex do not share. `fields`: members of the body that pass as they came;
    `tells_server_tools`: answers can tell what tools of Google's own did."""

    fields: frozenset[str]
    tells_server_tools: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """A body; `context` is for reading the answer: `tools`, names on the wire → client's, and `audio`, the format of
    sound that the client wants."""

    body: JsonObject
    notes: tuple[Note, ...]
    context: Mapping[str, Any]


def draft_request(chat: ChatRequest, target: Target, host: Host) -> Draft:
    """Raises UntranslatableError, naming the field, for what the wire cannot say."""
    model = gemini_model(target.model)
    notes: list[Note] = []
    names = ToolNames(TOOL_NAME, LONGEST_NAME)
    settings = own_settings(chat, host.fields, notes)
    system, contents = ConversationWriter(names, model, notes, images=target.image).write(chat.messages)
    tools: list[JsonObject] = []
    if target.tools:
        tools = tool_list(chat, model, names, notes)
    elif chat.tools:
        notes.append(Note("tools", "this provider is configured without tools"))
    config = generation_config(chat, model, settings, notes)
    form, instruction = answer_form(chat, model, notes, with_tools=bool(tools))
    if instruction:
        system.append({"text": instruction})
    body: JsonObject = {}
    if system:
        body["systemInstruction"] = {"parts": system}
    body["contents"] = contents
    if tools:
        body["tools"] = tools
    choice = tool_config(chat, tools, names, notes) | object_in(settings.body.get("toolConfig"))
    if len(tools) > 1 and model.combines and host.tells_server_tools and "functionDeclarations" in tools[0]:
        choice = {"includeServerSideToolInvocations": True} | choice
    if choice:
        body["toolConfig"] = choice
    config |= form | settings.own_config
    if config:
        body["generationConfig"] = config
    body |= {name: value for name, value in settings.body.items() if name != "toolConfig"}
    note_cache_marks(chat, notes)
    return Draft(body, tuple(notes), context_of(chat, names))


def context_of(chat: ChatRequest, names: ToolNames) -> Mapping[str, Any]:
    context: dict[str, Any] = {}
    if names.renamed:
        context["tools"] = names.renamed
    sound = text_in(object_in(chat.extensions.get("audio")).get("format"))
    if sound:
        context["audio"] = sound
    return context


def note_cache_marks(chat: ChatRequest, notes: list[Note]) -> None:
    """Marks for prompt caches are Anthropic's; Gemini caches by itself, or by `cached_content`."""
    marked = [message.cache for message in chat.messages] + [getattr(tool, "cache", None) for tool in chat.tools]
    marked += [getattr(part, "cache", None) for message in chat.messages for part in message.parts]
    if any(marked):
        notes.append(Note("cache_control", "Gemini caches by itself"))
