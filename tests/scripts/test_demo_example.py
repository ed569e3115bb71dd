"""scripts/demo/example.py: instances of JSON schemas."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from scripts.demo.example import DEPTH, example


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Node(BaseModel):
    """Recursive in three ways: optional, list and union."""

    name: str
    parent: Node | None
    children: list[Node]
    link: Node | str | None = None


class Everything(BaseModel):
    """One field for each kind of thing that clients ask for."""

    kind: Literal["a"]
    either: int | str
    colour: Colour
    day: date
    count: Annotated[int, Field(gt=3, le=9)]
    share: Annotated[float, Field(ge=0, lt=1)]
    code: Annotated[str, Field(min_length=5, max_length=6)]
    tags: Annotated[list[str], Field(min_length=2)]
    point: tuple[int, int]
    notes: dict[str, str]
    tree: Node
    flag: bool
    nothing: None


@pytest.mark.parametrize("model", [Everything, Node])
def test_it_fits_the_schema(model: type[BaseModel]) -> None:
    """What a client's model class says of itself, its own validation accepts."""
    model.model_validate(example(model.model_json_schema(), iter(["Ada"])))


@given(st.integers(-50, 50), st.integers(0, 30), st.integers(1, 7))
def test_numbers_are_within_their_bounds(low: int, span: int, step: int) -> None:
    """Minimum, maximum and multipleOf hold together where they can."""
    high = low + span + step
    number = example({"type": "integer", "minimum": low, "maximum": high, "multipleOf": step}, iter(()))
    assert low <= number <= high
    assert number % step == 0


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({}, "Ada"),
        ({"const": 7}, 7),
        ({"type": ["string", "null"]}, "Ada"),
        ({"type": "null"}, None),
        ({"type": "number", "exclusiveMaximum": 0}, -0.5),
        (
            {"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]},
            {"a": 1, "b": 2},
        ),
        ({"$ref": "#/$defs/x~1y", "$defs": {"x/y": {"const": 3}}}, 3),
        ({"type": "object", "required": ["free"]}, {"free": "Ada"}),
        ({"type": "string", "format": "uuid"}, "00000000-0000-4000-8000-000000000000"),
    ],
)
def test_schemas_of_every_form(schema: dict[str, Any], value: object) -> None:
    """Short and odd forms."""
    assert example(schema, iter(["Ada"])) == value


def test_recursion_ends() -> None:
    """A schema that refers to itself gives a value of limited depth."""
    value, depth = example(Node.model_json_schema(), iter(())), 0
    while value["parent"]:
        value, depth = value["parent"], depth + 1
    assert 0 < depth <= DEPTH
