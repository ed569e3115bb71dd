"""JSON text, fast, and forgiving about one thing: half surrogate pairs; and JSON of a shape that nobody promised.

Clients cut text in the middle of an emoji and escape the halves (`"\\ud83d"`); some providers do the same between
two chunks. That is JSON (RFC 8259, §8.2) that the fast parser refuses, so the standard one takes over.
"""

import json
import re
from codecs import BOM_UTF8
from collections.abc import Mapping
from typing import Any

import orjson

MODEL_FIELD = re.compile(rb'"model"\s*:\s*("(?:[^"\\]|\\.)*")')
ESCAPED_LETTER = re.compile(rb"\\u00(?:[46][1-9a-fA-F]|[57][0-9aA]|5[fF])")
"""A letter, or the underscore, written as a number; nothing makes that necessary, and no common writer does it."""


def loads(text: bytes | str) -> Any:
    """Parse JSON; ValueError if it is none, or nested too deep to be read.

    A byte order mark before it, which some write there, is passed over (RFC 8259, §8.1).
    """
    if isinstance(text, bytes):
        text = text.removeprefix(BOM_UTF8)
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if "\\ud" not in (text if isinstance(text, str) else text.decode("utf-8", "replace")).lower():
            raise
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    """A float as the fast parser takes it: 1e999 is refused, not infinite."""
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        _refuse(digits)
    return value


def is_json(text: bytes) -> bool:
    """Whether the text is JSON."""
    try:
        loads(text)
    except ValueError:
        return False
    return True


def dumps(value: Any) -> bytes:
    """Write JSON, compact, keys in the order they have."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode("ascii")


def loads_object(text: bytes | str) -> dict[str, Any] | None:
    """Parse a JSON object; None for anything else."""
    try:
        value = loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def member_names(text: bytes) -> list[str]:
    """The names in an object, one that stands there twice twice, which `loads` cannot tell; it takes three times as
    long. ValueError if the text is no JSON."""
    members = json.loads(text, object_pairs_hook=list, parse_int=str, parse_float=str)
    return [name for name, _ in members]


# --- members of an object from outside, whose types nobody promised ---------------------------------------------


def object_in(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def objects_in(value: Any) -> list[dict[str, Any]]:
    """The objects in a list; none if it is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text_in(value: Any) -> str:
    """The value if it is text, else an empty one."""
    return value if isinstance(value, str) else ""


def count_in(value: Any) -> int:
    """The value if it is a whole number from 0 on, else 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def model_replaced(text: bytes, parsed: Mapping[str, Any], model: str) -> bytes | None:
    """The bytes that hold the JSON of `parsed`, with another model in them and nothing else touched.

    None where its place is not certain: "model" stands there more than once, or not as the answer's own text.
    """
    place = MODEL_FIELD.search(text) if text.count(b'"model"') == 1 else None
    if place is None or place[1] != dumps(parsed["model"]):
        return None
    return text[: place.start(1)] + dumps(model) + text[place.end(1) :]
