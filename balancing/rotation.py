"""Taking turns: a round robin's place, and an order drawn by chance."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import chain


class Rotation[Item]:
    """Where a round robin stands. It knows whose turn was last by name, so that it keeps its place
    when the list changes; when that one is gone, its successor is next.
    """

    __slots__ = ("_index", "_last", "_name_of")

    def __init__(self, name_of: Callable[[Item], str]) -> None:
        self._name_of = name_of
        self._index = 0
        self._last: str | None = None

    def order(self, items: Sequence[Item]) -> Iterator[int]:
        """Every index once, beginning with the one whose turn it is."""
        start = self._start(items)
        return chain(range(start, len(items)), range(start))

    def took(self, items: Sequence[Item], index: int) -> None:
        """It was this one's turn."""
        self._index = index
        self._last = self._name_of(items[index])

    def _start(self, items: Sequence[Item]) -> int:
        if self._last is None or not items:
            return 0
        index = self._index
        if index < len(items) and self._name_of(items[index]) == self._last:
            return (index + 1) % len(items)
        for index, item in enumerate(items):  # the list is not the one of last time
            if self._name_of(item) == self._last:
                return (index + 1) % len(items)
        return self._index % len(items)


def shuffled(count: int, chance: random.Random) -> Iterator[int]:
    """The numbers below `count` in random order, drawn one by one: the first costs no more than any other."""
    moved: dict[int, int] = {}
    for drawn_so_far in range(count):
        drawn = chance.randrange(drawn_so_far, count)
        yield moved.get(drawn, drawn)
        moved[drawn] = moved.get(drawn_so_far, drawn_so_far)
