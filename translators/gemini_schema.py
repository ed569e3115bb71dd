"""JSON schemas, made to fit what Gemini takes. Pure: a schema is never changed, only copied where it must differ.

Two forms (google-genai's types `GenerationConfig` and `Schema`; Gemini API, "Structured outputs"; pitfalls 60 to 65):
- JSON Schema itself (`responseJsonSchema`, `parametersJsonSchema`): what it does not know it leaves unheeded; it
  refuses neighbours of `$ref`, and enums that hold an empty text or something else than texts and numbers;
- a subset of OpenAPI's (`responseSchema`, `parameters`), for older models: everything else in it is refused.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from translators.jsontext import dumps, object_in, objects_in

Schema = Mapping[str, Any]
JsonObject = dict[str, Any]

DEFINITIONS = ("$defs", "definitions")
DEEPEST = 60
MOST_NODES = 5_000
"""Bounds of what is copied: references can make a small schema endless."""

CARRIED = (
    "title",
    "description",
    "nullable",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "propertyOrdering",
)
"""Keywords that OpenAPI's form has under the same name and with the same meaning."""

FORMATS = ("date-time", "enum", "int32", "int64", "float", "double")
SAID_IN_WORDS = ("exclusiveMinimum", "exclusiveMaximum", "multipleOf", "uniqueItems", "default")
"""What OpenAPI's form refuses and a description can say instead."""

TYPES_OF_CHOICES: Mapping[str, frozenset[type]] = {
    "boolean": frozenset({bool}),
    "integer": frozenset({int}),
    "number": frozenset({int, float}),
}
"""The type of a node that names none, but values of these types only."""


def json_schema(schema: Schema) -> JsonObject:
    """The schema for `responseJsonSchema` and `parametersJsonSchema`."""
    return _JsonForm(schema).node(schema, 0)


def openapi_schema(schema: Schema) -> JsonObject:
    """The schema for `responseSchema` and `parameters`: references unrolled, one type to a node, no unknown word."""
    return _OpenApiForm(schema).node(schema, (), 0)


class _Walk:
    """One pass over a schema: its definitions, and how much has been copied."""

    def __init__(self, schema: Schema) -> None:
        self._definitions: dict[str, Any] = {"#": schema}
        for place in DEFINITIONS:
            named = object_in(schema.get(place))
            self._definitions |= {f"#/{place}/{name}": value for name, value in named.items()}
        self._nodes = 0

    def _is_too_much(self, depth: int) -> bool:
        self._nodes += 1
        return depth > DEEPEST or self._nodes > MOST_NODES

    def _resolved(self, schema: Schema, path: tuple[str, ...]) -> tuple[Schema | None, tuple[str, ...]]:
        """Without `$ref` and `allOf` at its top, and the references followed, after those of `path`; None where one
        leads in a circle or nowhere."""
        if "$ref" not in schema and "allOf" not in schema:
            return schema, path
        pieces = objects_in(schema.get("allOf"))
        if "$ref" in schema:
            reference = str(schema["$ref"])
            target = self._definitions.get(reference)
            if reference in path or not isinstance(target, dict):
                return None, path
            pieces, path = [target, *pieces], (*path, reference)
        wholes: list[Schema] = []
        for piece in pieces:
            whole, path = self._resolved(piece, path)
            if whole is None or self._is_too_much(len(path)):
                return None, path
            wholes.append(whole)
        return merged([*wholes, {name: value for name, value in schema.items() if name not in ("$ref", "allOf")}]), path


# --- JSON Schema ----------------------------------------------------------------------------------------------


class _JsonForm(_Walk):
    def node(self, schema: Schema, depth: int) -> JsonObject:
        schema = self._without_neighbours(schema)
        result: JsonObject = {}
        for name, value in schema.items():
            if name in ("properties", *DEFINITIONS) and isinstance(value, Mapping):
                result[name] = {key: self._inner(item, depth) for key, item in value.items()}
            elif name in ("items", "additionalProperties", "prefixItems", "anyOf", "oneOf"):
                result[name] = self._inner(value, depth)
            elif name in ("const", "enum"):
                choices = [value] if name == "const" else _list(value)
                kept = [choice for choice in choices if _may_be_listed(choice)]
                if kept:
                    result["enum"] = kept
                elif "type" not in schema and _type_of(schema) == "boolean":
                    result["type"] = "boolean"
            elif name == "required" and isinstance(schema.get("properties"), Mapping):
                result[name] = _required(schema)
            elif name != "$schema":
                result[name] = value
        return result

    def _inner(self, value: Any, depth: int) -> Any:
        if self._is_too_much(depth):
            return value
        if isinstance(value, Mapping):
            return self.node(value, depth + 1)
        return [self._inner(item, depth + 1) for item in value] if isinstance(value, list) else value

    def _without_neighbours(self, schema: Schema) -> Schema:
        """A reference alone stays; one with neighbours gives way to its target, or in a circle the neighbours go."""
        reference = schema.get("$ref")
        if all(name.startswith("$") for name in schema) or (reference is None and "allOf" not in schema):
            return schema
        if reference is None or not self._leads_to(self._definitions.get(str(reference)), str(reference)):
            whole, _ = self._resolved(schema, ())
            if whole is not None:
                return whole
        return {name: value for name, value in schema.items() if name.startswith("$") or reference is None}

    def _leads_to(self, schema: Any, reference: str) -> bool:
        """Whether a reference to `reference` can be reached from here."""
        seen: set[str] = set()
        waiting = [schema]
        while waiting:
            node = waiting.pop()
            if isinstance(node, list):
                waiting += node
            elif isinstance(node, Mapping):
                found = node.get("$ref")
                if found == reference:
                    return True
                if isinstance(found, str) and found not in seen:
                    seen.add(found)
                    waiting.append(self._definitions.get(found))
                waiting += node.values()
        return False


def _may_be_listed(value: Any) -> bool:
    return value != "" if isinstance(value, str) else isinstance(value, int | float) and not isinstance(value, bool)


# --- OpenAPI's subset -----------------------------------------------------------------------------------------


class _OpenApiForm(_Walk):
    def node(self, schema: Any, path: tuple[str, ...], depth: int) -> JsonObject:
        """`path`: the references that led here."""
        if self._is_too_much(depth) or not isinstance(schema, Mapping):
            return {"type": "string"}  # Or `true`: anything will do.
        resolved, path = self._resolved(schema, path)
        if resolved is None:
            return {"type": "object"}
        variants, nullable = _variants(resolved)
        if len(variants) > 1:
            result = _carried(resolved) | {"anyOf": [self.node(item, path, depth + 1) for item in variants]}
        elif variants:
            result = self.node({**_own(resolved), **variants[0]}, path, depth + 1)
        else:
            result = self._plain(resolved, path, depth)
        return result | {"nullable": True} if nullable else result

    def _plain(self, schema: Schema, path: tuple[str, ...], depth: int) -> JsonObject:
        kind = _type_of(schema)
        result = _carried(schema) | {"type": kind}
        if kind == "object" and isinstance(schema.get("properties"), Mapping):
            properties = schema["properties"]
            result["properties"] = {name: self.node(inner, path, depth + 1) for name, inner in properties.items()}
            required = _required(schema)
            result |= {"required": required} if required else {}
        if kind == "array":
            items = schema.get("items") or schema.get("prefixItems")
            result["items"] = self.node({"anyOf": items} if isinstance(items, list) else items, path, depth + 1)
        if schema.get("format") in FORMATS:
            result["format"] = schema["format"]
        texts = [choice for choice in _choices(schema) if isinstance(choice, str) and choice]
        return result | {"enum": texts} if kind == "string" and texts else result


def _variants(schema: Schema) -> tuple[list[Schema], bool]:
    """The schemas of which one holds, null left out, and whether null was among them; none if it is a plain one."""
    listed: list[Schema] = [*objects_in(schema.get("anyOf")), *objects_in(schema.get("oneOf"))]
    if not listed and isinstance(schema.get("type"), list):
        own = _own(schema)
        listed = [{**own, "type": kind} for kind in schema["type"]]
    found = [item for item in listed if item.get("type") != "null"]
    if listed and not found:
        found = [{"type": "string"}]
    return found, any(item.get("type") == "null" for item in listed)


def _own(schema: Schema) -> JsonObject:
    """What a schema says beside its variants."""
    return {name: value for name, value in schema.items() if name not in ("anyOf", "oneOf", "type")}


def _type_of(schema: Schema) -> str:
    """The one type of a node; never empty, guessed from what else it says."""
    kind = schema.get("type")
    if isinstance(kind, str) and kind and kind != "null":
        return kind.lower()
    if "properties" in schema or "additionalProperties" in schema:
        return "object"
    if "items" in schema or "prefixItems" in schema:
        return "array"
    types = {type(choice) for choice in _choices(schema) if choice is not None}
    return next((name for name, kinds in TYPES_OF_CHOICES.items() if types and types <= kinds), "string")


def _carried(schema: Schema) -> JsonObject:
    """What stays as it is; what cannot be said is told in the description."""
    result = {name: schema[name] for name in CARRIED if name in schema}
    unsaid = [name for name in SAID_IN_WORDS if name in schema]
    if "format" in schema and schema["format"] not in FORMATS:
        unsaid.append("format")
    if _type_of(schema) != "string":  # Lists of texts only.
        unsaid += [name for name in ("enum", "const") if name in schema]
    if unsaid:
        words = "(" + ", ".join(f"{name}: {dumps(schema[name]).decode()}" for name in unsaid) + ")"
        result["description"] = f"{result['description']} {words}" if "description" in result else words
    return result


# --- pieces ---------------------------------------------------------------------------------------------------


def merged(schemas: Iterable[Schema]) -> JsonObject:
    """Schemas that must all hold, as one: properties and required are joined, of the rest the last one counts."""
    result: JsonObject = {}
    for schema in schemas:
        for name, value in schema.items():
            if name == "properties":
                result[name] = object_in(result.get(name)) | object_in(value)
            elif name == "required":
                before = _list(result.get(name))
                result[name] = [*before, *(item for item in _list(value) if item not in before)]
            else:
                result[name] = value
    return result


def _choices(schema: Schema) -> list[Any]:
    """The values of which a node must have one; none if it may have any."""
    return [schema["const"]] if "const" in schema else _list(schema.get("enum"))


def _required(schema: Schema) -> list[str]:
    """The required names that are properties, too."""
    properties = object_in(schema.get("properties"))
    return [name for name in _list(schema.get("required")) if isinstance(name, str) and name in properties]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
