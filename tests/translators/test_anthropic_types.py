"""The check against the SDK's types sees what it should see."""

import pytest

from tests.translators.anthropic_types import type_problems

USER = {"role": "user", "content": "x"}


@pytest.mark.parametrize(
    "fields",
    [
        {"max_tokens": "many"},
        {"messages": [{"role": "wizard", "content": "x"}]},
        {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
        {"tools": [{"name": "x"}]},
    ],
)
def test_what_does_not_fit_is_found(fields):
    """Also where the types are read lazily."""
    body = {"model": "m", "max_tokens": 5, "messages": [USER]}
    assert type_problems(body) == []
    assert type_problems(body | fields)
