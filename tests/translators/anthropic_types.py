"""Request bodies held against the types of Anthropic's own SDK."""

from collections.abc import Iterable, Mapping
from typing import Any

from anthropic.types.beta import message_create_params
from pydantic import TypeAdapter, ValidationError

WHOLE: TypeAdapter[Any] = TypeAdapter(message_create_params.MessageCreateParamsNonStreaming)
STREAMED: TypeAdapter[Any] = TypeAdapter(message_create_params.MessageCreateParamsStreaming)


def type_problems(body: dict[str, Any]) -> list[str]:
    """Where a body does not fit the SDK's types; empty if it fits."""
    try:
        read_through((STREAMED if body.get("stream") else WHOLE).validate_python(body))
    except ValidationError as error:
        return [f"{'.'.join(str(step) for step in each['loc'])}: {each['msg']}" for each in error.errors()]
    return []


def read_through(value: Any) -> None:
    """Pydantic checks what is typed as iterable only when it is read."""
    if isinstance(value, Mapping):
        for item in value.values():
            read_through(item)
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for item in value:
            read_through(item)
