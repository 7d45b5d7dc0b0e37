from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from evaluation.statistics.coverage import KINDS, coverage
from evaluation.statistics.intervals import (
    FEWEST,
    Interval,
    auroc_interval,
    bootstrap_counts,
    mean_interval,
    mean_intervals,
    tails,
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


def test_intervals_of_few_patients_hold_the_truth_as_often_as_they_say():
    # Percentiles as they are hold it in 0.88 of such studies.
    held = coverage(*KINDS["bell-shaped"], patients=10, repeats=500, rng=np.random.default_rng(3))
    assert 0.92 <= held <= 0.97


def test_tails_are_further_out_for_few_patients():
    # Student's t at 9 degrees of freedom is 2.2622 at 0.975; the normal distribution leaves 0.00854 beyond 2.3846.
    assert tails(10)[0] == pytest.approx(0.00854, abs=2e-5)
    assert tails(10_000) == pytest.approx((0.025, 0.975), abs=1e-4)


def test_few_patients_have_a_mean_and_no_interval():
    values, films = np.arange(30.0), np.arange(30)
    few = mean_interval(values, films % (FEWEST - 1), np.random.default_rng(0))
    assert (few.value, few.films, few.patients) == (14.5, 30, FEWEST - 1)
    assert math.isnan(few.low)
    assert math.isnan(few.high)
    assert not math.isnan(mean_interval(values, films % FEWEST, np.random.default_rng(0)).low)
    one_side = auroc_interval(values, values > 24, films, np.random.default_rng(0))
    assert one_side.value == 1
    assert math.isnan(one_side.low)


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


def test_each_column_gets_the_interval_it_has_alone():
    rng = np.random.default_rng(1)
    patients = np.array([f"p{i // 3}" for i in range(60)])
    columns = [rng.random(60) for _ in range(4)]
    columns[1][:7] = np.nan
    columns[2][:7] = np.nan
    columns[3][40] = np.nan
    found = mean_intervals(columns, patients, np.random.default_rng(9), draws=300)
    for column, interval in zip(columns, found):
        alone = mean_interval(column, patients, np.random.default_rng(9), draws=300)
        assert dataclasses.astuple(interval) == pytest.approx(dataclasses.astuple(alone))


def test_a_column_without_numbers_has_no_interval():
    columns = [np.full(12, np.nan), np.ones(12)]
    empty, full = mean_intervals(columns, list("abcdefghijkl"), np.random.default_rng(0), draws=20)
    assert math.isnan(empty.value)
    assert (empty.films, empty.patients) == (0, 0)
    assert (full.value, full.low, full.high, full.films, full.patients) == (1, 1, 1, 12, 12)


def test_one_film_a_patient_is_the_bootstrap_t_interval_by_its_definition():
    values = np.random.default_rng(0).lognormal(size=40)
    found = mean_interval(values, np.arange(40), np.random.default_rng(1), draws=20_000)
    drawn = values[np.random.default_rng(2).integers(40, size=(20_000, 40))]
    t = (drawn.mean(axis=1) - values.mean()) / stats.sem(drawn, axis=1)
    low, high = values.mean() - stats.sem(values) * np.quantile(t, (0.975, 0.025))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.03 * (high - low))
    # Skewed to the right: the truth may lie far above and hardly below.
    assert found.high - found.value > 1.3 * (found.value - found.low)


def test_more_films_of_some_patients_weigh_as_they_do_in_the_mean():
    rng = np.random.default_rng(4)
    sizes = rng.choice([1, 1, 2, 5], size=25)
    patient = np.repeat(np.arange(25), sizes)
    values = rng.normal(size=25)[patient] + rng.normal(size=len(patient))
    found = mean_interval(values, patient, np.random.default_rng(1), draws=20_000)
    t = []
    for chosen in np.random.default_rng(2).integers(25, size=(1500, 25)):
        sums, films = np.array([values[patient == i].sum() for i in range(25)])[chosen], sizes[chosen]
        mean = sums.sum() / films.sum()
        error = math.sqrt(25 / 24 * ((sums - mean * films) ** 2).sum()) / films.sum()
        t.append((mean - found.value) / error)
    sums = np.array([values[patient == i].sum() for i in range(25)])
    error = math.sqrt(25 / 24 * ((sums - found.value * sizes) ** 2).sum()) / sizes.sum()
    low, high = found.value - error * np.quantile(t, (0.975, 0.025))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.06 * (high - low))


def test_where_a_draw_has_no_spread_it_is_scipys_percentiles_a_little_further_out():
    values = (np.arange(12) < 4).astype(float)
    found = mean_interval(values, np.arange(12), np.random.default_rng(1), draws=20_000)
    scipys = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(2), vectorized=True,
        confidence_level=1 - 2 * tails(12)[0],
    ).confidence_interval  # fmt: skip
    assert (found.low, found.high) == pytest.approx((scipys.low, scipys.high), abs=0.03)


def test_a_few_small_numbers_among_zeros_leave_the_interval_among_what_was_seen():
    hits = np.zeros(25)
    hits[:3], hits[3:7] = 1, (0.003, 0.005, 0.006, 0.009)
    found = mean_interval(hits, np.arange(25), np.random.default_rng(0))
    assert found.low < 0.02
    assert 0.2 < found.high < 0.4, "three in 25: Clopper and Pearson's interval ends at 0.31"


def test_an_interval_is_cut_to_what_the_figure_can_be():
    assert Interval(0.5, -0.2, 1.4, 12, 12).within(0, 1) == Interval(0.5, 0, 1, 12, 12)
    assert Interval(0.5, 0.2, 0.8, 12, 12).within(0, 1) == Interval(0.5, 0.2, 0.8, 12, 12)
    assert math.isnan(Interval(0.5, math.nan, math.nan, 3, 3).within(0, 1).low)


@pytest.mark.parametrize("kind", KINDS)
def test_skew_and_ties_leave_the_coverage_of_few_patients(kind):
    held = coverage(*KINDS[kind], patients=12, repeats=120, rng=np.random.default_rng(5))
    assert held >= 0.88


def delong_half_width(scores: np.ndarray, labels: np.ndarray, patients: np.ndarray) -> float:
    """Half of DeLong's interval of an AUROC (1988, doi:10.2307/2531595), over patients (Obuchowski 1997)."""
    first, second = scores[labels], scores[~labels]
    wins = (first[:, None] > second[None]) + 0.5 * (first[:, None] == second[None])
    sums, have = [], []
    for part, side in ((wins.mean(axis=1), labels), (wins.mean(axis=0), ~labels)):
        _, patient = np.unique(patients, return_inverse=True)
        sums.append(np.bincount(patient[side], (part - wins.mean()) / side.sum(), patient.max() + 1))
        have.append(len(np.unique(patient[side])))
    variance = sum(n / (n - 1) * (s @ s) for n, s in zip(have, sums))
    every = len(sums[0])
    return stats.norm.ppf(0.975) * math.sqrt(variance + 2 * every / (every - 1) * (sums[0] @ sums[1]))


@pytest.mark.parametrize("films_a_patient", [1, 4])
def test_aurocs_interval_is_as_wide_as_delongs(films_a_patient):
    rng = np.random.default_rng(7)
    labels = np.repeat(rng.random(400 // films_a_patient) < 0.4, films_a_patient)
    patients = np.repeat(np.arange(400 // films_a_patient), films_a_patient)
    own = np.repeat(rng.normal(size=400 // films_a_patient), films_a_patient)
    scores = np.round(own + labels + 0.3 * rng.normal(size=400), 1)
    drawn = auroc_interval(scores, labels, patients, np.random.default_rng(0), draws=1500)
    assert (drawn.high - drawn.low) / 2 == pytest.approx(delong_half_width(scores, labels, patients), rel=0.1)
