"""translators/json_request.py: bodies that are JSON objects with a model in them."""

from typing import Any

import pytest

from translators.errors import RequestError
from translators.json_request import json_type, read_object, required_text


def test_an_object_with_a_model_is_read() -> None:
    """With everything else that is in it."""
    assert read_object(b'{"model":"m","input":[1],"x":null}') == {"model": "m", "input": [1], "x": None}


@pytest.mark.parametrize("body", [b"", b"{", b"{'model': 'm'}", b"\xff", b'{"model":NaN}'])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    """With what the parser says about it."""
    with pytest.raises(RequestError, match="not JSON: ") as error:
        read_object(body)
    assert (error.value.status, error.value.param) == (400, None)


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"[]", "a list"), (b'"m"', "text"), (b"null", "null"), (b"5", "a number"), (b"true", "a boolean")],
)
def test_json_that_is_no_object_is_refused(body: bytes, kind: str) -> None:
    """Said in a person's words."""
    with pytest.raises(RequestError, match=f"must be a JSON object, not {kind}"):
        read_object(body)


@pytest.mark.parametrize("model", [b"", b',"model":null', b',"model":""', b',"model":5', b',"model":["m"]'])
def test_a_request_without_a_model_is_refused(model: bytes) -> None:
    """Named, with where to find one."""
    with pytest.raises(RequestError, match="/v1/models") as error:
        read_object(b'{"x":1%s}' % model)
    assert (error.value.status, error.value.param) == (400, "model")


def test_text_that_is_needed_is_given() -> None:
    """As it came, white space too."""
    assert required_text({"prompt": " a cat "}, "prompt") == " a cat "


@pytest.mark.parametrize(
    ("raw", "wrong"),
    [
        ({}, "is missing"),
        ({"prompt": None}, "is missing"),
        ({"prompt": ""}, "is missing"),
        ({"prompt": ["a cat"]}, "must be text, not a list"),
        ({"prompt": 0}, "must be text, not a number"),
    ],
)
def test_text_that_is_needed_and_not_there_is_named(raw: dict[str, Any], wrong: str) -> None:
    """With what is there instead."""
    with pytest.raises(RequestError, match=f"^`prompt` {wrong}") as error:
        required_text(raw, "prompt")
    assert error.value.param == "prompt"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("", "text"),
        (True, "a boolean"),
        ([], "a list"),
        ({}, "an object"),
        (None, "null"),
        (1, "a number"),
        (1.5, "a number"),
    ],
)
def test_every_type_has_a_name(value: Any, name: str) -> None:
    """A boolean is no number, although Python says so."""
    assert json_type(value) == name
