"""Marks that follow what a client says through the translation (see trace.py)."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from translators.differences import Path, Place
from translators.jsontext import dumps, loads_object, object_in, text_in

WORDS = frozenset(
    {
        *("content", "text", "refusal", "reasoning_content", "reasoning", "thinking", "signature"),
        *("url", "image_url", "data", "file_data", "file_id", "file_url"),
    }
)
"""The members of a message that hold what it says."""


class Marks:
    """Twelve characters for each position, and nowhere in `text`. They are base64 as well as text, so that a picture
    with a mark behind it is still one."""

    def __init__(self, text: bytes) -> None:
        heads = (f"Z{number:03d}" for number in range(1000))
        self._head = next((head for head in heads if head.encode() not in text), "Zzzz")
        self._pattern = re.compile(self._head + r"(\d{8})")

    def of(self, position: int) -> str:
        return f"{self._head}{position:08d}"

    def found(self, path: Path, place: Place | None) -> list[int]:
        """The positions whose marks are in the last step of a path, or in what stands there."""
        return [int(position) for position in self._pattern.findall(f"{path[-1]} {place.value if place else ''}")]


def reworded(value: Any, mark: str) -> Any:
    """A message that says something else, in the same form; what says nothing stays as it is."""
    if isinstance(value, list):
        return [marked(item, mark) if isinstance(item, str) else reworded(item, mark) for item in value]
    if not isinstance(value, dict):
        return value
    changed: dict[str, Any] = {}
    for name, inner in value.items():
        if name == "arguments":
            changed[name] = marked_arguments(inner, mark)
        elif isinstance(inner, str):
            changed[name] = marked(inner, mark) if name in WORDS else inner
        else:
            changed[name] = reworded(inner, mark)
    return changed


def marked(text: str, mark: str) -> str:
    """A text that goes on with the mark; base64 stays base64, and an address ends its path as before."""
    if text[:4].lower() == "http":
        return f"{text}?{mark}"
    return text.rstrip("=") + mark if text.strip() else text


def marked_arguments(arguments: Any, mark: str) -> Any:
    """The arguments of a call with one more; what is no object stays as it is."""
    if isinstance(arguments, dict):
        return {**arguments, mark: mark}
    value = loads_object(arguments) if isinstance(arguments, str) else None
    return arguments if value is None else dumps({**value, mark: mark}).decode()


def redescribed(tool: Any, mark: str) -> Any:
    """A tool with another description, where its name is; one without a name stays as it is."""
    inside = next((name for name, value in object_in(tool).items() if "name" in object_in(value)), None)
    if inside is not None:
        return {**tool, inside: described(tool[inside], mark)}
    return described(tool, mark) if "name" in object_in(tool) else tool


def described(named: Mapping[str, Any], mark: str) -> Mapping[str, Any]:
    return {**named, "description": text_in(named.get("description")) + mark}


ITEMS: Mapping[str, Callable[[Any, str], Any]] = {"messages": reworded, "tools": redescribed}
"""Lists whose items are followed one by one, and how an item gets its mark."""
