"""Who reads what: each case once, arms in equal shares, and nothing to be told without the secret."""

from __future__ import annotations

from collections import Counter

import numpy as np

from evaluation.reader_study.design import letters, map_name, trials
from tests.evaluation.reader_study.made import made_study

SECRET = b"s" * 32
PRESENT = np.arange(12) % 2 == 1


def test_a_latin_square_shows_each_case_once_with_arms_in_equal_shares():
    study = made_study()
    by_case = Counter()
    for reader in range(1, 7):
        read = [t for t in trials(study, PRESENT, reader, SECRET) if t.part == "case"]
        assert sorted(t.case for t in read) == list(range(12))
        assert Counter(t.arm for t in read) == {0: 4, 1: 4, 2: 4}
        assert Counter((t.arm, bool(PRESENT[t.case])) for t in read) == {(a, p): 2 for a in range(3) for p in (0, 1)}
        by_case.update((t.case, t.arm) for t in read)
    # Six readers are two groups of three: each case is read twice under each arm.
    assert set(by_case.values()) == {2}
    assert len(by_case) == 36


def test_a_crossover_shows_each_case_under_every_arm_in_as_many_sessions():
    study = made_study(further='design = "crossover"')
    read = [t for t in trials(study, PRESENT, 2, SECRET) if t.part == "case"]
    assert sorted((t.case, t.arm) for t in read) == [(case, arm) for case in range(12) for arm in range(3)]
    for session in (1, 2, 3):
        here = [t for t in read if t.session == session]
        assert sorted(t.case for t in here) == list(range(12))
        assert Counter(t.arm for t in here) == {0: 4, 1: 4, 2: 4}


def test_practice_comes_first_and_checks_are_never_first():
    order = trials(made_study(), PRESENT, 1, SECRET)
    assert [t.number for t in order] == list(range(1, 15))
    assert [t.part for t in order][:2] == ["practice", "case"]
    assert sum(t.part == "check" for t in order) == 1


def test_the_secret_decides_and_the_same_secret_decides_alike():
    study = made_study(18)
    present = np.arange(18) % 2 == 1
    assert trials(study, present, 3, SECRET) == trials(study, present, 3, SECRET)
    assert trials(study, present, 3, SECRET) != trials(study, present, 3, b"t" * 32)
    orders = {tuple(letters(study, bytes([n]) * 32).items()) for n in range(20)}
    assert len(orders) == 2
    assert set(letters(study, SECRET)) == {"grad-cam", "random"}, "the arm without a map has no letter"
    assert map_name(SECRET, "case", 0, 1) != map_name(b"t" * 32, "case", 0, 1)
