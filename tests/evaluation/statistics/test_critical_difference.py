"""Mean ranks, what is told apart, and the diagram."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from evaluation.statistics.critical_difference import critical_difference_figure, rank_methods

NAMES = ["a", "b", "c", "d"]


def table(seed: int = 0, films: int = 40) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.random((films, 1)) + 0.05 * rng.normal(size=(films, 4)) + np.array([0, 0.5, 0.51, 0.9])


def test_mean_ranks_by_hand():
    scores = np.array([[0.9, 0.5, 0.5], [0.8, 0.1, 0.9], [math.nan, 1, 1]])
    found = rank_methods(scores, ["x", "y", "z"])
    assert found.names == ("x", "z", "y")
    assert found.mean_ranks == pytest.approx((1.5, 1.75, 2.75))
    assert found.n == 2
    turned = rank_methods(-scores, ["x", "y", "z"], direction="lower")
    assert (turned.names, turned.mean_ranks) == (found.names, found.mean_ranks)


def test_alike_methods_share_a_bar():
    found = rank_methods(table(), NAMES)
    assert found.names[0] == "d"
    assert found.names[3] == "a"
    assert found.cliques == ((1, 2),)
    assert found.friedman_p == pytest.approx(stats.friedmanchisquare(*table().T).pvalue)


def test_methods_that_are_all_alike_share_one_bar_and_all_unlike_none():
    same = np.random.default_rng(1).random((15, 4))
    assert rank_methods(same, NAMES).cliques == ((0, 3),)
    steps = np.arange(4) + 0.01 * np.random.default_rng(2).random((30, 4))
    assert rank_methods(steps, NAMES).cliques == ()


def test_bars_may_overlap_but_none_lies_within_another():
    # All sixteen ways to move four methods by 1.5 up or down: that hides a difference of 1, but none of 2.
    places = np.arange(4) + 1.5 * np.array(list(itertools.product((-1, 1), repeat=4)))
    assert rank_methods(-places, NAMES).cliques == ((0, 1), (1, 2), (2, 3))


@pytest.mark.parametrize(("changed", "words"), [({"direction": "neither"}, "neither"), ({"names": ["a"]}, "two named")])
def test_what_cannot_be_ranked_is_refused(changed, words):
    given = {"names": NAMES} | changed
    names = given.pop("names")
    with pytest.raises(ValueError, match=words):
        rank_methods(table(), names, **given)
    with pytest.raises(ValueError, match="one film scored by all"):
        rank_methods(np.full((3, 4), math.nan), NAMES)


def test_the_figure_names_methods_ranks_test_and_n():
    figure = critical_difference_figure(rank_methods(table(), NAMES), "Pixel AUPRC")
    words = " ".join(text.get_text() for text in figure.axes[0].texts) + figure.get_suptitle()
    for name in (*NAMES, "Pixel AUPRC", "n = 40", "Friedman", "Wilcoxon"):
        assert name in words, name
    thick = [line for line in figure.axes[0].lines if line.get_linewidth() == 4]
    assert len(thick) == 1
