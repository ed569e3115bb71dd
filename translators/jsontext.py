"""JSON text, fast, and forgiving about one thing: half surrogate pairs.

Clients cut text in the middle of an emoji and escape the halves (`"\\ud83d"`); some providers do the same between
two chunks. That is JSON (RFC 8259, §8.2) that the fast parser refuses, so the standard one takes over.
"""

import json
from typing import Any

import orjson


def loads(text: bytes | str) -> Any:
    """Parse JSON; ValueError if it is none."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if "\\ud" not in (text if isinstance(text, str) else text.decode("utf-8", "replace")).lower():
            raise
        return json.loads(text, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


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
