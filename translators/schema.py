"""JSON schemas, made to fit what providers take. Pure: a schema is never changed, only copied where it must differ.

Claude's rules: documentation page "Structured outputs", section "JSON Schema limitations".
"""

from collections.abc import Iterable, Mapping
from typing import Any

Schema = Mapping[str, Any]

NEVER_CONSTRAINED = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
)
"""Keywords that constrained decoding refuses and that a description can say instead."""

STRING_FORMATS = (
    "date-time",
    "time",
    "date",
    "duration",
    "email",
    "hostname",
    "uri",
    "ipv4",
    "ipv6",
    "uuid",
)

UNSPEAKABLE = (
    "not",
    "if",
    "patternProperties",
    "propertyNames",
    "contains",
    "prefixItems",
    "dependentSchemas",
    "dependentRequired",
    "unevaluatedProperties",
    "$dynamicRef",
)
"""Keywords without which a schema would mean something else."""

SAYING_SOMETHING = ("type", "properties", "enum", "const", "$ref", "anyOf", "oneOf", "allOf")

DEFINITIONS = ("$defs", "definitions")


class UnspeakableError(ValueError):
    """A schema that constrained decoding cannot follow."""


def object_schema(schema: Schema | None) -> Schema:
    """The schema of a tool's input, which must be an object; everything in it stays, `$defs` too."""
    if schema is None:
        return {"type": "object", "properties": {}}
    if schema.get("type") == "object":
        return schema
    return {**schema, "type": "object"}


def constrained_schema(schema: Schema) -> Schema:
    """The schema for Claude's constrained decoding: objects closed, oneOf as anyOf, refused limits said in words.

    Raises UnspeakableError where that would change what the schema asks for: open maps, recursion, references to
    elsewhere, conditions.
    """
    definitions = {
        f"#/{place}/{name}": definition for place in DEFINITIONS for name, definition in _members(schema.get(place, {}))
    }
    _refuse_recursion(schema, definitions, (), set())
    return _constrained(schema)


def _constrained(schema: Any) -> Schema:
    if not isinstance(schema, Mapping):
        raise UnspeakableError("`true` and `false` as schemas")
    for name in UNSPEAKABLE:
        if name in schema:
            raise UnspeakableError(f"the keyword {name}")
    if not any(name in schema for name in SAYING_SOMETHING):
        raise UnspeakableError("a schema that allows anything")
    result: dict[str, Any] = {}
    unsaid: list[str] = []
    for name, value in schema.items():
        if _is_refused(name, value):
            unsaid.append(f"{name}: {value}")
        elif name in ("oneOf", "anyOf", "allOf"):
            variants = value if isinstance(value, list) else [None]
            result["anyOf" if name == "oneOf" else name] = [_constrained(variant) for variant in variants]
        elif name in ("properties", *DEFINITIONS):
            result[name] = {key: _constrained(inner) for key, inner in _members(value)}
        elif name == "items":
            result[name] = _constrained(value)
        else:
            result[name] = value
    if _is_object(schema):
        _close(result)
    if unsaid:
        words = "(" + ", ".join(unsaid) + ")"
        result["description"] = f"{result['description']} {words}" if "description" in result else words
    return result


def _is_refused(name: str, value: Any) -> bool:
    if name == "minItems":
        return value not in (0, 1)
    if name == "format":
        return value not in STRING_FORMATS
    return name in NEVER_CONSTRAINED


def _is_object(schema: Schema) -> bool:
    kind = schema.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind) or "properties" in schema


def _close(schema: dict[str, Any]) -> None:
    """Objects must say that nothing beyond their properties may come."""
    if schema.get("additionalProperties", False) is not False or not (
        "properties" in schema or "additionalProperties" in schema
    ):
        raise UnspeakableError("objects with any keys")
    schema["additionalProperties"] = False


def _refuse_recursion(schema: Any, definitions: Mapping[str, Any], path: tuple[str, ...], checked: set[str]) -> None:
    """Follow every reference once; one that leads back to itself, or outside, cannot be decoded."""
    if isinstance(schema, list):
        for item in schema:
            _refuse_recursion(item, definitions, path, checked)
    elif isinstance(schema, Mapping):
        reference = schema.get("$ref")
        if isinstance(reference, str):
            if reference in path or reference not in definitions:
                raise UnspeakableError(f"the reference {reference}")
            if reference not in checked:
                _refuse_recursion(definitions[reference], definitions, (*path, reference), checked)
                checked.add(reference)
        for name, inner in schema.items():
            if name not in DEFINITIONS:
                _refuse_recursion(inner, definitions, path, checked)


def _members(value: Any) -> Iterable[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        raise UnspeakableError("names and schemas that are no object")
    return value.items()
