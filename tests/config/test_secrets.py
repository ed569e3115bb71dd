import copy
import json
import pickle

import pytest

from config.secrets import Secret, mask

KEY = "sk-fake-0123456789abcdefghijQ3f"


def test_a_secret_shows_its_two_ends_only():
    """repr, str, format and `masked` give the same short form."""
    secret = Secret(KEY)
    assert secret.masked == str(secret) == f"{secret}" == "sk-…Q3f"
    assert repr(secret) == "Secret(sk-…Q3f)"
    assert f"{secret:>9}" == "  sk-…Q3f"
    assert f"{[secret]}" == "[Secret(sk-…Q3f)]"


@pytest.mark.parametrize("text", ["", "a", "password", "x" * 15])
def test_a_short_secret_shows_nothing(text: str):
    """Six known characters of fifteen would be too many."""
    assert mask(text) == "…"


def test_reveal_gives_the_text():
    """The one way to it."""
    assert Secret(KEY).reveal() == KEY


def test_secrets_are_equal_by_text_and_never_to_a_plain_text():
    """Equal ones hash alike, so that they can be keys of a mapping."""
    assert Secret(KEY) == Secret(KEY)
    assert Secret(KEY) != Secret(KEY + "x")
    assert Secret(KEY) != KEY
    assert len({Secret(KEY), Secret(KEY), Secret("other")}) == 2


@pytest.mark.parametrize("text", ["schlüssel", "\udcff from an environment that is not UTF-8"])
def test_secrets_of_any_text_can_be_compared(text: str):
    """hmac.compare_digest alone refuses a str that is not ASCII."""
    assert Secret(text) == Secret(text)
    assert Secret(text) != Secret(text + "!")


@pytest.mark.parametrize("leak", [pickle.dumps, copy.deepcopy, json.dumps], ids=["pickle", "copy", "json"])
def test_a_secret_is_not_written_anywhere_by_accident(leak):
    """Pickled, copied or dumped, it would leave its wrapper."""
    with pytest.raises(TypeError):
        leak(Secret(KEY))
