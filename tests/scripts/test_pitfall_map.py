"""docs/pitfalls.md tells what the tests hold."""

from scripts.pitfall_map import COUNT, DOCUMENT, WITHOUT_TEST, document, named_tests


def test_every_pitfall_has_a_test_or_a_reason():
    """Not both, and nothing beyond the list."""
    tests = named_tests()
    assert set(tests) | set(WITHOUT_TEST) == set(range(1, COUNT + 1))
    assert not set(tests) & set(WITHOUT_TEST)


def test_the_page_is_up_to_date():
    """`scripts/pitfalls` writes it."""
    assert DOCUMENT.read_text() == document()
