"""What Google's generateContent refuses: rules and their messages, as its error answers word them."""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

FIELDS = {
    "cachedContent",
    "contents",
    "generationConfig",
    "labels",
    "safetySettings",
    "serviceTier",
    "systemInstruction",
    "toolConfig",
    "tools",
}
MOST_OUTPUT = 65_536
MOST_STOPS = 5
NAME = re.compile(r"[A-Za-z_][\w.:-]{0,127}")
UNSIGNED = "skip_thought_signature_validator"
"""Stands for a signature that a client has lost."""

Content = Mapping[str, Any]
Rule = Callable[[str, Mapping[str, Any]], Iterator[str]]


def problem(model: str, body: Mapping[str, Any]) -> str | None:
    """What the API says to this request, or None when it takes it. The first rule that is broken is named."""
    return next(chain.from_iterable(rule(model, body) for rule in RULES), None)


def signature(call: Mapping[str, Any]) -> str:
    """The thought signature of a call: whoever sends the call back must not have touched it."""
    text = json.dumps([call["name"], call.get("args", {})], sort_keys=True)
    return b64encode(hashlib.sha256(text.encode()).digest() * 4).decode()


def calls_of(content: Content) -> list[Mapping[str, Any]]:
    """The parts of a content that are calls."""
    return [part for part in content["parts"] if "functionCall" in part]


def declared(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """All functions that a request declares."""
    return [item for tool in body.get("tools", []) for item in tool.get("functionDeclarations", [])]


def _fields(model: str, body: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(body.keys() - FIELDS):
        yield f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
    if not body.get("contents"):
        yield "* GenerateContentRequest.contents: contents is not specified"


def _config(model: str, body: Mapping[str, Any]) -> Iterator[str]:
    config = body.get("generationConfig", {})
    if not 1 <= config.get("maxOutputTokens", 1) <= MOST_OUTPUT:
        yield f"The supported range of max_output_tokens is from 1 (inclusive) to {MOST_OUTPUT + 1} (exclusive)."
    if len(config.get("stopSequences", [])) > MOST_STOPS:
        yield f"* GenerateContentRequest.generation_config.stop_sequences: at most {MOST_STOPS} stop sequences"
    if not 0 <= config.get("temperature", 0) <= 2:
        yield "* GenerateContentRequest.generation_config.temperature: temperature must be in the range [0.0, 2.0]."
    if {"frequencyPenalty", "presencePenalty"} & set(config):
        yield f"Penalty is not enabled for models/{model}"
    thinking = config.get("thinkingConfig", {})
    if "thinkingLevel" in thinking and "gemini-3" not in model:
        yield "Thinking level is not supported for this model."
    if "thinkingBudget" in thinking and "thinkingLevel" in thinking:
        yield "You can only set only one of thinking budget and thinking level."


def _turns(model: str, body: Mapping[str, Any]) -> Iterator[str]:
    contents = body["contents"]
    for index, content in enumerate(contents):
        where = f"* GenerateContentRequest.contents[{index}]"
        if content.get("role", "user") not in ("user", "model"):
            yield "Please use a valid role: user, model."
        if not content.get("parts"):
            yield f"{where}.parts: contents.parts must not be empty."
        for place, part in enumerate(content["parts"]):
            if not set(part) - {"thought", "thoughtSignature"} or part == {"text": ""}:
                yield f"{where}.parts[{place}].data: required oneof field 'data' must have one initialized field"
    if contents[-1].get("role") == "model":
        yield "Please ensure that multiturn requests end with a user role or a function response."


def _calls(model: str, body: Mapping[str, Any]) -> Iterator[str]:
    """Calls are answered one by one in the very next content, and only calls are answered."""
    asked = 0
    for content in [*body["contents"], {"parts": []}]:
        parts = content["parts"]
        answers = [part["functionResponse"] for part in parts if "functionResponse" in part]
        if len(answers) != asked:
            yield (
                "Please ensure that the number of function response parts is equal to the number of function call "
                "parts of the function call turn."
            )
        if any(not isinstance(answer.get("response"), Mapping) for answer in answers):
            yield "Invalid value at 'contents.parts.function_response.response': must be an object"
        asked = len(calls_of(content))


def _signatures(model: str, body: Mapping[str, Any]) -> Iterator[str]:
    if "gemini-3" not in model:
        return
    for content in body["contents"]:
        for place, part in enumerate(calls_of(content)):
            given, name = part.get("thoughtSignature"), part["functionCall"]["name"]
            if given is None and place == 0:
                yield (
                    "Function call is missing a thought_signature in functionCall parts. This is required for tools "
                    f"to work correctly. Additional data, function call `{name}`."
                )
            if given not in (None, UNSIGNED, signature(part["functionCall"])):
                yield "Thought signature is not valid."


def _tools(model: str, body: Mapping[str, Any]) -> Iterator[str]:
    names = [item.get("name", "") for item in declared(body)]
    for name in names:
        if not NAME.fullmatch(name):
            yield "Invalid function name. Must start with a letter or an underscore."
    if len(set(names)) < len(names):
        yield "Duplicate function declaration found."
    calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
    if calling and not names:
        yield "Function calling config is set without function_declarations."
    if set(calling.get("allowedFunctionNames", [])) - set(names):
        yield "allowed_function_names should be a subset of the declared functions."
    form = body.get("generationConfig", {}).get("responseMimeType")
    if form and names and "gemini-3" not in model:
        yield f"Function calling with a response mime type: '{form}' is unsupported"


RULES: tuple[Rule, ...] = (_fields, _config, _turns, _calls, _signatures, _tools)
