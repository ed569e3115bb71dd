"""Taking turns."""

import random
from collections import Counter

from balancing.rotation import Rotation, shuffled


def turns(rotation: Rotation[str], items: str, count: int = 1) -> str:
    """The first of the order, that many times, each of them taken."""
    taken = ""
    for _ in range(count):
        index = next(rotation.order(items))
        rotation.took(items, index)
        taken += items[index]
    return taken


def test_every_item_has_its_turn() -> None:
    """Round and round, beginning with the first."""
    assert turns(Rotation(str), "abc", 7) == "abcabca"


def test_the_order_has_every_item_once() -> None:
    """From the one whose turn it is, around to the one before."""
    rotation: Rotation[str] = Rotation(str)
    turns(rotation, "abcd", 2)
    assert ["abcd"[index] for index in rotation.order("abcd")] == ["c", "d", "a", "b"]


def test_an_order_of_nothing_is_empty() -> None:
    """Also after there was something."""
    rotation: Rotation[str] = Rotation(str)
    turns(rotation, "ab")
    assert list(rotation.order("")) == []


def test_the_place_is_kept_when_the_list_changes() -> None:
    """What was last is found again by name, wherever it stands now."""
    rotation: Rotation[str] = Rotation(str)
    turns(rotation, "abcd", 2)
    assert turns(rotation, "xaybcd") == "c"
    assert turns(rotation, "dcba") == "b"


def test_the_successor_is_next_when_the_last_is_gone() -> None:
    """It has moved up to the place of the one that is gone."""
    rotation: Rotation[str] = Rotation(str)
    turns(rotation, "abcd", 2)
    assert turns(rotation, "acd") == "c"


def test_the_first_is_next_when_the_end_of_the_list_is_gone() -> None:
    """There is no successor."""
    rotation: Rotation[str] = Rotation(str)
    turns(rotation, "abcd", 4)
    assert turns(rotation, "abc") == "a"


def test_shuffled_has_every_number_once() -> None:
    """Whatever the chance."""
    for seed in range(20):
        assert sorted(shuffled(9, random.Random(seed))) == list(range(9))


def test_shuffled_draws_every_order_as_often() -> None:
    """All 24 orders of four numbers, within four standard deviations of what is expected."""
    chance = random.Random(1)
    orders = Counter(tuple(shuffled(4, chance)) for _ in range(24_000))
    assert len(orders) == 24
    assert all(abs(count - 1000) < 4 * 31 for count in orders.values())
