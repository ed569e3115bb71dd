"""OpenAI's wire, the request: what must differ from the client's for one host and one model (see hosts.py).

Most requests go out byte for byte. A look at the bytes, or at the names in a message, comes before anything is copied.
"""

from collections.abc import Iterator, Mapping, Set
from hashlib import sha256
from typing import Any

from translators.base import ClientRequest
from translators.defaults import changes_nothing
from translators.errors import RequestError
from translators.hosts import CallIds, Facts
from translators.jsontext import object_in
from translators.media import is_picture
from translators.types import Note, Target

ABSENT = object()
"""Marks a field that has to go."""

SIGNATURE = "extra_content"
"""Where Google's own host of this wire, and the engine gemini, put a call's thought signature."""

DETAILS = "reasoning_details"
"""OpenRouter's."""

FOREIGN = frozenset({"thinking_blocks", "native_blocks", SIGNATURE, DETAILS})
"""What answers of other engines hold and only these engines can read."""

FOREIGN_MARKERS = tuple(f'"{name}"'.encode() for name in FOREIGN)

PICTURE_MARKERS = (b'"image_url"', b'"file_data"')
"""What stands in a body wherever there is a picture."""

REASONING = ("reasoning", "reasoning_content")

TOOL_FIELDS = ("tools", "tool_choice", "parallel_tool_calls")


def edited(raw: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of an object with some fields replaced, added or gone, everything else in its place."""
    return {name: value for name, value in {**raw, **changes}.items() if value is not ABSENT}


def adjustments(request: ClientRequest, target: Target, facts: Facts) -> tuple[dict[str, Any], tuple[Note, ...]]:
    """The fields that must differ for this target, and notes about what was left out. Raises RequestError."""
    notes: list[Note] = []
    changes: dict[str, Any] = {}
    if target.model != request.model:
        changes["model"] = target.model
    changes |= renamed_fields(request.raw, facts)
    changes |= refused_fields(request.raw, facts, notes)
    if request.stream and not request.include_usage and "stream_options" not in facts.refused:
        # For the statistics; the client, who did not ask, does not see it.
        options = request.raw.get("stream_options") or {}
        if not isinstance(options, dict):
            raise RequestError("`stream_options` must be an object.", param="stream_options")
        changes["stream_options"] = {**options, "include_usage": True}
    changes |= adjusted_tools(request, target, facts, notes)
    messages = adjusted_messages(request, target, facts, notes)
    if messages is not None:
        changes["messages"] = messages
    if facts.without_thinking is not None:
        reason = thinking_refused({**request.raw, **changes})
        if reason:
            notes.append(Note("thinking", reason))
            changes |= {**facts.without_thinking, "reasoning_effort": ABSENT}
    return changes, tuple(notes)


# --- the body's fields ----------------------------------------------------------------------------------------


def renamed_fields(raw: Mapping[str, Any], facts: Facts) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for own, theirs in facts.renamed.items():
        if own in raw:
            # Of a request's two limits the one with the newer name counts.
            first, second = (theirs, own) if own == "max_tokens" else (own, theirs)
            value = raw.get(second) if raw.get(first) is None else raw[first]
            changes |= {own: ABSENT, theirs: ABSENT if value is None else value}
    return changes


def refused_fields(raw: Mapping[str, Any], facts: Facts, notes: list[Note]) -> dict[str, Any]:
    refused = facts.refused
    effort = raw.get("reasoning_effort")
    if facts.reasons_unasked if effort is None else effort != "none":
        refused |= facts.refused_reasoning
    found = [name for name in raw if name in refused]
    for name in found:
        if not changes_nothing(name, raw[name]):
            notes.append(Note(name, "refused by this provider's model"))
    return dict.fromkeys(found, ABSENT)


def thinking_refused(body: Mapping[str, Any]) -> str | None:
    """Why a model that thinks unasked must not do it this time; None if it may, or will not."""
    thinking = body.get("thinking")
    if body.get("reasoning_effort") == "none" or (isinstance(thinking, dict) and thinking.get("type") == "disabled"):
        return None
    choice = body.get("tool_choice")
    if choice == "required" or (isinstance(choice, dict) and choice.get("type") == "function"):
        return "this model does not think where a tool call is forced"
    for message in body["messages"]:
        if isinstance(message, dict) and message.get("tool_calls") and "reasoning_content" not in message:
            return "earlier tool calls came without their reasoning_content: no thinking this time"
    return None


# --- tools ----------------------------------------------------------------------------------------------------


def adjusted_tools(request: ClientRequest, target: Target, facts: Facts, notes: list[Note]) -> dict[str, Any]:
    tools = request.raw.get("tools")
    if tools == []:  # An empty list is refused, and so is a choice from it.
        return dict.fromkeys(TOOL_FIELDS, ABSENT)
    if tools and not target.tools:
        notes.append(Note("tools", "this provider is configured without tools"))
        return dict.fromkeys(TOOL_FIELDS, ABSENT)
    marked = not facts.cache_marks and b'"cache_control"' in request.body
    named = not facts.schema_names and b'"$schema"' in request.body
    if not isinstance(tools, list) or not (marked or named):
        return {}
    return {"tools": [plain_tool(tool, facts) for tool in tools]}


def plain_tool(tool: Any, facts: Facts) -> Any:
    """A tool without the names that a host refuses in it."""
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict):
        return tool
    if not facts.schema_names and isinstance(function.get("parameters"), dict):
        function = edited(function, {"parameters": edited(function["parameters"], {"$schema": ABSENT})})
    if not facts.cache_marks:
        function = edited(function, {"cache_control": ABSENT})
        tool = edited(tool, {"cache_control": ABSENT})
    return {**tool, "function": function}


# --- messages -------------------------------------------------------------------------------------------------


def adjusted_messages(request: ClientRequest, target: Target, facts: Facts, notes: list[Note]) -> list[Any] | None:
    """The messages as this host takes them; None where nothing differs."""
    pictured = not target.image and any(marker in request.body for marker in PICTURE_MARKERS)
    if not pictured and not worth_a_look(request.body, facts):
        return None
    dropped: dict[str, int] = {}
    messages = []
    for position, message in enumerate(request.raw["messages"]):
        adjusted = adjusted_message(message, facts) if isinstance(message, dict) else message
        if adjusted is not message:
            for name in refused_names(message, facts):
                dropped.setdefault(name, position)
        if pictured and isinstance(adjusted, dict):
            adjusted = without_images(adjusted, f"messages[{position}]", notes)
        messages.append(adjusted)
    notes += [Note(f"messages[{position}].{name}", "refused by this provider") for name, position in dropped.items()]
    return messages if messages != request.raw["messages"] else None


def worth_a_look(body: bytes, facts: Facts) -> bool:
    """Whether there may be something in the messages that this host does not take as it is."""
    return (
        facts.message_fields is not None
        or facts.text_only
        or any(marker in body for marker in FOREIGN_MARKERS)
        or any(f'"{role}"'.encode() in body for role in facts.roles)
        or (facts.reasoning is not None and b'"reasoning' in body)
        or (b'"tool_calls"' in body and (facts.call_ids is not None or b'"index"' in body))
    )


def refused_names(message: Mapping[str, Any], facts: Facts) -> Iterator[str]:
    """The fields of a message, and of the calls in it, that say something and have no place here."""
    for name, value in message.items():
        kept = is_known(name, facts) or (facts.reasoning and name in REASONING) or name == "refusal"  # as content
        if value and not kept:
            yield name
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict):
            yield from (f"tool_calls[].{name}" for name in call if name != "index" and not is_known(name, facts))


def is_known(name: str, facts: Facts) -> bool:
    if name in FOREIGN:
        return (name == SIGNATURE and facts.signatures) or (name == DETAILS and facts.reasoning_details)
    return facts.message_fields is None or name in facts.message_fields


def unknown_names(message: Mapping[str, Any], facts: Facts) -> Set[str]:
    """The same of a whole message, fast: every message of most requests comes by here."""
    if facts.message_fields is None:
        return {name for name in message.keys() & FOREIGN if not is_known(name, facts)}
    return message.keys() - facts.message_fields


def adjusted_message(message: Mapping[str, Any], facts: Facts) -> Any:
    changes: dict[str, Any] = dict.fromkeys(unknown_names(message, facts), ABSENT)
    role = message.get("role")
    if isinstance(role, str) and role in facts.roles:
        changes["role"] = facts.roles[role]
    if facts.reasoning is not None:
        changes |= renamed_reasoning(message, facts.reasoning)
    if facts.call_ids is not None and "tool_call_id" in message:
        changes["tool_call_id"] = call_id(message["tool_call_id"], facts.call_ids)
    if isinstance(message.get("tool_calls"), list):
        changes["tool_calls"] = [adjusted_call(call, facts) for call in message["tool_calls"]]
    content = message.get("content")
    if not is_known("refusal", facts):
        content = with_refusal(content, message.get("refusal"))
    if isinstance(content, list) and not facts.cache_marks:
        content = [edited(part, {"cache_control": ABSENT}) if isinstance(part, dict) else part for part in content]
    if facts.text_only:
        content = one_text(content)
    if content is not message.get("content"):
        changes["content"] = content
    return edited(message, changes) if changes else message


def renamed_reasoning(message: Mapping[str, Any], name: str) -> dict[str, Any]:
    other = next(other for other in REASONING if other != name)
    if other not in message:
        return {}
    return {other: ABSENT, name: message.get(name) or message[other]}


def adjusted_call(call: Any, facts: Facts) -> Any:
    """A call without what clients copy from streams and hosts refuse, its position, and with an id that is taken."""
    if not isinstance(call, dict):
        return call
    kept = {name: value for name, value in call.items() if name != "index" and is_known(name, facts)}
    if facts.call_ids is not None and "id" in kept:
        kept["id"] = call_id(kept["id"], facts.call_ids)
    return kept


def call_id(own: Any, ids: CallIds) -> Any:
    """The id under which a host takes a call; the same for the same id, in the call and in its result."""
    if not isinstance(own, str) or ids.pattern.fullmatch(own):
        return own
    return sha256(own.encode("utf-8", "replace")).hexdigest()[: ids.digits]


def with_refusal(content: Any, refusal: Any) -> Any:
    """Content with refusals as text, for hosts that know no such field and no such part; the same if there are none."""
    if isinstance(content, list) and any(object_in(part).get("type") == "refusal" for part in content):
        content = [refusal_as_text(part) for part in content]
    if not isinstance(refusal, str) or not refusal:
        return content
    if isinstance(content, list):
        return [*content, {"type": "text", "text": refusal}]
    return f"{content}\n{refusal}" if content else refusal


def refusal_as_text(part: Any) -> Any:
    match part:
        case {"type": "refusal", "refusal": str(text)}:
            return {"type": "text", "text": text}
    return part


def one_text(content: Any) -> Any:
    """Content as one string, if there is nothing but text in it."""
    if content is None:
        return ""
    if isinstance(content, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in content):
        return "\n".join(str(part.get("text", "")) for part in content)
    return content


def without_images(message: dict[str, Any], path: str, notes: list[Note]) -> dict[str, Any]:
    content = message.get("content")
    if not isinstance(content, list):
        return message
    kept = [item for item in content if not is_image_part(object_in(item))]
    if len(kept) == len(content):
        return message
    notes.append(Note(f"{path}.content", "this provider is configured without images"))
    return {**message, "content": kept or ""}  # An empty list is refused.


def is_image_part(part: Mapping[str, Any]) -> bool:
    """Whether a part of a message is a picture, also as a file."""
    return part.get("type") == "image_url" or (
        part.get("type") == "file" and is_picture(object_in(part.get("file")).get("file_data"))
    )
