"""A chat as a person reads it: OpenAI's messages → lines (OpenAI API reference, "Create chat completion").

What holds no promise about its shape: a client may send anything.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from inspection.views.layout import GAP
from inspection.views.media_lines import media_line
from inspection.views.text import compact, counted, one_line
from translators.jsontext import object_in, objects_in, text_in

READ_APART = ("model", "stream", "messages", "tools")
REASONING = ("reasoning_content", "reasoning")
SHOWN = frozenset({"role", "content", "name", "tool_calls", "tool_call_id", "refusal", *REASONING})
UNSAID: tuple[Any, ...] = (None, "", [], {})


def request_lines(request: Mapping[str, Any]) -> Iterator[str]:
    """The model and the settings, the tools, the messages."""
    yield from heading_lines(request)
    tools = objects_in(request.get("tools"))
    if tools:
        yield "tools: " + one_line(", ".join(map(tool_name, tools[:200])), 1000)
    messages = request.get("messages")
    called: dict[str, str] = {}
    for message in messages if isinstance(messages, list) else ():
        message = object_in(message)
        called |= {text_in(call.get("id")): call_name(call) for call in objects_in(message.get("tool_calls"))}
        yield GAP
        yield heading(message, called)
        yield from message_lines(message)


def heading_lines(request: Mapping[str, Any]) -> Iterator[str]:
    """`gpt-4o, streamed`, and a line for each setting."""
    yield one_line(text_in(request.get("model"))) + (", streamed" if request.get("stream") is True else "")
    for name, value in request.items():
        if name not in READ_APART:
            yield f"{name}: {compact(value)}"


def tool_name(tool: Mapping[str, Any]) -> str:
    """A function by its name and its parameters' names, any other tool by its type."""
    function = object_in(tool.get("function"))
    if not function:
        return text_in(tool.get("name")) or text_in(tool.get("type")) or "?"
    parameters = object_in(object_in(function.get("parameters")).get("properties"))
    return f"{text_in(function.get('name'))}({', '.join(parameters)})"


def heading(message: Mapping[str, Any], called: Mapping[str, str]) -> str:
    """`── tool · weather · call_1 ──`: who speaks, and what a result is the result of."""
    id_ = text_in(message.get("tool_call_id"))
    facts = (text_in(message.get("role")) or "?", text_in(message.get("name")), called.get(id_, ""), id_)
    return f"── {' · '.join(one_line(fact, 80) for fact in facts if fact)} ──"


def message_lines(message: Mapping[str, Any]) -> Iterator[str]:
    """What a message says, in a request or in an answer."""
    reasoning = next(filter(None, (text_in(message.get(name)) for name in REASONING)), "")
    if reasoning:
        yield folded(reasoning)
    yield from content_lines(message.get("content"))
    if text_in(message.get("refusal")):
        yield f"refused: {message['refusal']}"
    for call in objects_in(message.get("tool_calls")):
        yield call_line(call)
    for name, value in message.items():
        if name not in SHOWN and value not in UNSAID:
            yield extension_line(name, value)


def folded(reasoning: str) -> str:
    """Reasoning as a line: its length and its beginning."""
    return f"(reasoning, {len(reasoning)} characters: {one_line(reasoning, 100)})"


def content_lines(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        if content:
            yield content
    elif isinstance(content, list):
        for part in content:
            yield part if isinstance(part, str) else part_line(object_in(part))
    elif content is not None:
        yield compact(content, 1000)


def part_line(part: Mapping[str, Any]) -> str:
    """A content part: text as it is, anything else in a line."""
    match part:
        case {"type": "text", "text": str(text)}:
            return text
        case {"type": "image_url", "image_url": {"url": str(url)} | str(url)}:
            return media_line("image", url)
        case {"type": "input_audio", "input_audio": {"data": str(data), "format": str(format_)}}:
            return media_line("audio", data, format_)
        case {"type": "file", "file": dict(file)}:
            return file_line(file)
        case {"type": "refusal", "refusal": str(text)}:
            return f"refused: {text}"
    return f"[{one_line(text_in(part.get('type'))) or 'part'}: {compact(part)}]"


def file_line(file: Mapping[str, Any]) -> str:
    name = text_in(file.get("filename"))
    source = text_in(file.get("file_data")) or text_in(file.get("file_url"))
    if source:
        return media_line("file", source, name=name)
    return f"[file: {one_line(name or text_in(file.get('file_id')))}]"


def call_name(call: Mapping[str, Any]) -> str:
    return text_in(object_in(call.get("function")).get("name")) or text_in(object_in(call.get("custom")).get("name"))


def call_line(call: Mapping[str, Any]) -> str:
    """`→ weather({"city": "Oslo"}) · call_1`."""
    arguments = object_in(call.get("function")).get("arguments") or object_in(call.get("custom")).get("input") or ""
    text = arguments if isinstance(arguments, str) else compact(arguments, 10_000)
    return f"→ {one_line(call_name(call), 100)}({text}) · {one_line(text_in(call.get('id')), 80)}"


def extension_line(name: str, value: Any) -> str:
    """A member that OpenAI's messages do not always have: pictures, sound, sources, opaque reasoning."""
    match name, value:
        case "images", list():
            urls = [text_in(object_in(image.get("image_url")).get("url")) for image in objects_in(value)]
            return "\n".join(media_line("image", url) for url in urls[:100])
        case "audio", {"data": str(data)}:
            said = text_in(value.get("transcript"))
            return media_line("audio", data) + (f" “{said}”" if said else "")
        case "thinking_blocks", list():
            return f"(reasoning to be sent back: {counted(len(value), 'block')})"
    return f"{one_line(name, 80)}: {compact(value)}"
