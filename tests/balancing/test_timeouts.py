"""How long a model may take."""

import pytest

from balancing.timeouts import timeout_for

TABLE = {"gpt-4o": 10.0, "gpt-4": 20.0, "mini": 30.0, "4o-mini": 40.0, "default": 50.0, "o1": 60.0}


@pytest.mark.parametrize(
    ("asked", "upstream", "seconds"),
    [
        pytest.param("gpt-4o", "other", 10, id="the entry of that name"),
        pytest.param("gpt-4o-2024", "other", 10, id="the longest that it begins with"),
        pytest.param("gpt-4-turbo", "other", 20, id="a shorter one where the longer does not fit"),
        pytest.param("gpt-4o-mini", "other", 10, id="a beginning goes before a longer part within"),
        pytest.param("x-4o-mini", "other", 40, id="the longest that it contains"),
        pytest.param("alias", "o1-preview", 60, id="the upstream name where the alias finds nothing"),
        pytest.param("mini-me", "gpt-4o", 30, id="anything of the alias before the upstream name"),
        pytest.param("claude", "sonnet", 50, id="default"),
        pytest.param("my-default-model", "x", 50, id="default is not part of a name"),
    ],
)
def test_the_closest_entry_counts(asked: str, upstream: str, seconds: float) -> None:
    """Exact, then the longest beginning, then the longest part; alias before upstream name; then default."""
    assert timeout_for(TABLE, {}, asked, upstream, 100.0) == seconds


def test_without_an_entry_the_process_default_counts() -> None:
    """TIMEOUT, or 100 seconds, where neither table has anything to say."""
    assert timeout_for({"o1": 600.0}, {}, "gpt-4o", "gpt-4o", 77.0) == 77.0


def test_the_providers_table_goes_before_the_general_one() -> None:
    """Also with nothing but its default."""
    assert timeout_for(TABLE, {"gpt": 5.0}, "gpt-4o", "gpt-4o", 100.0) == 5.0
    assert timeout_for(TABLE, {"default": 6.0}, "gpt-4o", "gpt-4o", 100.0) == 6.0


def test_a_provider_without_a_fitting_entry_leaves_it_to_the_general_table() -> None:
    """Its entries for other models change nothing."""
    assert timeout_for(TABLE, {"claude": 5.0}, "gpt-4o", "gpt-4o", 100.0) == 10.0
