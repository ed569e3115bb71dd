"""What to try when everything is cooling: the candidate that recovers soonest."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence

from balancing.channels import Candidate


class RecoveryQueue:
    """One request's candidates by the time when they recover.

    `recovery` gives that time; None: the request has used the candidate up. A time may become later at
    any moment, and is looked at again when its turn comes; whenever one may have become earlier,
    `ended_early` gives another number, and all are looked at again.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        recovery: Callable[[Candidate], float | None],
        ended_early: Callable[[], int],
    ) -> None:
        self._candidates = candidates
        self._recovery = recovery
        self._ended_early = ended_early
        self._fill()

    def soonest(self) -> Candidate | None:
        """The one that recovers first, in the order of the rules among equals; None when all are used up."""
        if self._seen != self._ended_early():
            self._fill()
        while self._queue:
            expected, position = self._queue[0]
            candidate = self._candidates[position]
            recovers = self._recovery(candidate)
            if recovers is None:
                heapq.heappop(self._queue)
            elif recovers > expected:
                heapq.heapreplace(self._queue, (recovers, position))
            else:
                return candidate
        return None

    def _fill(self) -> None:
        self._seen = self._ended_early()
        self._queue: list[tuple[float, int]] = []
        for position, candidate in enumerate(self._candidates):
            recovers = self._recovery(candidate)
            if recovers is not None:
                self._queue.append((recovers, position))
        heapq.heapify(self._queue)
