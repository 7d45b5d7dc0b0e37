"""Effect sizes, mean ranks, critical differences and the diagram."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from evaluation.statistics.critical_difference import critical_difference_figure, nemenyi_difference, rank_methods
from evaluation.statistics.intervals import rank_biserial, wilcoxon_holm

NAMES = ["a", "b", "c", "d"]


def table(seed: int = 0, films: int = 40) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.random((films, 1)) + 0.05 * rng.normal(size=(films, 4)) + np.array([0, 0.5, 0.51, 0.9])


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
    pairs = {(p.first, p.second): p for p in wilcoxon_holm(table(), NAMES)}
    assert pairs["a", "d"].effect == -1
    assert abs(pairs["b", "c"].effect) < 0.5
    assert pairs["a", "d"].p_holm >= pairs["a", "d"].p


@pytest.mark.parametrize(
    ("methods", "quantile"), [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (6, 2.850), (8, 3.031), (10, 3.164)]
)
def test_nemenyis_quantiles_are_those_demsar_tabulates(methods, quantile):
    films = 30
    assert nemenyi_difference(methods, films) == pytest.approx(
        quantile * math.sqrt(methods * (methods + 1) / (6 * films)), rel=1e-3
    )


def test_mean_ranks_by_hand():
    scores = np.array([[0.9, 0.5, 0.5], [0.8, 0.1, 0.9], [math.nan, 1, 1]])
    found = rank_methods(scores, ["x", "y", "z"])
    assert found.names == ("x", "z", "y")
    assert found.mean_ranks == pytest.approx((1.5, 1.75, 2.75))
    assert found.n == 2
    turned = rank_methods(-scores, ["x", "y", "z"], direction="lower")
    assert (turned.names, turned.mean_ranks) == (found.names, found.mean_ranks)


@pytest.mark.parametrize("test", ["wilcoxon", "nemenyi"])
def test_alike_methods_share_a_bar(test):
    found = rank_methods(table(), NAMES, test=test)
    assert found.names[0] == "d"
    assert found.names[3] == "a"
    assert found.cliques == ((1, 2),)
    assert found.friedman_p == pytest.approx(stats.friedmanchisquare(*table().T).pvalue)
    assert math.isnan(found.difference) == (test == "wilcoxon")


def test_methods_that_are_all_alike_share_one_bar_and_all_unlike_none():
    same = np.random.default_rng(1).random((15, 4))
    assert rank_methods(same, NAMES).cliques == ((0, 3),)
    steps = np.arange(4) + 0.01 * np.random.default_rng(2).random((30, 4))
    assert rank_methods(steps, NAMES).cliques == ()


def test_bars_may_overlap_but_none_lies_within_another():
    # Neighbours are closer than Nemenyi's difference of 1.48, those two places apart are not.
    rows = [[4, 3, 2, 1]] * 8 + [[3, 4, 1, 2], [4, 2, 3, 1]]
    found = rank_methods(np.array(rows, dtype=float), NAMES, test="nemenyi")
    assert found.difference == pytest.approx(2.569 * math.sqrt(20 / 60), rel=1e-3)
    assert found.cliques == ((0, 1), (1, 2), (2, 3))


@pytest.mark.parametrize(
    ("changed", "words"),
    [({"direction": "neither"}, "neither"), ({"test": "t"}, "wilcoxon or nemenyi"), ({"names": ["a"]}, "two named")],
)
def test_what_cannot_be_ranked_is_refused(changed, words):
    given = {"names": NAMES} | changed
    names = given.pop("names")
    with pytest.raises(ValueError, match=words):
        rank_methods(table(), names, **given)
    with pytest.raises(ValueError, match="one film scored by all"):
        rank_methods(np.full((3, 4), math.nan), NAMES)


@pytest.mark.parametrize("test", ["wilcoxon", "nemenyi"])
def test_the_figure_names_methods_ranks_test_and_n(test):
    figure = critical_difference_figure(rank_methods(table(), NAMES, test=test), "Pixel AUPRC")
    words = " ".join(text.get_text() for text in figure.axes[0].texts) + figure.get_suptitle()
    for name in (*NAMES, "Pixel AUPRC", "n = 40", "Friedman", test.capitalize()):
        assert name in words, name
    assert ("critical difference" in words) == (test == "nemenyi")
    thick = [line for line in figure.axes[0].lines if line.get_linewidth() == 4]
    assert len(thick) == 1
