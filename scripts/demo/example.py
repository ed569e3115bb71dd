"""An instance of a JSON schema: what a model that keeps to the schema might answer (JSON Schema 2020-12)."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

DEPTH = 8
"""Below this, whatever a schema allows to leave out is left out: recursive schemas come to an end."""
MOST = 200_000
"""Steps and characters that an example may take: a schema that asks for more asks for an endless one."""
FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "email": "ada@example.com",
    "uri": "https://example.com/",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def example(schema: Any, words: Iterator[str]) -> Any:
    """A value that fits `schema`; free strings are filled from `words`, in the order of the properties.

    `pattern`, `not` and conditions (`if`) are not honoured. Raises ValueError if the value would have no end, and
    TypeError, AttributeError, LookupError, ArithmeticError or RecursionError if this is no JSON schema.
    """
    if not isinstance(schema, Mapping) or not isinstance(schema.get("properties", {}), Mapping):
        raise TypeError("a schema and its properties are objects")
    return _Filler(schema, words).value(schema, 0)


class _Filler:
    def __init__(self, root: Mapping[str, Any], words: Iterator[str]) -> None:
        self._root = root
        self._words = words
        self._left = MOST

    def _spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise ValueError("the schema asks for a value without end")

    def value(self, schema: Any, depth: int) -> Any:
        """A value for one node of the schema. `True` and `{}` allow anything."""
        self._spend(1)
        if not isinstance(schema, Mapping):
            return self._string({})
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return schema["enum"][0]
        choices = schema.get("anyOf") or schema.get("oneOf")
        if choices:
            return self.value(self._chosen(choices, depth), depth)
        match self._type(schema, depth):
            case "object":
                return self._object(schema, depth + 1)
            case "array":
                return self._array(schema, depth + 1)
            case "integer":
                return int(self._number(schema, 1))
            case "number":
                return self._number(schema, 0.5)
            case "boolean":
                return True
            case "null":
                return None
            case _:
                return self._string(schema)

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Follows `$ref` inside the document and puts `allOf` together."""
        while "$ref" in schema:
            self._spend(1)
            siblings = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**self._at(schema["$ref"]), **siblings}
        merged = dict(schema)
        for part in merged.pop("allOf", ()):
            for key, value in self._resolved(part).items():
                if key == "properties":
                    merged[key] = {**merged.get(key, {}), **value}
                elif key == "required":
                    merged[key] = [*merged.get(key, ()), *value]
                else:
                    merged.setdefault(key, value)
        return merged

    def _at(self, reference: str) -> Mapping[str, Any]:
        node: Any = self._root
        for step in reference.removeprefix("#").split("/")[1:]:
            node = node[step.replace("~1", "/").replace("~0", "~")]
        return dict(node)

    def _chosen(self, choices: list[Any], depth: int) -> Any:
        other = [choice for choice in choices if choice != {"type": "null"}]
        ends_here = depth >= DEPTH and len(other) < len(choices)
        return other[0] if other and not ends_here else {"type": "null"}

    def _type(self, schema: Mapping[str, Any], depth: int) -> str:
        kind = schema.get("type")
        if isinstance(kind, list):
            kinds = [name for name in kind if name != "null"]
            kind = "null" if "null" in kind and (depth >= DEPTH or not kinds) else kinds[0]
        if kind is None:
            kind = "object" if "properties" in schema else "array" if "items" in schema else "string"
        return str(kind)

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        required = schema.get("required", [])
        properties = schema.get("properties", {})
        wanted = [name for name in properties if name in required or depth < DEPTH]
        return {name: self.value(properties.get(name), depth) for name in dict.fromkeys([*wanted, *required])}

    def _array(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        first = schema.get("prefixItems", [])
        least = schema.get("minItems", 1 if depth < DEPTH else 0)
        items = [self.value(item, depth) for item in first]
        while len(items) < min(least, schema.get("maxItems", least)):
            items.append(self.value(schema.get("items"), depth))
        return items

    def _number(self, schema: Mapping[str, Any], step: float) -> float:
        """The least multiple of `step` that is allowed, from 1 on where there is no minimum."""
        step = schema.get("multipleOf", step)
        low: float = schema.get("minimum", schema.get("exclusiveMinimum", 1))
        high: float = schema.get("maximum", schema.get("exclusiveMaximum", low))
        low = min(low, high) if "minimum" not in schema else low
        number = -(-low // step) * step
        if number == schema.get("exclusiveMinimum"):
            number += step
        while number > high or number == schema.get("exclusiveMaximum"):
            self._spend(1)
            number -= step
        return number

    def _string(self, schema: Mapping[str, Any]) -> str:
        text = FORMATS.get(schema.get("format", "")) or next(self._words, "example")
        least = schema.get("minLength", 0)
        self._spend(max(least, 0))
        text = text.ljust(least, ".")
        return text[: schema["maxLength"]] if "maxLength" in schema else text


def as_json(value: Any) -> str:
    """JSON text as models write it: compact, no escapes for what is not ASCII."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
