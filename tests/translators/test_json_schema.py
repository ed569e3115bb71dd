"""JSON schemas, made to fit what providers take (translators/schema.py)."""

import copy
import json
from typing import Any

import pytest

from tests.recordings import needs_recordings, recordings
from translators.schema import UnspeakableError, constrained_schema, object_schema

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "additionalProperties": False}


def closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (None, {"type": "object", "properties": {}}),
        ({"$defs": {"a": {}}, "$ref": "#/$defs/a"}, {"$defs": {"a": {}}, "$ref": "#/$defs/a", "type": "object"}),
        ({"type": "object", "title": "T"}, {"type": "object", "title": "T"}),
    ],
)
def test_a_tools_input_is_an_object(schema: Any, expected: Any) -> None:
    """Everything else in the schema stays."""
    assert object_schema(schema) == expected


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (CITY, CITY),
        ({"type": "object", "properties": {}}, closed()),
        (closed(a={"type": "integer", "minimum": 1}), closed(a={"type": "integer", "description": "(minimum: 1)"})),
        (
            closed(a={"type": "string", "description": "A name", "maxLength": 9, "format": "slug"}),
            closed(a={"type": "string", "description": "A name (maxLength: 9, format: slug)"}),
        ),
        (closed(a={"type": "string", "format": "date"}), closed(a={"type": "string", "format": "date"})),
        (
            closed(a={"type": "array", "minItems": 1, "items": {"oneOf": [{"type": "null"}, {"type": "string"}]}}),
            closed(a={"type": "array", "minItems": 1, "items": {"anyOf": [{"type": "null"}, {"type": "string"}]}}),
        ),
        (
            closed(a={"type": "array", "minItems": 3, "items": {"type": "string"}}),
            closed(a={"type": "array", "items": {"type": "string"}, "description": "(minItems: 3)"}),
        ),
        (
            {"$defs": {"c": {"type": "object", "properties": {}}}, "anyOf": [{"$ref": "#/$defs/c"}, {"type": "null"}]},
            {"$defs": {"c": closed()}, "anyOf": [{"$ref": "#/$defs/c"}, {"type": "null"}]},
        ),
        (closed(minimum={"type": ["string", "null"]}), closed(minimum={"type": ["string", "null"]})),
    ],
)
def test_a_schema_is_made_to_be_decoded(schema: Any, expected: Any) -> None:
    """Objects closed, oneOf as anyOf, limits in words; the schema itself is not changed."""
    before = copy.deepcopy(schema)
    assert constrained_schema(schema) == expected
    assert constrained_schema(expected) == expected
    assert schema == before


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object"},
        {"type": "object", "additionalProperties": True},
        {"type": "object", "properties": {}, "additionalProperties": {"type": "string"}},
        closed(a=True),
        closed(a={}),
        closed(a={"not": {"type": "string"}}),
        {"$ref": "https://example.com/schema.json"},
        {"$ref": "#/$defs/lost", "$defs": {}},
        closed(inner={"$ref": "#"}),
        {
            "$defs": {"tree": closed(children={"type": "array", "items": {"$ref": "#/$defs/tree"}})},
            "$ref": "#/$defs/tree",
        },
        {"type": "object", "properties": []},
        {"anyOf": "string"},
    ],
)
def test_what_would_mean_something_else_is_refused(schema: Any) -> None:
    """Open objects, anything at all, conditions, recursion, references to elsewhere, what is no schema."""
    with pytest.raises(UnspeakableError):
        constrained_schema(schema)


def test_references_are_followed_once() -> None:
    """Twenty definitions, each with two references to the next: a million ways, twenty steps."""
    definitions = {str(i): closed(a={"$ref": f"#/$defs/{i + 1}"}, b={"$ref": f"#/$defs/{i + 1}"}) for i in range(20)}
    schema = {"$defs": {**definitions, "20": {"type": "string"}}, "$ref": "#/$defs/0"}
    assert constrained_schema(schema) == schema


@needs_recordings
def test_recorded_schemas_that_were_accepted_stay_as_they_are() -> None:
    """What Claude decoded needs no change."""
    found = 0
    for recording in recordings("anthropic", endpoint="chat", status=200, features=["json_schema"]):
        body = recording.request_body
        form = body.get("output_format") or body.get("output_config", {}).get("format")
        if form:
            found += 1
            assert json.dumps(constrained_schema(form["schema"]), sort_keys=True) == json.dumps(
                form["schema"], sort_keys=True
            )
    assert found > 5
