"""Whose turn it is: work that waits, in the order in which it will be done.

An owner is a person, or a person's name, a blank and what of theirs it is: all that one person owns waits in one line.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from typing import Generic, Protocol, TypeVar


class Waiting(Protocol):
    """Work that waits: whose it is, and how urgent it is (lower goes first)."""

    owners: set[str]
    urgency: int


J = TypeVar("J", bound=Waiting)
MOST_PEOPLE = 1000
"""People whose last turn is remembered."""


def person_of(owner: str) -> str:
    """The person that an owner's name begins with."""
    return owner.partition(" ")[0]


class FairQueue(Generic[J]):
    """Work that waits: the urgent first; within the same urgency people take turns, each in their own order."""

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

    def take(self, most: int | None = None) -> J | None:
        """Take the next piece of work that is at ``most`` so urgent a number; None where none waits."""
        job = next((job for job in self.order() if most is None or job.urgency <= most), None)
        if job is None:
            return None
        self.remove(job)
        for person in _people(job):
            self._turns[person] = next(self._turn)
            self._turns.move_to_end(person)
        while len(self._turns) > MOST_PEOPLE:
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
            job = min(left, key=lambda j: min((turns.get(person, -1) for person in _people(j)), default=-1))
            left.remove(job)
            taken.append(job)
            clock += 1
            turns.update(dict.fromkeys(_people(job), clock))
        return taken


def _people(job: Waiting) -> set[str]:
    return {person_of(owner) for owner in job.owners}
