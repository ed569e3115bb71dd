"""JSON, and members of objects whose types nobody promised."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from translators.jsontext import count_in, dumps, loads, loads_object, member_names, object_in, objects_in, text_in

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
ANY_TEXT = st.text(st.characters())
"""Half surrogate pairs included."""


@given(VALUES)
def test_what_is_written_is_read_back(value: object) -> None:
    """Any JSON value survives."""
    assert loads(dumps(value)) == value


@given(ANY_TEXT)
def test_half_surrogate_pairs_survive(text: str) -> None:
    """They cannot be UTF-8, so they stay escaped; a client's cut emoji must not cost the request (RFC 8259, §8.2)."""
    written = dumps({"text": text})
    written.decode("utf-8")
    assert loads(written) == {"text": text}


def test_the_writing_is_compact_and_keeps_the_order_of_keys() -> None:
    """Prompt caches hit only where the same request gives the same bytes."""
    assert dumps({"b": 1, "a": ["ü"]}) == '{"b":1,"a":["ü"]}'.encode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "nope",
        "NaN",
        "[1e999]",
        '{"a":NaN,"b":"\\ud83d"}',
        '{"a":1e999,"b":"\\ud83d"}',
        '{"a":-Infinity,"b":"\\ud83d"}',
    ],
)
def test_what_is_no_json_is_refused(text: str) -> None:
    """Also on the way that half surrogate pairs take."""
    with pytest.raises(ValueError, match=r"."):
        loads(text)


def test_depth_without_end_is_no_json_rather_than_a_crash() -> None:
    """Both parsers have their limit; each names it with ValueError."""
    deep = "[" * 200_000
    for text in (deep, '["\\ud83d",' + deep):
        with pytest.raises(ValueError, match=r"."):
            loads(text)


@pytest.mark.parametrize("text", [b'{"a":"b"}', b'{"a":"\\ud83d"}'])
def test_a_byte_order_mark_is_passed_over(text: bytes) -> None:
    """RFC 8259, §8.1."""
    assert loads(b"\xef\xbb\xbf" + text) == loads(text)
    assert member_names(b"\xef\xbb\xbf" + text) == ["a"]


def test_the_names_in_an_object_are_all_told() -> None:
    """Twice if they stand there twice, however they are written; those of objects inside are not."""
    text = b'{"a":{"b":1,"b":2},"c":[{"a":1}],"\\u0061":%s,"d":-1.5e999,"a":null}' % (b"9" * 5000)
    assert member_names(text) == ["a", "c", "a", "d", "a"]


@given(st.binary(max_size=60))
def test_any_bytes_are_an_object_or_none(data: bytes) -> None:
    """The forgiving reader never raises."""
    expected = None
    try:
        expected = json.loads(data.decode("utf-8-sig"))
    except ValueError:
        pass
    value = loads_object(data)
    assert value is None or value == expected


@given(VALUES)
def test_members_are_what_was_hoped_for_or_empty(value: object) -> None:
    """Whatever stands there, the reader gets the type it asked for."""
    assert object_in(value) == (value if isinstance(value, dict) else {})
    assert text_in(value) == (value if isinstance(value, str) else "")
    assert all(isinstance(item, dict) for item in objects_in(value))
    assert objects_in([value, {"a": 1}])[-1] == {"a": 1}


@pytest.mark.parametrize(("value", "count"), [(3, 3), (0, 0), (-1, 0), (True, 0), ("3", 0), (2.5, 0), (None, 0)])
def test_counts_are_whole_numbers_from_zero(value: object, count: int) -> None:
    """Token counts of any other type count for nothing."""
    assert count_in(value) == count
