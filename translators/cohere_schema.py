"""JSON schemas for Cohere's structured outputs (Cohere documentation, "Structured Outputs", "Schema constraints" and
"Unsupported schema features"). A schema is never changed, only copied where it must differ."""

from collections.abc import Mapping
from typing import Any

from translators.schema import Schema, UnspeakableError

UNSPEAKABLE = ("allOf", "not", "if", "patternProperties", "propertyNames", "contains", "prefixItems")
"""Keywords without which a schema would mean something else."""

LIMITS = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "uniqueItems",
)
"""Keywords that are refused and that a description can say instead."""

FORMATS = ("date-time", "uuid", "date", "time")


def cohere_schema(schema: Schema) -> Schema:
    """The schema as decoding can follow it: oneOf as anyOf, refused limits said in words.

    Raises UnspeakableError where that would change what the schema asks for, and for objects without a required field.
    """
    if schema.get("type") != "object":
        raise UnspeakableError("a schema that is no object's")
    return _followed(schema)


def fields_in(schema: Any) -> int:
    """How many properties a schema has, those of objects inside included."""
    if isinstance(schema, list):
        return sum(map(fields_in, schema))
    if not isinstance(schema, Mapping):
        return 0
    properties = schema.get("properties")
    own = len(properties) if isinstance(properties, Mapping) else 0
    return own + sum(map(fields_in, schema.values()))


def _followed(schema: Any) -> Schema:
    if not isinstance(schema, Mapping):
        raise UnspeakableError("`true` and `false` as schemas")
    for name in UNSPEAKABLE:
        if name in schema:
            raise UnspeakableError(f"the keyword {name}")
    if schema.get("type") == "object" and not schema.get("required"):
        raise UnspeakableError("objects without a required field")
    result: dict[str, Any] = {}
    unsaid: list[str] = []
    for name, value in schema.items():
        if _is_refused(name, value):
            unsaid.append(f"{name}: {value}")
        elif name in ("anyOf", "oneOf"):
            result["anyOf"] = [_followed(variant) for variant in (value if isinstance(value, list) else [None])]
        elif name in ("properties", "$defs", "definitions") and isinstance(value, Mapping):
            result[name] = {key: _followed(inner) for key, inner in value.items()}
        elif name == "items":
            result[name] = _followed(value)
        else:
            result[name] = value
    if unsaid:
        words = "(" + ", ".join(unsaid) + ")"
        result["description"] = f"{result['description']} {words}" if "description" in result else words
    return result


def _is_refused(name: str, value: Any) -> bool:
    if name == "pattern":
        return any(sign in str(value) for sign in ("^", "$", "?=", "?!"))
    return name in LIMITS or (name == "format" and value not in FORMATS)
