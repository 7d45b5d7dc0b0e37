"""Obuchowski-Rockette against a published worked example, against DeLong's definition, and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evaluation.reader_study import mrmc
from tests.evaluation.reader_study import van_dyke


def test_the_published_example_comes_out():
    found = mrmc.analyse(mrmc.jackknifed_auroc(van_dyke.ratings(), van_dyke.TRUTH))
    assert mrmc.auroc(van_dyke.ratings(), van_dyke.TRUTH).values == pytest.approx(van_dyke.AREAS, abs=1e-8)
    assert (found.variance, found.cov1, found.cov2, found.cov3) == pytest.approx(
        (van_dyke.VARIANCE, van_dyke.COV1, van_dyke.COV2, van_dyke.COV3), abs=1e-8
    )
    assert (found.f, found.df, found.p) == (
        pytest.approx(van_dyke.F, abs=0.005), pytest.approx(van_dyke.DF, abs=0.005), pytest.approx(van_dyke.P, abs=5e-5)
    )  # fmt: skip
    (pair,) = found.differences
    assert (pair.value, pair.error, pair.low, pair.high) == pytest.approx(van_dyke.DIFFERENCE, abs=5e-6)
    for arm, printed in zip(found.arms, van_dyke.SINGLE):
        assert (arm.value, arm.error, arm.df, arm.low, arm.high) == (
            *(pytest.approx(value, abs=1e-8) for value in printed[:2]),
            pytest.approx(printed[2], abs=0.005),
            *(pytest.approx(value, abs=1e-7) for value in printed[3:]),
        )


def test_delongs_covariance_is_that_of_its_definition():
    """S10 / m + S01 / n of DeLong et al. 1988, written out with loops."""
    ratings, truth = van_dyke.ratings(), van_dyke.TRUTH
    made = mrmc.auroc(ratings, truth)

    def components(one: np.ndarray) -> tuple[list[float], list[float]]:
        sick, well = one[truth], one[~truth]
        win = [[1.0 if x > y else 0.5 if x == y else 0.0 for y in well] for x in sick]
        return [sum(row) / len(well) for row in win], [sum(column) / len(sick) for column in zip(*win)]

    (v10, v01), (w10, w01) = components(ratings[0, 0]), components(ratings[1, 3])
    expected = float(np.cov(v10, w10)[0, 1] / len(v10) + np.cov(v01, w01)[0, 1] / len(v01))
    assert made.influence[0, 0] @ made.influence[1, 3] == pytest.approx(expected, rel=1e-9)
    jackknife = mrmc.analyse(mrmc.jackknifed_auroc(ratings, truth))
    assert mrmc.analyse(made).cov2 == pytest.approx(jackknife.cov2, rel=0.03)


def test_a_mean_has_the_variance_of_a_mean_and_unshared_cases_add_nothing():
    rng = np.random.default_rng(1)
    outcomes = rng.random((2, 2, 12))
    outcomes[0, :, 6:] = np.nan
    outcomes[1, :, :6] = np.nan
    made = mrmc.mean(outcomes)
    assert made.influence[0, 0] @ made.influence[0, 0] == pytest.approx(np.nanvar(outcomes[0, 0], ddof=1) / 6)
    assert made.influence[0, 0] @ made.influence[1, 0] == 0
    assert mrmc.analyse(made).cov1 == 0


def test_too_little_gives_no_interval_and_readers_alike_give_that_of_the_cases():
    assert math.isnan(mrmc.auroc(np.zeros((1, 1, 3)), np.array([True, False, False])).values[0, 0])
    alone = mrmc.analyse(mrmc.mean(np.tile([0.0, 1.0, 1.0], (2, 1, 1))))
    assert alone.arms[0].value == pytest.approx(2 / 3)
    assert math.isnan(alone.arms[0].low)
    assert math.isnan(alone.p)
    alike = mrmc.analyse(mrmc.mean(np.tile([0.0, 1.0, 1.0, 1.0], (2, 3, 1))))
    assert alike.arms[0].error == pytest.approx(math.sqrt(0.25 / 4))
    assert math.isinf(alike.arms[0].df)


@pytest.mark.parametrize("split", [False, True])
def test_intervals_hold_the_truth_as_often_as_they_say(split: bool):
    """Readers and cases drawn at random, 300 times; split: each reader sees half of the cases under either arm."""
    rng = np.random.default_rng(7)
    readers, cases, true_gain = 6, 60, 0.1
    held = 0
    for _ in range(300):
        skill, gain, hard = rng.normal(0, 0.05, readers), rng.normal(0, 0.03, readers), rng.normal(0, 0.15, cases)
        chance = 0.6 + skill[None, :, None] + hard + np.array([0.0, true_gain])[:, None, None]
        chance[1] += gain[:, None]
        outcomes = (rng.random((2, readers, cases)) < np.clip(chance, 0, 1)).astype(float)
        if split:
            arm_of = (np.arange(cases)[None] + np.arange(readers)[:, None]) % 2
            outcomes = np.where(arm_of[None] == np.arange(2)[:, None, None], outcomes, np.nan)
        (pair,) = mrmc.analyse(mrmc.mean(outcomes)).differences
        held += pair.low <= -true_gain <= pair.high
    assert 0.92 <= held / 300 <= 0.99
