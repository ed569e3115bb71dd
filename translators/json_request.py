"""The body of a request as a JSON object that names a model, for every endpoint that takes one."""

from collections.abc import Mapping
from typing import Any

from translators.errors import RequestError
from translators.jsontext import loads


def read_object(body: bytes) -> dict[str, Any]:
    """The object, with its `model` in it. Raises RequestError."""
    raw = json_object(body)
    check_model(raw)
    return raw


def json_object(body: bytes) -> dict[str, Any]:
    """The object, whatever is in it. Raises RequestError."""
    try:
        raw = loads(body)
    except ValueError as error:
        raise RequestError(f"The body is not JSON: {error}.") from None
    if not isinstance(raw, dict):
        raise RequestError(f"The body must be a JSON object, not {json_type(raw)}.")
    return raw


def check_model(raw: Mapping[str, Any]) -> None:
    """Raises RequestError if no model is named."""
    model = raw.get("model")
    if not isinstance(model, str) or not model:
        raise RequestError("`model` is missing: name the model to ask, as /v1/models lists it.", param="model")


def json_type(value: Any) -> str:
    """What a person calls the JSON type of `value`."""
    names: dict[type, str] = {
        str: "text",
        bool: "a boolean",
        list: "a list",
        dict: "an object",
        type(None): "null",
    }
    return names.get(type(value), "a number")


def required_text(raw: Mapping[str, Any], name: str) -> str:
    """A field that has to be text, and not an empty one. Raises RequestError."""
    value = raw.get(name)
    if isinstance(value, str) and value:
        return value
    wrong = "is missing" if value in (None, "") else f"must be text, not {json_type(value)}"
    raise RequestError(f"`{name}` {wrong}.", param=name)
