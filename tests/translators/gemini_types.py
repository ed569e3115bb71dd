"""Google's own types, as its SDK has them, say whether a request's body is one."""

from typing import Any

from google.genai import types

CONFIG = "generationConfig"
BESIDE = {
    "systemInstruction": types.Content,
    "toolConfig": types.ToolConfig,
    CONFIG: types.GenerationConfig,
}
LISTS = {"contents": types.Content, "tools": types.Tool, "safetySettings": types.SafetySetting}
PLAIN = {"cachedContent", "labels", "serviceTier", "modelArmorConfig", "continuationToken"}


def assert_fits(body: dict[str, Any]) -> None:
    """Every member of the body, and everything in it, is one of Google's types. ValidationError or AssertionError."""
    for name, value in body.items():
        if name in LISTS:
            for item in value:
                fits(LISTS[name], item)
        elif name in BESIDE:
            fits(BESIDE[name], value)
        else:
            assert name in PLAIN, f"{name} is no member of a request"


def fits(kind: Any, value: dict[str, Any]) -> None:
    """The SDK's types refuse names that they do not know."""
    assert kind.model_config.get("extra") == "forbid"
    kind.model_validate(value)
