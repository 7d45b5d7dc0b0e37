from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from evaluation.statistics.paired_tests import friedman, holm, patient_means, rank_biserial, wilcoxon, wilcoxon_holm


def test_patients_means_by_hand():
    table = np.array([[1.0, 2.0], [3.0, math.nan], [5.0, math.nan]])
    found = patient_means(table, ["a", "a", "b"])
    assert found[0] == pytest.approx([2, 2])
    assert found[1, 0] == 5
    assert math.isnan(found[1, 1])


def test_friedman_is_scipys_and_leaves_out_incomplete_films():
    table = np.random.default_rng(4).random((12, 4))
    expected = stats.friedmanchisquare(*table.T)
    holed = np.vstack([table, [math.nan, 1, 1, 1]])
    assert friedman(holed) == (pytest.approx(expected.statistic), pytest.approx(expected.pvalue), 12)
    assert math.isnan(friedman(table[:, :2])[1])
    assert math.isnan(friedman(np.ones((5, 3)))[1])


def test_holm_by_hand():
    assert holm(np.array([0.01, 0.04, 0.03])) == pytest.approx([0.03, 0.06, 0.06])
    corrected = holm(np.array([0.01, math.nan, 0.04]))
    assert corrected[[0, 2]] == pytest.approx([0.02, 0.04])
    assert math.isnan(corrected[1])


def test_pairs_of_methods():
    rng = np.random.default_rng(6)
    base = rng.random(30)
    table = np.column_stack([base + 0.3 + 0.01 * rng.random(30), base, base])
    pairs = {(p.first, p.second): p for p in wilcoxon_holm(table, ["good", "plain", "same"])}
    assert pairs["good", "plain"].p_holm < 0.001
    assert pairs["good", "plain"].p == pytest.approx(stats.wilcoxon(table[:, 0], table[:, 1]).pvalue)
    assert pairs["plain", "same"].p_holm == 1
    assert pairs["good", "plain"].n == 30


@settings(max_examples=40, deadline=None)
@given(difference=hnp.arrays(np.float64, st.integers(1, 8), elements=st.integers(-3, 4).map(float)).filter(np.any))
def test_few_differences_with_ties_and_zeros_have_scipys_p_value(difference):
    assert wilcoxon(difference) == pytest.approx(stats.wilcoxon(difference).pvalue)


@pytest.mark.parametrize("n", [13, 14, 60])
def test_p_values_are_scipys_on_both_sides_of_every_change_of_its_method(n):
    whole = np.random.default_rng(n).integers(-3, 6, n).astype(float)
    for difference in (whole, whole + np.linspace(0.01, 0.02, n)):
        assert wilcoxon(difference) == pytest.approx(stats.wilcoxon(difference).pvalue)


def test_rank_biserial_by_hand():
    # Ranks 1, 2, 3 of |difference|; 2 is negative: (1 + 3 - 2) / 6.
    assert rank_biserial(np.array([0.1, -0.2, 0.3])) == pytest.approx(1 / 3)
    assert rank_biserial(np.array([1.0, 2.0])) == 1
    assert rank_biserial(np.array([-1.0, 0.0])) == -1
    assert rank_biserial(np.zeros(3)) == 0
    assert math.isnan(rank_biserial(np.array([])))


@settings(max_examples=50, deadline=None)
@given(difference=hnp.arrays(np.float64, 12, elements=st.integers(-5, 5).map(float)).filter(lambda d: d.any()))
def test_rank_biserial_is_scipys_rank_sums_and_turns_with_the_sign(difference):
    moved = difference[difference != 0]
    ranks = stats.rankdata(np.abs(moved))
    smaller = min(ranks[moved > 0].sum(), ranks[moved < 0].sum())
    assert abs(rank_biserial(difference)) == pytest.approx(1 - 2 * smaller / ranks.sum())
    assert stats.wilcoxon(moved, method="approx").statistic == pytest.approx(smaller)
    assert rank_biserial(-difference) == pytest.approx(-rank_biserial(difference))


def test_pairs_carry_their_effect():
    rng = np.random.default_rng(0)
    table = rng.random((40, 1)) + 0.05 * rng.normal(size=(40, 3)) + np.array([0, 0.5, 0.51])
    pairs = {(p.first, p.second): p for p in wilcoxon_holm(table, ["a", "b", "c"])}
    assert pairs["a", "c"].effect == -1
    assert abs(pairs["b", "c"].effect) < 0.5
    assert pairs["a", "c"].p_holm >= pairs["a", "c"].p
