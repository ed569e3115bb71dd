"""The order in which candidates are tried: five algorithms, one object per client key and model.

`order(candidates, begin)` goes through the candidates lazily, calls `begin` with each, and yields
what that returns; None means that the candidate is not free now, and it is passed over. The place
that an algorithm keeps between requests moves with the first one that is begun, once a request.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from operator import attrgetter

from balancing.channels import Candidate
from balancing.cooldown import Cooldowns
from balancing.rotation import Rotation, shuffled

type Begin[Attempt] = Callable[[Candidate], Attempt | None]

LUCKLESS_DRAWS = 16
"""Draws that may hit what was drawn already, before the rest is put into order at once."""


def _turns() -> Rotation[Candidate]:
    return Rotation(attrgetter("channel.key"))


class Schedule(ABC):
    """One of the algorithms of `SCHEDULING_ALGORITHM`."""

    @abstractmethod
    def order[Attempt](self, candidates: Sequence[Candidate], begin: Begin[Attempt]) -> Iterator[Attempt]:
        """See the module's docstring."""

    def eligible(self, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        """Those that `order` considers at all."""
        return candidates


class FixedPriority(Schedule):
    """As the rules have it, always from the first."""

    def order[Attempt](self, candidates: Sequence[Candidate], begin: Begin[Attempt]) -> Iterator[Attempt]:
        for candidate in candidates:
            attempt = begin(candidate)
            if attempt is not None:
                yield attempt


class RoundRobin(Schedule):
    """From the one after the last request's first."""

    def __init__(self) -> None:
        self._turns = _turns()

    def order[Attempt](self, candidates: Sequence[Candidate], begin: Begin[Attempt]) -> Iterator[Attempt]:
        is_first = True
        for index in self._turns.order(candidates):
            attempt = begin(candidates[index])
            if attempt is not None:
                if is_first:
                    self._turns.took(candidates, index)
                    is_first = False
                yield attempt


class Random(Schedule):
    """A uniform shuffle."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def order[Attempt](self, candidates: Sequence[Candidate], begin: Begin[Attempt]) -> Iterator[Attempt]:
        for index in shuffled(len(candidates), self._chance):
            attempt = begin(candidates[index])
            if attempt is not None:
                yield attempt


class _ByWeight(Schedule):
    """Candidates without a weight are left out while others have one; without any it is a round robin."""

    def __init__(self) -> None:
        self._arranged_for: Sequence[Candidate] | None = None
        self._weighted: list[Candidate] = []
        self._round_robin = RoundRobin()

    @abstractmethod
    def arrange(self, weighted: list[Candidate]) -> None:
        """Prepare for these, which are not those of the last time."""

    @abstractmethod
    def weighted_order[Attempt](self, begin: Begin[Attempt]) -> Iterator[Attempt]:
        """`order` for what was arranged last."""

    def order[Attempt](self, candidates: Sequence[Candidate], begin: Begin[Attempt]) -> Iterator[Attempt]:
        if self.eligible(candidates) is candidates:
            yield from self._round_robin.order(candidates, begin)
        else:
            yield from self.weighted_order(begin)

    def eligible(self, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        if candidates is not self._arranged_for:
            self._arranged_for = candidates
            self._weighted = [candidate for candidate in candidates if candidate.weight]
            self.arrange(self._weighted)
        return self._weighted or candidates


class Lottery(_ByWeight):
    """Drawn by weight, without replacement."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance
        self._tickets: list[Candidate] = []
        self._sums: list[int] = []

    def arrange(self, weighted: list[Candidate]) -> None:
        self._tickets = weighted
        self._sums = list(accumulate(candidate.weight or 0 for candidate in weighted))

    def weighted_order[Attempt](self, begin: Begin[Attempt]) -> Iterator[Attempt]:
        for candidate in self._draws():
            attempt = begin(candidate)
            if attempt is not None:
                yield attempt

    def _draws(self) -> Iterator[Candidate]:
        tickets, sums = self._tickets, self._sums  # a running request keeps its own
        drawn: set[int] = set()
        luckless = 0
        while luckless < LUCKLESS_DRAWS and len(drawn) < len(tickets):
            index = bisect(sums, self._chance.random() * sums[-1])
            if index in drawn:
                luckless += 1
            else:
                luckless = 0
                drawn.add(index)
                yield tickets[index]
        # The smallest of exponential variates with such rates is a draw by weight, and so are the others in turn.
        rest = [candidate for index, candidate in enumerate(tickets) if index not in drawn]
        yield from sorted(rest, key=lambda candidate: self._chance.expovariate(candidate.weight or 0))


@dataclass(slots=True)
class _Group:
    """Candidates of equal weight, which take turns."""

    weight: int
    members: list[Candidate] = field(default_factory=list)
    turns: Rotation[Candidate] = field(default_factory=_turns)
    credit: int = 0
    """What it is owed: grows by its share with each request, and pays all shares when it serves one."""
    share: int = 0
    """The weights of its members that are not cooling."""


class WeightedRoundRobin(_ByWeight):
    """Smooth: 5, 3 and 2 of every ten requests, wherever they are counted from, and never bunched.

    Each request adds to every group's credit its share; the group with the most credit serves it and pays
    the sum. Groups of equal weight make that cheap for a thousand candidates, and exact for each member.
    What is cooling has no share; what else is not free neither earns nor pays.
    """

    def __init__(self, cooling: Cooldowns[str]) -> None:
        super().__init__()
        self._cooling = cooling
        self._groups: list[_Group] = []
        self._group_of: dict[str, _Group] = {}
        """By the keys of its members' channels."""
        self._shares_of: int | None = None
        """The generation of cooldowns that the shares were counted in."""

    def arrange(self, weighted: list[Candidate]) -> None:
        before = {group.weight: group for group in self._groups}
        groups: dict[int, _Group] = {}
        self._group_of = {}
        for candidate in weighted:
            weight = candidate.weight or 0
            group = groups.get(weight)
            if group is None:
                group = groups[weight] = _Group(weight)
                if weight in before:
                    group.turns, group.credit = before[weight].turns, before[weight].credit
            group.members.append(candidate)
            self._group_of[candidate.channel.key] = group
        self._groups = list(groups.values())
        self._shares_of = None

    def weighted_order[Attempt](self, begin: Begin[Attempt]) -> Iterator[Attempt]:
        groups = self._groups  # a running request keeps its own, whatever is arranged meanwhile
        served = self._first(begin)
        if served is None:
            return
        first, attempt = served
        yield attempt
        for group in sorted(groups, key=lambda group: group.credit, reverse=True):
            for index in group.turns.order(group.members):
                candidate = group.members[index]
                other = begin(candidate) if candidate is not first else None
                if other is not None:
                    yield other

    def _first[Attempt](self, begin: Begin[Attempt]) -> tuple[Candidate, Attempt] | None:
        self._count_shares()
        competing = [group for group in self._groups if group.share]
        competing.sort(key=lambda group: group.credit + group.share, reverse=True)
        for place, group in enumerate(competing):
            for index in group.turns.order(group.members):
                attempt = begin(group.members[index])
                if attempt is not None:
                    group.turns.took(group.members, index)
                    for each in competing[place:]:
                        each.credit += each.share
                        group.credit -= each.share
                    return group.members[index], attempt
        return None

    def _count_shares(self) -> None:
        generation = self._cooling.generation()
        if generation == self._shares_of:
            return
        self._shares_of = generation
        for group in self._groups:
            group.share = group.weight * len(group.members)
        for name in self._cooling.names():
            cooling = self._group_of.get(name)
            if cooling is not None:
                cooling.share -= cooling.weight
