"""JSON schemas for Gemini: JSON Schema where it is taken, OpenAPI's subset for older models."""

import copy
import json
from typing import Any

import pytest

from tests.translators.gemini_exchange import body, config, tool
from tests.translators.gemini_validator import nodes_of, wrong_openapi
from translators.gemini_schema import MOST_NODES, json_schema, openapi_schema

OLD = "gemini-1.5-pro"
TREE = {
    "type": "object",
    "properties": {"label": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}}},
}
ALL_AT_ONCE = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "title": "Order",
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "format": "uuid", "default": "a", "examples": ["b"]},
        "kind": {"const": "order"},
        "amount": {"type": "integer", "exclusiveMinimum": 0, "multipleOf": 5},
        "address": {"$ref": "#/$defs/address"},
    },
    "required": ["id", "kind"],
    "$defs": {"address": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


def test_pitfall_060_older_models_get_only_words_they_know() -> None:
    """What the subset has no word for is said in the description. (CLIP#97, OR#1421, nanbingxyz/5ire#42)"""
    schema = openapi_schema(ALL_AT_ONCE)
    assert list(wrong_openapi(schema)) == []
    assert schema["properties"]["id"] == {"type": "string", "description": '(default: "a", format: "uuid")'}
    assert schema["properties"]["kind"] == {"type": "string", "enum": ["order"]}
    assert schema["properties"]["amount"]["description"] == "(exclusiveMinimum: 0, multipleOf: 5)"


def test_pitfall_060_newer_models_get_the_schema_as_it_is() -> None:
    """`parametersJsonSchema` and `responseJsonSchema` take it, without `$schema`, `const` as an enum. (OR#1421)"""
    expected = {name: value for name, value in ALL_AT_ONCE.items() if name != "$schema"}
    expected["properties"] = {**ALL_AT_ONCE["properties"], "kind": {"enum": ["order"]}}  # type: ignore[dict-item]
    declared = body(tools=[tool(parameters=ALL_AT_ONCE)])["tools"][0]["functionDeclarations"][0]
    assert declared["parametersJsonSchema"] == expected
    form = {"type": "json_schema", "json_schema": {"name": "order", "schema": ALL_AT_ONCE}}
    assert config(response_format=form) == {"responseMimeType": "application/json", "responseJsonSchema": expected}
    assert "responseSchema" in config(response_format=form, model=OLD)
    assert "parameters" in body(tools=[tool(parameters=ALL_AT_ONCE)], model=OLD)["tools"][0]["functionDeclarations"][0]


def test_pitfall_061_references_are_unrolled_for_older_models() -> None:
    """With what they stand for, not left out. (DEEIX-AI/DEEIX-Chat#546)"""
    assert openapi_schema(ALL_AT_ONCE)["properties"]["address"] == {
        "type": "object",
        "properties": {"city": {"type": "string"}},
    }


def test_pitfall_061_a_circle_of_references_ends() -> None:
    """At the second turn any object will do. (PK 215913a6)"""
    schema = openapi_schema({"$ref": "#/$defs/tree", "$defs": {"tree": TREE}})
    assert schema["properties"]["children"]["items"] == {"type": "object"}
    assert openapi_schema({"$ref": "#"}) == {"type": "object"}
    assert openapi_schema({"$ref": "#/$defs/nowhere"}) == {"type": "object"}


@pytest.mark.parametrize("convert", [openapi_schema, json_schema])
def test_pitfall_061_nested_definitions_stay_small(convert: Any) -> None:
    """Thirty definitions of two references each would be a thousand million nodes. (LL PR#19112: out of memory)"""
    twice = {f"d{i}": {"properties": pair(f"#/$defs/d{i + 1}")} for i in range(30)}
    found = convert({"$ref": "#/$defs/d0", "description": "root", "$defs": twice | {"d30": {"type": "string"}}})
    assert sum(1 for _ in nodes_of(found)) <= MOST_NODES + 1_000


def pair(reference: str) -> dict[str, Any]:
    return {"a": {"$ref": reference, "description": "one"}, "b": {"$ref": reference, "description": "other"}}


def test_pitfall_061_newer_models_keep_references() -> None:
    """Gemini 2 and later follow them; taking them out would break the form of the answer. (LL PR#21597)"""
    schema = {"type": "object", "properties": {"root": {"$ref": "#/$defs/tree"}}, "$defs": {"tree": TREE}}
    assert json_schema(schema) == schema


def test_pitfall_062_a_reference_has_no_neighbours() -> None:
    """It gives way to its target, described as the client described it. (su-kaka/gcli2api PR#374)"""
    schema = {
        "type": "object",
        "properties": {"home": {"$ref": "#/$defs/address", "description": "Where they live", "default": None}},
        "$defs": ALL_AT_ONCE["$defs"],
    }
    assert json_schema(schema)["properties"]["home"] == {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "description": "Where they live",
        "default": None,
    }


def test_pitfall_062_in_a_circle_the_neighbours_go() -> None:
    """A definition that holds itself cannot be put in its own place. (su-kaka/gcli2api PR#374)"""
    looped = {"type": "object", "properties": {"next": {"$ref": "#/$defs/loop", "description": "the next one"}}}
    schema = json_schema({"$ref": "#/$defs/loop", "title": "Loop", "$defs": {"loop": looped}})
    assert schema["$ref"] == "#/$defs/loop"
    assert "title" not in schema
    assert schema["$defs"]["loop"]["properties"]["next"] == {"$ref": "#/$defs/loop"}


def test_pitfall_063_several_types() -> None:
    """One and null is nullable, several are variants, none is never empty. (BF gemini/uniontype_test.go)"""
    assert openapi_schema({"type": ["integer", "null"], "minimum": 1}) == {
        "type": "integer",
        "minimum": 1,
        "nullable": True,
    }
    assert openapi_schema({"type": ["integer", "string", "null"]}) == {
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "nullable": True,
    }
    assert openapi_schema({"type": ["null"]}) == {"type": "string", "nullable": True}
    assert openapi_schema({"type": ""})["type"] == "string"
    assert openapi_schema({"anyOf": [{"type": "string"}, {"type": "null"}], "description": "a name"}) == {
        "type": "string",
        "nullable": True,
        "description": "a name",
    }


def test_pitfall_064_open_objects_stay_open_where_that_can_be_said() -> None:
    """`additionalProperties` stays for models that read JSON Schema and goes for the others. (OR PR#12768)"""
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": True}
    assert json_schema(schema) == schema
    assert "additionalProperties" not in openapi_schema(schema)


def test_pitfall_065_enums_and_required_are_mended() -> None:
    """No empty text, no number among texts, nothing required that is not there. (UA c625d55, LL PR#10062)"""
    schema = {
        "type": "object",
        "properties": {
            "unit": {"type": "string", "enum": ["", "c", "f", None]},
            "n": {"type": "integer", "enum": [1, 2]},
        },
        "required": ["unit", "gone"],
    }
    newer, older = json_schema(schema), openapi_schema(schema)
    assert newer["properties"]["unit"]["enum"] == older["properties"]["unit"]["enum"] == ["c", "f"]
    assert newer["properties"]["n"]["enum"] == [1, 2]
    assert older["properties"]["n"] == {"type": "integer", "description": "(enum: [1,2])"}
    assert newer["required"] == older["required"] == ["unit"]
    assert json_schema({"const": True}) == {"type": "boolean"}
    assert json_schema({"const": None}) == {}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"allOf": [{"properties": {"a": {}}}, {"required": ["a"]}]}, {"required": ["a"]}),
        ({"oneOf": [{"type": "string"}, {"type": "number"}]}, {"anyOf": [{"type": "string"}, {"type": "number"}]}),
        ({"type": "array"}, {"type": "array", "items": {"type": "string"}}),
        ({"prefixItems": [{"type": "string"}, {"type": "number"}]}, {"type": "array"}),
        ({"type": "string", "format": "date-time"}, {"format": "date-time"}),
        ({"type": "STRING"}, {"type": "string"}),
        ({"const": 5}, {"type": "integer", "description": "(const: 5)"}),
        ({"enum": [1, None, 2]}, {"type": "integer", "description": "(enum: [1,null,2])"}),
        ({"enum": [1, 2.5]}, {"type": "number", "description": "(enum: [1,2.5])"}),
        ({"const": True}, {"type": "boolean", "description": "(const: true)"}),
        ({"enum": ["a", "b"]}, {"type": "string", "enum": ["a", "b"]}),
        ({"enum": []}, {"type": "string"}),
    ],
)
def test_other_words_of_json_schema(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    """Combinations, tuples, formats and spellings find their place in the subset."""
    found = openapi_schema(schema)
    assert found | expected == found
    assert list(wrong_openapi(found)) == []


def test_the_clients_schema_is_not_changed() -> None:
    """Every attempt is built from the same one."""
    before = copy.deepcopy(ALL_AT_ONCE)
    json_schema(ALL_AT_ONCE)
    openapi_schema(ALL_AT_ONCE)
    assert before == ALL_AT_ONCE


@pytest.mark.parametrize("convert", [openapi_schema, json_schema])
@pytest.mark.parametrize(
    "text",
    [
        '{"properties": 5, "required": "a", "enum": "x", "$defs": []}',
        '{"type": 7, "items": true, "anyOf": [true, 3], "allOf": [{"required": 5}, {"required": ["b"]}]}',
        '{"$ref": 5, "const": null, "properties": {"a": true, "b": null}}',
        '{"type": "object", "properties": {"a": {"type": [1, null]}}, "required": [{}, "a"]}',
        '{"allOf": {"a": 1}, "oneOf": "x", "prefixItems": {}, "description": "odd"}',
    ],
)
def test_schemas_that_are_none_do_no_harm(convert: Any, text: str) -> None:
    """What a client calls a schema may be anything; the provider judges what is left."""
    assert isinstance(convert(json.loads(text)), dict)


@pytest.mark.parametrize("convert", [openapi_schema, json_schema])
def test_a_schema_of_any_depth_is_read(convert: Any) -> None:
    """Deeper than anybody could mean is not followed."""
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(400):
        schema = {"type": "object", "properties": {"a": schema}}
    assert convert(schema)["type"] == "object"
