"""Where Vertex has which model."""

import pytest

from balancing.regions import NO_REGION, REGIONS, regions_for


@pytest.mark.parametrize("engine", ["gpt", "claude", "gemini"])
def test_other_engines_have_no_regions(engine: str) -> None:
    """Whatever the provider's configuration says."""
    assert regions_for(engine, "gemini-2.5-pro", ("us-east5",)) == (NO_REGION,)


def test_configured_regions_replace_the_tables() -> None:
    """One or several, known to the table or not."""
    assert regions_for("vertex-gemini", "gemini-2.5-pro", ("me-west1",)) == ("me-west1",)


@pytest.mark.parametrize(
    ("model", "has", "has_not"),
    [
        ("claude-opus-4-6", "global", "us-central1"),
        ("claude-sonnet-4-5@20250929", "europe-west1", "us-central1"),
        ("claude-3-5-haiku@20241022", "us-east5", "global"),
        ("gemini-2.5-flash-lite", "us-central1", "us-east2"),
        ("gemini-3-pro-preview", "global", "us-central1"),
        ("something-new", "global", "us-east5"),
    ],
)
def test_a_model_has_the_regions_of_its_family(model: str, has: str, has_not: str) -> None:
    """By how its name begins; an unknown one has a sensible few."""
    regions = regions_for("vertex-claude" if "claude" in model else "vertex-gemini", model, ())
    assert has in regions
    assert has_not not in regions


def test_every_line_of_the_table_can_be_reached() -> None:
    """No beginning stands behind a shorter one; no region twice in a line."""
    for place, (begin, regions) in enumerate(REGIONS):
        assert not any(begin.startswith(earlier) for earlier, _ in REGIONS[:place])
        assert len(set(regions)) == len(regions) > 0
