from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from evaluation.statistics.intervals import (
    auroc_interval,
    bootstrap_counts,
    friedman,
    holm,
    mean_interval,
    wilcoxon_holm,
)


def test_patients_are_drawn_whole():
    counts = bootstrap_counts(["a", "b", "a", "c"], 200, np.random.default_rng(0))
    assert counts.shape == (200, 4)
    assert np.array_equal(counts[:, 0], counts[:, 2])
    assert np.all(counts[:, [0, 1, 3]].sum(axis=1) == 3)


def test_mean_interval_covers_and_reports_n():
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(60):
        values = rng.normal(0.3, 1, size=50)
        found = mean_interval(values, np.arange(50), rng, draws=400)
        covered += found.low <= 0.3 <= found.high
    assert covered >= 50
    assert (found.films, found.patients) == (50, 50)


def test_films_of_one_patient_widen_the_interval():
    rng = np.random.default_rng(2)
    per_patient = rng.normal(size=20)
    values = np.repeat(per_patient, 10)
    by_patient = mean_interval(values, np.repeat(np.arange(20), 10), np.random.default_rng(0))
    by_film = mean_interval(values, np.arange(200), np.random.default_rng(0))
    assert by_patient.high - by_patient.low > 2 * (by_film.high - by_film.low)
    assert (by_patient.films, by_patient.patients) == (200, 20)


def test_undefined_scores_are_left_out_of_a_mean():
    found = mean_interval(np.array([1.0, math.nan, 3.0]), ["a", "b", "c"], np.random.default_rng(0))
    assert (found.value, found.films) == (2.0, 2)
    assert math.isnan(mean_interval(np.array([math.nan]), ["a"], np.random.default_rng(0)).value)


def test_auroc_is_scikit_learns_with_ties_and_lies_in_its_interval():
    rng = np.random.default_rng(3)
    labels = rng.random(300) < 0.3
    scores = np.round(rng.normal(size=300) + labels, 1)
    found = auroc_interval(scores, labels, np.arange(300), rng, draws=500)
    assert found.value == pytest.approx(roc_auc_score(labels, scores))
    assert found.low < found.value < found.high
    again = auroc_interval(scores, labels, np.arange(300), np.random.default_rng(5), draws=500)
    loop = []
    for _ in range(500):
        chosen = rng.integers(0, 300, 300)
        truth, ranks = labels[chosen], stats.rankdata(scores[chosen])
        positives = truth.sum()
        loop.append((ranks[truth].sum() - positives * (positives + 1) / 2) / (positives * (300 - positives)))
    assert (again.low, again.high) == pytest.approx(np.percentile(loop, [2.5, 97.5]), abs=0.015)


def test_auroc_of_one_label_is_undefined():
    assert math.isnan(auroc_interval(np.arange(4.0), np.ones(4, bool), np.arange(4), np.random.default_rng(0)).value)


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
