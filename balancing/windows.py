"""How often something happened of late, in little memory."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from balancing.cooldown import NEVER
from config.rates import Rate

SLOTS = 64
"""So many events are remembered one by one. What comes on top within a 64th of the window is one piece, counted until
the last of it has left the window: never too much is allowed, at worst it is allowed a 64th late."""


@dataclass(slots=True)
class _Slot:
    first: float
    last: float
    count: int


class SlidingWindow:
    """Counts events and says when the next one fits a rate. Times are on one scale, in seconds."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._slots: deque[_Slot] = deque()
        self._total = 0

    def add(self, now: float) -> None:
        """One more event."""
        self._drop_left(now)
        self._total += 1
        if len(self._slots) >= SLOTS and now - self._slots[-1].first < self._rate.seconds / SLOTS:
            self._slots[-1].last = max(now, self._slots[-1].last)
            self._slots[-1].count += 1
        else:
            self._slots.append(_Slot(now, now, 1))

    def count(self, now: float) -> int:
        """How many events are in the window."""
        self._drop_left(now)
        return self._total

    def oldest(self, now: float) -> float:
        """When the event was that leaves the window next; now if there is none."""
        self._drop_left(now)
        return self._slots[0].last if self._slots else now

    def free_at(self, now: float) -> float:
        """When one more event is within the rate; NEVER, which is always past, if it is already."""
        self._drop_left(now)
        too_many = self._total - self._rate.requests + 1
        if too_many <= 0:
            return NEVER
        for slot in self._slots:
            too_many -= slot.count
            if too_many <= 0:
                return slot.last + self._rate.seconds
        raise AssertionError("a rate allows at least one event")

    def _drop_left(self, now: float) -> None:
        while self._slots and self._slots[0].last + self._rate.seconds <= now:
            self._total -= self._slots.popleft().count
