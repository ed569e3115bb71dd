import pytest

from config.variables import BadReference, fill

ENVIRON = {"HOST": "localhost", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("no reference, $HOST neither", "no reference, $HOST neither"),
        ("http://${HOST}:80/${HOST}", "http://localhost:80/localhost"),
        ("${HOST:-other}", "localhost"),
        ("${UNSET:-other}", "other"),
        ("${UNSET:-}", ""),
        ("${EMPTY:-other}", "other"),
        ("a${EMPTY}b", "ab"),
        ("${UNSET:-a:-b c}", "a:-b c"),
        ("$${HOST}", "${HOST}"),
        ("$${", "${"),
    ],
)
def test_references_are_filled_as_a_shell_does(text: str, filled: str):
    """`${NAME}`, `${NAME:-default}`, and `$${` for a literal one."""
    assert fill(text, ENVIRON) == filled


def test_what_the_environment_holds_is_not_filled_again():
    """A key may contain anything."""
    assert fill("${A}", {"A": "${B}", "B": "no"}) == "${B}"


def test_an_unset_variable_is_named():
    """With what to do about it."""
    with pytest.raises(BadReference, match=r"variable MISSING is not set; set it or write \$\{MISSING:-default\}"):
        fill("x${MISSING}", ENVIRON)


@pytest.mark.parametrize("text", ["${", "${}", "${1A}", "${A-b}", "${A b}", "${A:-b"])
def test_what_is_no_reference_is_refused(text: str):
    """Passed on as it is, it would be sent to a provider."""
    with pytest.raises(BadReference, match="must be followed by NAME"):
        fill(text, ENVIRON)
