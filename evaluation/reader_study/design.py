"""Who reads what, in which order, under which arm: worked out from a secret, so that nothing else need hold it.

Which arm a reader sees a case under follows a Latin square: cases are dealt into as many blocks as there are arms,
present and absent ones in equal shares, and each reader of a group of as many readers starts with another arm.
"""

from __future__ import annotations

import hashlib
import hmac
import string
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evaluation.reader_study.study_file import NO_MAP, Study

Part = Literal["practice", "check", "case"]


@dataclass(frozen=True)
class StudyTrial:
    """One reading: which case, under which arm, by place in the study.

    Attributes:
        number: 1 for a reader's first. session: 1 for their first visit. part, case: where the case stands in the
            study: ``practice``, ``checks`` or ``cases``. arm: place among the study's arms.
    """

    number: int
    session: int
    part: Part
    case: int
    arm: int


def _draws(secret: bytes, purpose: str) -> np.random.Generator:
    digest = hmac.new(secret, purpose.encode(), hashlib.sha256).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def letters(study: Study, secret: bytes) -> dict[str, str]:
    """The letter by which readers know each arm that shows a map: letter by the arm's name."""
    shown = [arm.name for arm in study.arms if arm.kind != NO_MAP]
    order = _draws(secret, "letters").permutation(len(shown))
    return {shown[place]: string.ascii_uppercase[rank] for rank, place in enumerate(order)}


def blocks(present: np.ndarray, arms: int, secret: bytes) -> np.ndarray:
    """Deal cases into as many blocks as there are arms: (N,) block of each case.

    Args:
        present: (N,) bool, the truth; blocks hold as many present and absent cases as can be.
    """
    rng = _draws(secret, "blocks")
    order = np.concatenate([rng.permutation(np.flatnonzero(present == truth)) for truth in (True, False)])
    dealt = np.empty(len(present), dtype=int)
    dealt[order] = np.arange(len(present)) % arms
    return dealt


def first_arm(reader: int, arms: int, secret: bytes) -> int:
    """The arm of a reader's first block; all arms come once among each ``arms`` readers in turn.

    Args:
        reader: 1 for the first.
    """
    group, row = divmod(reader - 1, arms)
    return int(_draws(secret, f"group {group}").permutation(arms)[row])


def trials(study: Study, present: np.ndarray, reader: int, secret: bytes) -> list[StudyTrial]:
    """All that one reader reads, in order: practice first, then each session's cases with the checks among them.

    Args:
        present: (N,) bool, the truth of the cases. reader: 1 for the first.
    """
    arms = len(study.arms)
    dealt, start = blocks(present, arms, secret), first_arm(reader, arms, secret)
    found: list[tuple[int, Part, int, int]] = [
        (1, "practice", case, (start + case) % arms) for case in range(len(study.practice))
    ]
    for session in range(study.sessions):
        rng = _draws(secret, f"order {reader} {session}")
        here: list[tuple[Part, int, int]] = [
            ("case", int(case), int((dealt[case] + start + session) % arms)) for case in rng.permutation(len(dealt))
        ]
        checks = np.array_split(rng.permutation(len(study.checks)), study.sessions)[session]
        for check in checks.tolist():
            here.insert(int(rng.integers(1, len(here) + 1)), ("check", check, int(rng.integers(arms))))
        found += [(session + 1, *one) for one in here]
    return [StudyTrial(number, *one) for number, one in enumerate(found, start=1)]


def map_name(secret: bytes, part: Part, case: int, arm: int) -> str:
    """Name of the file of a map, which tells nothing of its arm."""
    return hmac.new(secret, f"map {part} {case} {arm}".encode(), hashlib.sha256).hexdigest()[:24]
