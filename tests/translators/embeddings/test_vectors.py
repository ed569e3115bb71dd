"""translators/embeddings/vectors.py: numbers and base64 of them."""

import array
import base64
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translators.embeddings.exchange import ENCODED, VECTORS
from translators.embeddings.vectors import in_format
from translators.errors import Kind, UpstreamError

NUMBERS = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1)


@given(NUMBERS)
def test_numbers_of_32_bits_survive_the_way_there_and_back(numbers: list[float]) -> None:
    """Bit by bit, the sign of zero included."""
    back = in_format(in_format(numbers, "base64"), "float")
    assert list(map(str, back)) == list(map(str, numbers))


@given(NUMBERS)
def test_base64_is_what_the_sdk_decodes(numbers: list[float]) -> None:
    """openai-python reads it as an array of little-endian floats of 32 bits."""
    decoded = array.array("f")
    decoded.frombytes(base64.b64decode(in_format(numbers, "base64")))
    if sys.byteorder == "big":
        decoded.byteswap()
    assert decoded.tolist() == numbers


def test_base64_is_little_endian() -> None:
    """Whatever the machine is: 0.5 is 3F000000, its last byte first."""
    assert [in_format(vector, "base64") for vector in VECTORS] == ENCODED
    assert base64.b64decode(ENCODED[0])[:4] == b"\x00\x00\x00\x3f"


def test_numbers_of_more_bits_are_rounded_to_32() -> None:
    """What OpenAI's base64 has room for."""
    assert in_format(in_format([0.1], "base64"), "float") == [0.10000000149011612]


def test_a_vector_in_the_wanted_format_is_itself() -> None:
    """Nothing is copied, so a caller sees that nothing differs."""
    assert in_format(VECTORS[0], "float") is VECTORS[0]
    assert in_format(ENCODED[0], "base64") is ENCODED[0]


@pytest.mark.parametrize(
    ("vector", "wanted"),
    [
        (None, "float"),
        ([], "float"),
        ("", "base64"),
        ({"float": [1]}, "float"),
        (0.5, "float"),
        (["a"], "base64"),
        ([None], "base64"),
        ([[0.5]], "base64"),
        ([1e39], "base64"),
        ("AAAAPw", "float"),
        ("AAAAPwA=", "float"),
        ("not base64!", "float"),
        ("Ünï", "float"),
        ("AADAfw==", "float"),
        ("AACAfw==", "float"),
    ],
)
def test_what_is_no_vector_is_malformed(vector: Any, wanted: Any) -> None:
    """Bad padding, half a number, not a number, infinity, too great for 32 bits."""
    with pytest.raises(UpstreamError) as error:
        in_format(vector, wanted)
    assert error.value.kind is Kind.MALFORMED
