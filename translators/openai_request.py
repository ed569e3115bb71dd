"""OpenAI's Chat Completions, the request: JSON → ChatRequest (OpenAI API reference, "Create chat completion")."""

from collections.abc import Mapping
from typing import Any

from translators.base import ClientRequest
from translators.errors import RequestError, UntranslatableError
from translators.json_request import json_type, read_object
from translators.jsontext import dumps, object_in, objects_in, text_in
from translators.types import (
    AudioPart,
    ChatRequest,
    FilePart,
    ImagePart,
    Message,
    NativePart,
    NativeTool,
    Part,
    RefusalPart,
    ResponseFormat,
    TextPart,
    Tool,
    ToolCall,
    ToolChoice,
)

ROLES = ("system", "developer", "user", "assistant", "tool")
REASONING_FIELDS = ("reasoning_content", "reasoning")
"""Where clients send reasoning back as text: DeepSeek's name and most hosts', and OpenRouter's."""


def read_request(body: bytes) -> ClientRequest:
    """The request as far as every engine needs it: JSON, a model, messages. Raises RequestError."""
    raw = read_object(body)
    messages = raw.get("messages")
    if not isinstance(messages, list) or not messages:
        raise RequestError("`messages` must be a list with at least one message.", param="messages")
    return ClientRequest(body, raw, parse_chat)


def parse_chat(raw: Mapping[str, Any]) -> ChatRequest:
    """The whole request in typed parts. Raises RequestError with the path of what is wrong, UntranslatableError for
    what is right and only OpenAI's wire can say."""
    fields = {name: value for name, value in raw.items() if value is not None}
    refuse_retired(fields, "")
    older_limit = number(fields, "max_tokens", int)
    newer_limit = number(fields, "max_completion_tokens", int)
    return ChatRequest(
        model=fields.pop("model"),
        messages=tuple(message(item, f"messages[{i}]") for i, item in enumerate(fields.pop("messages"))),
        stream=fields.pop("stream", None) is True,
        tools=tuple(tool(item, f"tools[{i}]") for i, item in enumerate(of_type(fields, "tools", list, []))),
        tool_choice=tool_choice(fields.pop("tool_choice", None)),
        parallel_tool_calls=of_type(fields, "parallel_tool_calls", bool, None),
        response_format=response_format(fields.pop("response_format", None)),
        max_tokens=older_limit if newer_limit is None else newer_limit,
        stop=stop_sequences(fields.pop("stop", None)),
        temperature=number(fields, "temperature"),
        top_p=number(fields, "top_p"),
        n=number(fields, "n", int),
        seed=number(fields, "seed", int),
        frequency_penalty=number(fields, "frequency_penalty"),
        presence_penalty=number(fields, "presence_penalty"),
        logit_bias=of_type(fields, "logit_bias", dict, None),
        logprobs=of_type(fields, "logprobs", bool, None),
        top_logprobs=number(fields, "top_logprobs", int),
        reasoning_effort=of_type(fields, "reasoning_effort", str, None),
        user=of_type(fields, "user", str, None),
        extensions={name: value for name, value in fields.items() if name != "stream_options"},
    )


# --- messages -------------------------------------------------------------------------------------------------


def message(raw: Any, path: str) -> Message:
    if not isinstance(raw, dict):
        raise RequestError(f"`{path}` must be an object, not {json_type(raw)}.", param=path)
    fields = {name: value for name, value in raw.items() if value is not None}
    refuse_retired(fields, f"{path}.")
    role = fields.pop("role", None)
    if role == "function":
        raise UntranslatableError(
            f"`{path}.role` is `function`, OpenAI's retired form of a result; send the role `tool` instead.",
            param=f"{path}.role",
        )
    if role not in ROLES:
        raise RequestError(f"`{path}.role` must be one of {', '.join(ROLES)}; got {role!r}.", param=f"{path}.role")
    if role == "tool" and not isinstance(fields.get("tool_call_id"), str):
        raise RequestError(
            f"`{path}.tool_call_id` is missing: name the call that this is the result of.",
            param=f"{path}.tool_call_id",
        )
    parts = content(fields.pop("content", None), f"{path}.content", lenient=role == "tool")
    refusal = of_type(fields, "refusal", str, None, path)
    if refusal:
        parts = (*parts, RefusalPart(refusal))
    reasoning = [fields.pop(name) for name in REASONING_FIELDS if isinstance(fields.get(name), str)]
    return Message(
        role=role,
        parts=parts,
        tool_calls=tuple(
            tool_call(item, f"{path}.tool_calls[{i}]")
            for i, item in enumerate(of_type(fields, "tool_calls", list, [], path))
        ),
        tool_call_id=of_type(fields, "tool_call_id", str, None, path),
        name=of_type(fields, "name", str, None, path),
        reasoning=next(filter(None, reasoning), None),
        thinking=tuple(
            thinking_block(item, f"{path}.thinking_blocks[{i}]")
            for i, item in enumerate(of_type(fields, "thinking_blocks", list, [], path))
        ),
        cache=cache_mark(fields),
        extra=fields,
    )


def refuse_retired(fields: Mapping[str, Any], path: str) -> None:
    for retired in ("functions", "function_call"):
        if retired in fields:
            where = f"{path}{retired}"
            raise UntranslatableError(
                f"`{where}` is OpenAI's retired form, which no other engine knows; send tools and tool calls instead.",
                param=where,
            )


def content(raw: Any, path: str, *, lenient: bool) -> tuple[Part, ...]:
    """A message's content. `lenient` takes any JSON as a tool's result, as text."""
    if raw is None or raw == "":
        return ()
    if isinstance(raw, str):
        return (TextPart(raw),)
    if isinstance(raw, list) and (not lenient or all(text_in(object_in(item).get("type")) for item in raw)):
        return tuple(part(item, f"{path}[{i}]") for i, item in enumerate(raw))
    if lenient:
        return (TextPart(dumps(raw).decode()),)
    raise RequestError(f"`{path}` must be text or a list of parts, not {json_type(raw)}.", param=path)


def part(raw: Any, path: str) -> Part:
    if isinstance(raw, str):
        return TextPart(raw)
    if not isinstance(raw, dict) or not isinstance(raw.get("type"), str):
        raise RequestError(f'`{path}` must be an object with a "type".', param=path)
    fields = dict(raw)
    kind = fields.pop("type")
    if kind == "text":
        text = required(fields, "text", str, path)
        del fields["text"]
        return TextPart(text, cache=cache_mark(fields), extra=fields)
    if kind == "image_url":
        image = fields.get("image_url")
        image = {"url": image} if isinstance(image, str) else image
        if not isinstance(image, dict) or not isinstance(image.get("url"), str):
            raise RequestError(f"`{path}.image_url.url` is missing.", param=f"{path}.image_url.url")
        return ImagePart(image["url"], detail=text_in(image.get("detail")) or None, cache=cache_mark(fields))
    if kind == "input_audio":
        audio = required(fields, "input_audio", dict, path)
        where = f"{path}.input_audio"
        return AudioPart(required(audio, "data", str, where), required(audio, "format", str, where))
    if kind == "file":
        return file_part(required(fields, "file", dict, path), cache_mark(fields), f"{path}.file")
    if kind == "refusal":
        return RefusalPart(required(fields, "refusal", str, path))
    return NativePart(kind, raw)


def file_part(raw: Mapping[str, Any], cache: Mapping[str, Any] | None, path: str) -> FilePart:
    fields = dict(raw)
    found = FilePart(
        data=of_type(fields, "file_data", str, None, path),
        filename=of_type(fields, "filename", str, None, path),
        file_id=of_type(fields, "file_id", str, None, path),
        url=of_type(fields, "file_url", str, None, path),
        cache=cache,
        extra=fields,
    )
    if not (found.data or found.file_id or found.url):
        raise RequestError(f"`{path}` needs file_data, file_id or file_url.", param=path)
    return found


def thinking_block(raw: Any, path: str) -> Mapping[str, Any]:
    """A reasoning block as it came, without the position that streams give it."""
    if not isinstance(raw, dict):
        raise RequestError(f"`{path}` must be an object, not {json_type(raw)}.", param=path)
    return {name: value for name, value in raw.items() if name != "index"}


def tool_call(raw: Any, path: str) -> ToolCall:
    if not isinstance(raw, dict):
        raise RequestError(f"`{path}` must be an object, not {json_type(raw)}.", param=path)
    if raw.get("type") == "custom":
        raise UntranslatableError(f"`{path}` calls a custom tool; custom tools are OpenAI's own.", param=path)
    fields = {name: value for name, value in raw.items() if name not in ("type", "index")}
    function = required(fields, "function", dict, path)
    del fields["function"]
    arguments = function.get("arguments")
    return ToolCall(
        id=of_type(fields, "id", str, "", path),
        name=required(function, "name", str, f"{path}.function"),
        arguments=arguments if isinstance(arguments, str) else dumps(arguments or {}).decode(),
        cache=cache_mark(fields),
        extra=fields,
    )


# --- tools and format -----------------------------------------------------------------------------------------


def tool(raw: Any, path: str) -> Tool | NativeTool:
    if not isinstance(raw, dict):
        raise RequestError(f"`{path}` must be an object, not {json_type(raw)}.", param=path)
    kind = raw.get("type", "function")
    if kind != "function" or not isinstance(raw.get("function"), dict):
        if not isinstance(kind, str) or kind == "function":
            raise RequestError(f"`{path}.function` is missing.", param=f"{path}.function")
        return NativeTool(kind, raw)
    function = {name: value for name, value in raw["function"].items() if value is not None}
    where = f"{path}.function"
    name = required(function, "name", str, where)
    del function["name"]
    outside = {key: value for key, value in raw.items() if key not in ("type", "function")}
    return Tool(
        name=name,
        description=of_type(function, "description", str, None, where),
        parameters=of_type(function, "parameters", dict, None, where),
        strict=of_type(function, "strict", bool, None, where),
        cache=cache_mark(outside) or cache_mark(function),
        extra=function | outside,
    )


def tool_choice(raw: Any) -> ToolChoice | None:
    if raw is None:
        return None
    if raw == "any":  # Mistral's word
        return ToolChoice("required")
    if raw in ("auto", "none", "required"):
        return ToolChoice(raw)
    if isinstance(raw, dict):
        function = raw.get("function")
        name = function.get("name") if isinstance(function, dict) else raw.get("name")
        if raw.get("type") in ("function", "tool") and isinstance(name, str):
            return ToolChoice("named", name)
        if raw.get("type") == "custom":
            raise UntranslatableError(
                "`tool_choice` names a custom tool; custom tools are OpenAI's own.", param="tool_choice"
            )
        if raw.get("type") == "allowed_tools" and isinstance(raw.get("allowed_tools"), dict):
            return allowed_choice(raw["allowed_tools"])
        if raw.get("type") in ("auto", "none", "required"):
            return ToolChoice(raw["type"])
    raise RequestError(
        '`tool_choice` must be "auto", "none", "required" or {"type": "function", "function": {"name": …}}.',
        param="tool_choice",
    )


def allowed_choice(raw: Mapping[str, Any]) -> ToolChoice:
    """The choice among some of the tools. Without any name in it every function would be offered."""
    items = objects_in(raw.get("tools"))
    found = [text_in(object_in(item.get("function")).get("name")) or text_in(item.get("name")) for item in items]
    names = tuple(name for name in found if name)
    if items and not names:
        raise UntranslatableError(
            "`tool_choice.allowed_tools` names no function; custom tools are OpenAI's own.", param="tool_choice"
        )
    return ToolChoice("required" if raw.get("mode") == "required" else "auto", allowed=names)


def response_format(raw: Any) -> ResponseFormat | None:
    if raw is None:
        return None
    kind = raw.get("type") if isinstance(raw, dict) else None
    if kind in ("text", "json_object"):
        return ResponseFormat(kind)
    if kind == "json_schema" and isinstance(raw.get("json_schema"), dict):
        fields = dict(raw["json_schema"])
        path = "response_format.json_schema"
        return ResponseFormat(
            "json_schema",
            name=of_type(fields, "name", str, None, path),
            description=of_type(fields, "description", str, None, path),
            schema=of_type(fields, "schema", dict, {}, path),
            strict=of_type(fields, "strict", bool, None, path),
        )
    raise RequestError(
        '`response_format.type` must be "text", "json_object" or "json_schema" (with `json_schema`).',
        param="response_format",
    )


def stop_sequences(raw: Any) -> tuple[str, ...]:
    if raw is None:
        return ()
    sequences = [raw] if isinstance(raw, str) else raw
    if not isinstance(sequences, list) or not all(isinstance(item, str) for item in sequences):
        raise RequestError("`stop` must be text or a list of texts.", param="stop")
    return tuple(sequences)


# --- reading JSON values --------------------------------------------------------------------------------------


def of_type(fields: dict[str, Any], name: str, kind: type, default: Any, path: str = "") -> Any:
    """Take `name` out of `fields`; RequestError if it is there with another type."""
    value = fields.pop(name, None)
    if value is None:
        return default
    if not isinstance(value, kind):
        where = f"{path}.{name}" if path else name
        raise RequestError(f"`{where}` must be {json_type(kind())}, not {json_type(value)}.", param=where)
    return value


def required(fields: Mapping[str, Any], name: str, kind: type, path: str) -> Any:
    value = fields.get(name)
    if not isinstance(value, kind):
        wrong = "is missing" if value is None else f"must be {json_type(kind())}, not {json_type(value)}"
        raise RequestError(f"`{path}.{name}` {wrong}.", param=f"{path}.{name}")
    return value


def number(fields: dict[str, Any], name: str, kind: type[int] | type[float] = float) -> Any:
    """Take a number out of `fields`; integers may be written as 5.0."""
    value = fields.pop(name, None)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or (kind is int and value != int(value)):
        what = "a whole number" if kind is int else "a number"
        raise RequestError(f"`{name}` must be {what}; got {json_type(value)}.", param=name)
    return int(value) if kind is int else value


def cache_mark(fields: dict[str, Any]) -> Mapping[str, Any] | None:
    """Take Anthropic's cache_control out of `fields`."""
    mark = fields.pop("cache_control", None)
    return mark if isinstance(mark, dict) else None
