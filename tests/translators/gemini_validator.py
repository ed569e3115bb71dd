"""What Gemini's generateContent accepts, as far as its documentation and its recorded refusals tell.

Written apart from the engine: `problems(body, model)` gives a sentence for everything the API would answer 400 for.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

Json = dict[str, Any]

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
FIELDS = {
    "systemInstruction",
    "contents",
    "tools",
    "toolConfig",
    "generationConfig",
    "safetySettings",
    "cachedContent",
    "labels",
    "serviceTier",
}
CONFIG = {
    "candidateCount",
    "maxOutputTokens",
    "temperature",
    "topP",
    "topK",
    "stopSequences",
    "seed",
    "frequencyPenalty",
    "presencePenalty",
    "responseLogprobs",
    "logprobs",
    "responseMimeType",
    "responseSchema",
    "responseJsonSchema",
    "responseModalities",
    "speechConfig",
    "thinkingConfig",
}
OPENAPI = {
    "type",
    "format",
    "title",
    "description",
    "nullable",
    "enum",
    "items",
    "minItems",
    "maxItems",
    "properties",
    "required",
    "minProperties",
    "maxProperties",
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "anyOf",
    "propertyOrdering",
}
TYPES = {"string", "number", "integer", "boolean", "array", "object"}
MEDIA = re.compile(r"(image/(png|jpeg|webp|heic|heif)|audio/\w+|video/\w+|application/pdf|text/\w+)")


@dataclass(frozen=True)
class Takes:
    """What one model takes."""

    limit: int = 65_536
    budgets: tuple[int, int] | None = None
    levels: tuple[str, ...] = ()
    json_schema: bool = True
    penalties: bool = False
    json_with_functions: bool = False
    signatures: bool = False
    media_results: bool = False


NEWER = Takes(json_with_functions=True, signatures=True, media_results=True)
MODELS = {
    "gemini-1.5-pro": Takes(8_192, json_schema=False, penalties=True),
    "gemini-2.0-flash": Takes(8_192, penalties=True),
    "gemini-2.5-flash": Takes(budgets=(0, 24_576)),
    "gemini-2.5-pro": Takes(budgets=(128, 32_768)),
    "gemini-3-flash-preview": replace(NEWER, levels=("MINIMAL", "LOW", "MEDIUM", "HIGH")),
    "gemini-3.1-pro-preview": replace(NEWER, levels=("LOW", "MEDIUM", "HIGH")),
    "gemini-3.8-flash": replace(NEWER, levels=("LOW", "MEDIUM", "HIGH")),
}


def problems(body: Json, model: str) -> list[str]:
    """Why the API would refuse the request; empty if it would not."""
    takes = MODELS[model]
    return [
        *(f'Unknown name "{name}"' for name in body if name not in FIELDS),
        *wrong_system(body),
        *wrong_contents(body["contents"], takes),
        *wrong_calls(body["contents"], takes),
        *wrong_tools(body, takes),
        *wrong_config(body, takes),
    ]


# --- conversation ---------------------------------------------------------------------------------------------


def wrong_system(body: Json) -> Iterator[str]:
    for part in body.get("systemInstruction", {"parts": [{"text": "x"}]})["parts"]:
        if set(part) != {"text"} or not part["text"]:
            yield "system_instruction: text only, and not empty"


def wrong_contents(contents: list[Json], takes: Takes) -> Iterator[str]:
    if not contents or contents[0]["role"] != "user":
        yield "first content should be with role 'user'"
    if contents and contents[-1]["role"] != "user":
        yield "please ensure that multiturn requests end with a user role or a function response"
    for before, content in zip([None, *contents], contents, strict=False):
        if content["role"] not in ("user", "model"):
            yield "please use a valid role: user, model"
        if before and before["role"] == content["role"] and not is_result(before):
            yield "please ensure that multiturn requests alternate between user and model"
        if not content["parts"]:
            yield "contents.parts must not be empty"
        for part in content["parts"]:
            yield from wrong_part(part, content["role"], takes)


def is_result(content: Json) -> bool:
    return any("functionResponse" in part for part in content["parts"])


def wrong_part(part: Json, role: str, takes: Takes) -> Iterator[str]:
    data = [name for name in part if name not in ("thought", "thoughtSignature")]
    if len(data) != 1:
        yield "required oneof field 'data' must have one initialized field"
    if part.get("text") == "" and "thoughtSignature" not in part:
        yield "text must not be empty"
    if "thoughtSignature" in part and (role != "model" or not decodes(part["thoughtSignature"])):
        yield "thought_signature is not valid"
    if ("functionCall" in part) != (role == "model") and {"functionCall", "functionResponse"} & set(part):
        yield "functionCall is the model's, functionResponse the user's"
    blob = part.get("inlineData")
    if blob and not (MEDIA.fullmatch(blob["mimeType"]) and decodes(blob["data"])):
        yield f"Unsupported MIME type: {blob['mimeType']}"
    for inner in part.get("functionResponse", {}).get("parts", []):
        if not takes.media_results:
            yield "multimodal function responses are not supported"
        yield from wrong_part(inner, "user", takes)


def decodes(text: str) -> bool:
    try:
        base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except ValueError:
        return False
    return bool(text)


def wrong_calls(contents: list[Json], takes: Takes) -> Iterator[str]:
    for before, content, after in zip([None, *contents], contents, [*contents[1:], None], strict=False):
        calls = [part["functionCall"] for part in content["parts"] if "functionCall" in part]
        if calls:
            results = [part.get("functionResponse", {}) for part in after["parts"]] if after else []
            if len(results) != len(calls) or not all(results):
                yield "the number of function response parts must equal the number of function call parts"
            elif [named(call) for call in calls] != [named(result) for result in results]:
                yield "function responses must match their calls"
            if takes.signatures and "thoughtSignature" not in first_call(content):
                yield "Function call is missing a thought_signature"
        for call in calls:
            if not NAME.fullmatch(call["name"]) or not isinstance(call["args"], dict):
                yield f"function_call.name: {call['name']!r}, or its args"
        if is_result(content):
            if not before or not any("functionCall" in part for part in before["parts"]):
                yield "function response turn must come immediately after a function call turn"
            yield from wrong_results(content)


def named(call: Json) -> tuple[Any, Any]:
    return call.get("id"), call["name"]


def first_call(content: Json) -> Json:
    return next(part for part in content["parts"] if "functionCall" in part)


def wrong_results(content: Json) -> Iterator[str]:
    for part in content["parts"]:
        response = part.get("functionResponse", {}).get("response")
        if not isinstance(response, dict):
            yield "function_response.response must be an object"
        elif any(name in ("$ref", "$defs") for name in names_in(response)):
            yield "function_response.response holds a reference"


def names_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from names_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names_in(inner)


# --- tools and settings ---------------------------------------------------------------------------------------


def wrong_tools(body: Json, takes: Takes) -> Iterator[str]:
    if body.get("tools") == []:
        yield "tools: empty"
    functions = [item for tool in body.get("tools", []) for item in tool.get("functionDeclarations", [])]
    names = [item["name"] for item in functions]
    if len(set(names)) < len(names):
        yield "Duplicate function declaration found"
    for item in functions:
        if not NAME.fullmatch(item["name"]):
            yield f"Invalid function name: {item['name']!r}"
        if "parametersJsonSchema" in item:
            yield from wrong_json_schema(item["parametersJsonSchema"], takes)
        if "parameters" in item:
            yield from wrong_openapi(item["parameters"])
            if item["parameters"]["type"] == "object" and not item["parameters"].get("properties"):
                yield "parameters.properties: should be non-empty for OBJECT type"
    calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
    if calling and not functions:
        yield "Function calling config is set without function_declarations"
    if set(calling.get("allowedFunctionNames", [])) - set(names):
        yield "allowed_function_names holds a name that is not declared"
    if "allowedFunctionNames" in calling and calling["mode"] != "ANY":
        yield "allowed_function_names should be set only when mode is ANY"


def wrong_json_schema(schema: Any, takes: Takes) -> Iterator[str]:
    if not takes.json_schema:
        yield 'Unknown name "parametersJsonSchema"'
    for node in nodes_of(schema):
        if "$ref" in node and any(not name.startswith("$") for name in node):
            yield "$ref may not have siblings"
        for choice in node.get("enum", ["x"]):
            if choice == "" or not isinstance(choice, str | int | float) or isinstance(choice, bool):
                yield f"enum: {choice!r}"


def nodes_of(schema: Any) -> Iterator[Json]:
    if not isinstance(schema, dict):
        return
    yield schema
    for name in ("properties", "$defs"):
        for inner in schema.get(name, {}).values():
            yield from nodes_of(inner)
    for name in ("items", "additionalProperties", "anyOf", "oneOf", "prefixItems"):
        for inner in schema[name] if isinstance(schema.get(name), list) else [schema.get(name)]:
            yield from nodes_of(inner)


def wrong_openapi(schema: Json) -> Iterator[str]:
    yield from (f'Unknown name "{name}"' for name in schema if name not in OPENAPI)
    if "anyOf" not in schema and schema.get("type") not in TYPES:
        yield f"type: {schema.get('type')!r}"
    texts = [choice for choice in schema.get("enum", []) if isinstance(choice, str) and choice]
    if "enum" in schema and (schema["type"] != "string" or texts != schema["enum"]):
        yield "enum: only allowed for STRING type, and not empty"
    if schema.get("type") == "array" and "items" not in schema:
        yield "items: missing field"
    if set(schema.get("required", [])) - set(schema.get("properties", {})):
        yield "required: property is not defined"
    for inner in [*schema.get("properties", {}).values(), *schema.get("anyOf", [])]:
        yield from wrong_openapi(inner)
    if "items" in schema:
        yield from wrong_openapi(schema["items"])


def wrong_config(body: Json, takes: Takes) -> Iterator[str]:
    config = body.get("generationConfig", {})
    yield from (f'Unknown name "{name}" at generation_config' for name in config if name not in CONFIG)
    if not 1 <= config.get("maxOutputTokens", 1) <= takes.limit:
        yield "max_output_tokens is out of range"
    if not 1 <= config.get("candidateCount", 1) <= 8:
        yield "candidate_count must be between 1 and 8"
    stops = config.get("stopSequences", ["x"])
    if not 1 <= len(stops) <= 5 or not all(stops):
        yield "stop_sequences: at most 5, none empty"
    if not 0 <= config.get("temperature", 0) <= 2:
        yield "temperature must be in the range [0.0, 2.0]"
    if not -(2**31) <= config.get("seed", 0) < 2**31:
        yield "seed: TYPE_INT32"
    if {"frequencyPenalty", "presencePenalty"} & set(config) and not takes.penalties:
        yield "Penalty is not enabled for this model"
    if "logprobs" in config and not (config.get("responseLogprobs") and 1 <= config["logprobs"] <= 20):
        yield "logprobs needs response_logprobs, and 1 to 20"
    yield from wrong_thinking(config.get("thinkingConfig"), takes)
    yield from wrong_form(body, config, takes)


def wrong_thinking(thinking: Json | None, takes: Takes) -> Iterator[str]:
    if thinking is None:
        return
    if not takes.budgets and not takes.levels:
        yield "Thinking is not enabled for this model"
    if "thinkingBudget" in thinking and "thinkingLevel" in thinking:
        yield "You can only set only one of thinking budget and thinking level"
    least, most = takes.budgets or (1, 0)
    if "thinkingBudget" in thinking and not least <= thinking["thinkingBudget"] <= most:
        yield "The thinking budget is invalid"
    if "thinkingLevel" in thinking and thinking["thinkingLevel"] not in takes.levels:
        yield f"Thinking level {thinking['thinkingLevel']} is not supported for this model"


def wrong_form(body: Json, config: Json, takes: Takes) -> Iterator[str]:
    if "responseMimeType" in config and "tools" in body and not takes.json_with_functions:
        yield "Function calling with a response mime type: 'application/json' is unsupported"
    if {"responseSchema", "responseJsonSchema"} & set(config) and config.get("responseMimeType") != "application/json":
        yield "response_schema needs response_mime_type"
    if "responseJsonSchema" in config:
        yield from wrong_json_schema(config["responseJsonSchema"], takes)
    if "responseSchema" in config:
        yield from wrong_openapi(config["responseSchema"])
