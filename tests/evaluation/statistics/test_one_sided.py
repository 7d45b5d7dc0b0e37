from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from evaluation.statistics.one_sided import Gain, gain, holm_levels
from evaluation.statistics.paired_tests import holm


def test_the_test_is_scipys_over_patients_means():
    rng = np.random.default_rng(0)
    values, patients = rng.normal(0.2, 1, 60), np.arange(60) // 2
    means = values.reshape(30, 2).mean(axis=1)
    found = gain(values, patients)
    theirs = stats.ttest_1samp(means, 0, alternative="greater")
    assert (found.mean, found.p, found.patients) == pytest.approx((means.mean(), theirs.pvalue, 30))
    interval = stats.ttest_1samp(means, 0).confidence_interval(0.9)
    assert found.bounds(0.05) == pytest.approx((interval.low, interval.high))


def test_undefined_films_and_single_patients():
    assert gain(np.array([1.0, math.nan, 2.0]), ["a", "b", "c"]).patients == 2
    assert math.isnan(gain(np.array([1.0, 3.0]), ["a", "a"]).p)
    assert gain(np.ones(5), np.arange(5)).p == 0
    assert gain(np.zeros(5), np.arange(5)).p == 1


@pytest.mark.parametrize("seed", range(20))
def test_p_after_holm_and_the_interval_say_the_same(seed):
    rng = np.random.default_rng(seed)
    found = [gain(rng.normal(rng.choice([0, 0.3, 0.8]), 1, 20), np.arange(20)) for _ in range(8)]
    p = np.array([one.p for one in found])
    for one, level, corrected in zip(found, holm_levels(p), holm(p)):
        assert (one.bounds(level)[0] > 0) == (corrected < 0.05) == (one.p < level)


def test_levels_leave_out_what_was_not_tested():
    levels = holm_levels(np.array([0.001, math.nan, 0.04, 0.9]))
    assert levels[0] == pytest.approx(0.05 / 3)
    assert math.isnan(levels[1])
    assert levels[2:] == pytest.approx([0.025, 0.025])


def test_power_is_how_often_such_an_effect_is_found():
    rng = np.random.default_rng(1)
    draws = rng.normal(0.5, 1, (4000, 20))
    error = 1 / math.sqrt(20)
    t = draws.mean(axis=1) / (draws.std(axis=1, ddof=1) / math.sqrt(20))
    simulated = float(np.mean(t > stats.t.isf(0.01, 19)))
    assert Gain(0.0, error, 20, 0.5).power(0.5, 0.01) == pytest.approx(simulated, abs=0.03)
