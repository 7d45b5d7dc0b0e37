"""Timing two ways of doing the same, in pairs, in one process."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

Work = Callable[[], Any]


@dataclass(frozen=True)
class TimingRow:
    """One line of the table.

    Attributes:
        what: what was done, on which model. rival: what it is compared with.
        ours, theirs: median wall time in seconds. ratio: median over pairs of ours / theirs.
        target: the ratio that ours should not exceed; None where there is no target.
        pairs: how many pairs were timed.
    """

    what: str
    rival: str
    ours: float
    theirs: float
    ratio: float
    target: float | None
    pairs: int

    @property
    def met(self) -> bool | None:
        """Whether the ratio is within its target; None where there is none."""
        return None if self.target is None else self.ratio <= self.target


def seconds(work: Work) -> float:
    """Wall time of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def compare(
    what: str, rival: str, ours: Work, theirs: Work, *, pairs: int = 5, target: float | None = None, warm: int = 1
) -> TimingRow:
    """Time ``ours`` and ``theirs`` in turns, the first of each pair changing, and take medians.

    Args:
        what, rival, target: see :class:`TimingRow`. ours, theirs: calls without arguments.
        pairs: how many times each is timed. warm: untimed calls of each beforehand.

    Raises:
        ValueError: ``pairs`` is below 1.
    """
    if pairs < 1:
        raise ValueError(f"pairs: expected 1 or more, got {pairs}")
    for _ in range(warm):
        ours()
        theirs()
    mine, others = [], []
    for pair in range(pairs):
        if pair % 2:
            others.append(seconds(theirs))
            mine.append(seconds(ours))
        else:
            mine.append(seconds(ours))
            others.append(seconds(theirs))
    return row_of(what, rival, mine, others, target=target)


def row_of(what: str, rival: str, ours: list[float], theirs: list[float], *, target: float | None = None) -> TimingRow:
    """Make a row of times measured elsewhere, the n-th of ``ours`` in the same pair as the n-th of ``theirs``.

    Raises:
        ValueError: there are none, or not as many of the one as of the other.
    """
    if not ours or len(ours) != len(theirs):
        raise ValueError(f"expected as many times of each, at least one, got {len(ours)} and {len(theirs)}")
    ratio = median(mine / other for mine, other in zip(ours, theirs))
    return TimingRow(what, rival, median(ours), median(theirs), ratio, target, len(ours))
