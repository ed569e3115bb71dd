"""A request in Gemini's form → the same in OpenAI's, for tests: written apart from the engine, so that it can judge it.

What OpenAI cannot say goes by this project's conventions: `extra_content` on calls and images, `thinking_blocks` and
`native_blocks` on assistant messages, parts and settings of Gemini's own by their own names.
"""

import json
import re
from typing import Any

Json = dict[str, Any]

FREE = ("args", "response", "parametersJsonSchema", "responseJsonSchema", "parameters", "responseSchema", "labels")
"""Members whose insides are the client's own."""
ENDINGS = {"application/pdf": "pdf", "text/plain": "txt", "audio/mpeg": "mp3", "audio/wav": "wav", "video/mp4": "mp4"}
PLAIN_CONFIG = {
    "maxOutputTokens": "max_completion_tokens",
    "temperature": "temperature",
    "topP": "top_p",
    "topK": "top_k",
    "candidateCount": "n",
    "seed": "seed",
    "stopSequences": "stop",
    "logprobs": "top_logprobs",
    "responseLogprobs": "logprobs",
}


def openai_request(body: Json, *, model: str) -> Json:
    """Every member of `body`, which is normalised, is in the result, under its name there."""
    rest = dict(body)
    request: Json = {"model": model, "messages": []}
    if "systemInstruction" in rest:
        parts = rest.pop("systemInstruction")["parts"]
        request["messages"].append({"role": "system", "content": [part_of(part) for part in parts]})
    for content in rest.pop("contents"):
        request["messages"] += assistant(content) if content["role"] == "model" else user(content)
    tools = [tool for entry in rest.pop("tools", []) for tool in tools_of(entry)]
    if tools:
        request["tools"] = tools
    request |= choice(rest.pop("toolConfig", {}))
    request |= config_fields(rest.pop("generationConfig", {}))
    return request | {snake(name): value for name, value in rest.items()}


# --- contents -------------------------------------------------------------------------------------------------


def assistant(content: Json) -> list[Json]:
    lists: dict[str, list[Json]] = {"content": [], "thinking_blocks": [], "native_blocks": [], "images": []}
    calls: list[Json] = []
    for part in content["parts"]:
        signature = part.get("thoughtSignature")
        extra = {"extra_content": {"google": {"thought_signature": signature}}} if signature else {}
        if "functionCall" in part:
            calls.append(call_of(part["functionCall"]) | extra)
        elif part.get("thought") and signature:
            block = {"type": "gemini.thought", "text": part["text"], "thought_signature": signature}
            lists["thinking_blocks"].append(block)
        elif set(part) <= {"text", "thoughtSignature"}:
            lists["content"].append({"type": "text", "text": part["text"]})
            if signature:
                lists["thinking_blocks"].append({"type": "gemini.thought_signature", "thought_signature": signature})
        elif "inlineData" in part:
            lists["images"].append({"type": "image_url", "image_url": {"url": data_url(part["inlineData"])}} | extra)
        else:
            lists["native_blocks"].append({"type": "gemini.part", "part": part})
    message: Json = {"role": "assistant", **{name: items for name, items in lists.items() if items}}
    return [message | ({"tool_calls": calls} if calls else {})]


def call_of(call: Json) -> Json:
    function = {"name": call["name"], "arguments": json.dumps(call["args"])}
    return {"id": call.get("id", ""), "type": "function", "function": function}


def user(content: Json) -> list[Json]:
    results = [tool_message(part["functionResponse"]) for part in content["parts"] if "functionResponse" in part]
    spoken = [part_of(part) for part in content["parts"] if "functionResponse" not in part]
    return [*results, {"role": "user", "content": spoken}] if spoken else results


def tool_message(response: Json) -> Json:
    text = json.dumps(response["response"])
    message: Json = {"role": "tool", "tool_call_id": response.get("id", ""), "content": text}
    if set(response["response"]) == {"error"} and isinstance(response["response"]["error"], str):
        message |= {"content": response["response"]["error"], "is_error": True}
    if "parts" in response:
        message["content"] = [{"type": "text", "text": text}, *(part_of(part) for part in response["parts"])]
    return message


def part_of(part: Json) -> Json:
    """OpenAI's part, or Gemini's own where OpenAI has none."""
    media = part.get("inlineData") or part.get("fileData") or {}
    mime = media.get("mimeType", "")
    url = data_url(media) if "inlineData" in part else media.get("fileUri", "")
    if set(part) == {"text"}:
        return {"type": "text", "text": part["text"]}
    if len(part) > 1 or not media:
        return {"type": "gemini.part", "part": part}
    if mime.startswith("image/"):
        return {"type": "image_url", "image_url": {"url": url}}
    if mime.startswith("video/"):
        if "inlineData" in part or url.endswith((".mp4", ".webm")):
            return {"type": "video_url", "video_url": {"url": url}}
    elif mime.startswith("audio/") and "inlineData" in part:
        return {"type": "input_audio", "input_audio": {"data": media["data"], "format": ENDINGS[mime]}}
    name = "file." + ENDINGS[mime]
    where = "file_data" if "inlineData" in part else "file_url"
    return {"type": "file", "file": {where: url, "filename": name}}


def data_url(media: Json) -> str:
    return f"data:{media['mimeType']};base64,{media['data']}"


# --- tools and settings ---------------------------------------------------------------------------------------


def tools_of(entry: Json) -> list[Json]:
    if "functionDeclarations" in entry:
        return [{"type": "function", "function": function(item)} for item in entry["functionDeclarations"]]
    return [{"type": snake(name), snake(name): settings} for name, settings in entry.items()]


def function(item: Json) -> Json:
    made = {name: item[name] for name in ("name", "description") if name in item}
    schema = item.get("parametersJsonSchema")
    return made | ({"parameters": schema} if schema is not None else {})


def choice(config: Json) -> Json:
    calling = config.get("functionCallingConfig", {})
    names = calling.get("allowedFunctionNames", [])
    if set(config) - {"functionCallingConfig"} or calling.get("mode") == "VALIDATED":
        return {"tool_config": config}
    match calling.get("mode"), names:
        case "NONE", _:
            return {"tool_choice": "none"}
        case "ANY", []:
            return {"tool_choice": "required"}
        case "ANY", [name]:
            return {"tool_choice": {"type": "function", "function": {"name": name}}}
        case "ANY", _:
            tools = [{"type": "function", "function": {"name": name}} for name in names]
            return {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": tools}}}
    return {}


def config_fields(config: Json) -> Json:
    fields: Json = {PLAIN_CONFIG[name]: value for name, value in config.items() if name in PLAIN_CONFIG}
    rest = {name: value for name, value in config.items() if name not in PLAIN_CONFIG}
    if rest.get("responseMimeType") == "application/json":
        del rest["responseMimeType"]
        schema = rest.pop("responseJsonSchema", None)
        fields["response_format"] = {"type": "json_object"}
        if schema is not None:
            named = {"name": "answer", "schema": schema}
            fields["response_format"] = {"type": "json_schema", "json_schema": named}
    if "thinkingConfig" in rest:
        fields["thinking_config"] = rest.pop("thinkingConfig")
    return fields | ({"generation_config": rest} if rest else {})


def snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda found: "_" + found[0].lower(), name)


# --- what Google's documentation calls the same ---------------------------------------------------------------


def normalised(body: Json) -> Json:
    """The request with every spelling that means the same written out (Gemini API reference, "Generating content").

    Names in camel case, as proto3's JSON mapping takes both; enumerations in capitals; a single part as a list of one;
    a content without a role as the user's; OpenAPI's schemas as JSON Schema; base64 in its usual alphabet; functions
    before the other tools; defaults, nulls, empty members and empty texts left out, and the role of the system
    instruction, which means nothing.
    """
    result: Json = {
        name: value for name, value in camel(body).items() if value not in (None, [], {}) and name != "model"
    }
    contents = result["contents"]
    result["contents"] = [normalised_content(item) for item in contents]
    if "systemInstruction" in result:
        parts = as_list(result["systemInstruction"]["parts"])
        result["systemInstruction"] = {"parts": [{"text": part["text"]} for part in parts if part["text"]]}
        if not result["systemInstruction"]["parts"]:
            del result["systemInstruction"]
    if "tools" in result:
        tools = [normalised_tool(item) for item in result["tools"]]
        result["tools"] = sorted(tools, key=lambda tool: "functionDeclarations" not in tool)
    for name, cleaned in (("toolConfig", normalised_choice), ("generationConfig", normalised_config)):
        result[name] = cleaned(result.get(name, {}))
        if not result[name]:
            del result[name]
    return result


def camel(value: Any) -> Any:
    if isinstance(value, list):
        return [camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    renamed = {re.sub(r"_([a-z])", lambda found: found[1].upper(), name): item for name, item in value.items()}
    return {name: item if name in FREE else camel(item) for name, item in renamed.items() if item is not None}


def as_list(parts: Any) -> list[Json]:
    return parts if isinstance(parts, list) else [parts]


def normalised_content(content: Json) -> Json:
    parts = []
    for part in as_list(content["parts"]):
        part = {name: usual_base64(value) for name, value in part.items() if (name, value) != ("thought", False)}
        if part == {"text": ""}:
            continue
        if "functionCall" in part:
            part["functionCall"] = {"args": {}} | part["functionCall"]
        if part.get("thoughtSignature") == "skip_thought_signature_validator":
            del part["thoughtSignature"]  # Stands for one that the client has lost.
        parts.append(part)
    return {"role": content.get("role", "user"), "parts": parts}


def usual_base64(value: Any) -> Any:
    """A part's member with its media's bytes, or its results' media's, in the standard alphabet."""
    if isinstance(value, dict) and isinstance(value.get("data"), str) and "mimeType" in value:
        return value | {"data": value["data"].replace("-", "+").replace("_", "/")}
    if isinstance(value, dict) and "parts" in value:
        parts = [{name: usual_base64(inner) for name, inner in part.items()} for part in value["parts"]]
        return value | {"parts": parts}
    return value


def normalised_tool(tool: Json) -> Json:
    if "functionDeclarations" not in tool:
        return tool
    functions = []
    for item in tool["functionDeclarations"]:
        made = {name: value for name, value in item.items() if name not in ("parameters", "parametersJsonSchema")}
        schema = item.get("parametersJsonSchema", json_schema(item.get("parameters")))
        if schema and schema.get("properties"):
            made["parametersJsonSchema"] = schema
        functions.append(made)
    return {"functionDeclarations": functions}


def normalised_choice(config: Json) -> Json:
    calling = {name: value for name, value in config.get("functionCallingConfig", {}).items() if value}
    calling["mode"] = calling.get("mode", "AUTO").upper()
    rest = {name: value for name, value in config.items() if name != "functionCallingConfig" and value}
    return rest if calling == {"mode": "AUTO"} else rest | {"functionCallingConfig": calling}


def normalised_config(config: Json) -> Json:
    made = {name: value for name, value in config.items() if (name, value) != ("candidateCount", 1) and value != []}
    if "responseSchema" in made:
        made["responseJsonSchema"] = json_schema(made.pop("responseSchema"))
    thinking = made.get("thinkingConfig")
    if thinking and "thinkingLevel" in thinking:
        made["thinkingConfig"] = thinking | {"thinkingLevel": thinking["thinkingLevel"].upper()}
    return made


def json_schema(schema: Any) -> Any:
    """OpenAPI's subset → JSON Schema."""
    if isinstance(schema, list):
        return [json_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made: Json = {}
    for name, value in schema.items():
        if name == "type" and isinstance(value, str):
            made[name] = value.lower()
        elif name == "properties":
            made[name] = {key: json_schema(item) for key, item in value.items()}
        elif name in ("enum", "required", "default", "example"):
            made[name] = value
        else:
            made["propertyOrdering" if name == "property_ordering" else name] = json_schema(value)
    return made
