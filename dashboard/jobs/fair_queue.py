"""Whose turn it is: work that waits, in the order in which it will be done."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from typing import Generic, Protocol, TypeVar


class Waiting(Protocol):
    """Work that waits: whose it is, and how urgent it is (lower goes first)."""

    owners: set[str]
    urgency: int


J = TypeVar("J", bound=Waiting)
MOST_OWNERS = 1000
"""Owners whose last turn is remembered."""


class FairQueue(Generic[J]):
    """Work that waits: the urgent first; within the same urgency owners take turns, each in their own order."""

    def __init__(self) -> None:
        self._waiting: list[J] = []
        self._turns: OrderedDict[str, int] = OrderedDict()
        self._turn = itertools.count()
        self._order: list[J] | None = None

    def add(self, job: J) -> None:
        """Put work at the end of its owner's line."""
        self._waiting.append(job)
        self._order = None

    def remove(self, job: J) -> None:
        """Take work out of the line, if it is there."""
        self._waiting = [other for other in self._waiting if other is not job]
        self._order = None

    def take(self) -> J | None:
        """Take the next piece of work; None where nothing waits."""
        order = self.order()
        if not order:
            return None
        job = order[0]
        self.remove(job)
        for owner in job.owners:
            self._turns[owner] = next(self._turn)
            self._turns.move_to_end(owner)
        while len(self._turns) > MOST_OWNERS:
            self._turns.popitem(last=False)
        return job

    def order(self) -> list[J]:
        """All that waits, in the order in which it will be taken."""
        if self._order is None:
            self._order = [
                job for urgency in sorted({j.urgency for j in self._waiting}) for job in self._round(urgency)
            ]
        return self._order

    def _round(self, urgency: int) -> list[J]:
        turns = dict(self._turns)
        left = [job for job in self._waiting if job.urgency == urgency]
        taken: list[J] = []
        clock = max(turns.values(), default=0)
        while left:
            job = min(left, key=lambda j: min((turns.get(owner, -1) for owner in j.owners), default=-1))
            left.remove(job)
            taken.append(job)
            clock += 1
            turns.update(dict.fromkeys(job.owners, clock))
        return taken
