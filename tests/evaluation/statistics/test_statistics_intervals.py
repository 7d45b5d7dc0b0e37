"""BCa and DeLong intervals against SciPy, by hand, and by how often they hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from evaluation.statistics.intervals import auroc_interval, delong_interval, mean_interval, patient_means


def skewed(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).lognormal(size=count)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_one_film_a_patient_is_scipys_bootstrap(seed, method):
    values = skewed(seed, 40)
    found = mean_interval(values, np.arange(40), np.random.default_rng(1), draws=20_000, method=method)
    scipys = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method={"bca": "BCa"}.get(method, method),
        rng=np.random.default_rng(2), vectorized=True,
    ).confidence_interval  # fmt: skip
    width = scipys.high - scipys.low
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(scipys.low, abs=0.03 * width)
    assert found.high == pytest.approx(scipys.high, abs=0.03 * width)


def test_bca_moves_the_interval_of_skewed_numbers_towards_the_tail():
    values = skewed(0, 30)
    plain, moved = (
        mean_interval(values, np.arange(30), np.random.default_rng(0), method=method)
        for method in ("percentile", "bca")
    )
    assert moved.low > plain.low
    assert moved.high > plain.high


def test_bca_of_clusters_leaves_out_whole_patients():
    # Three films of each patient, all alike, say no more than one: the interval is that of the patients' own numbers.
    per_patient = skewed(3, 30)
    one = mean_interval(per_patient, np.arange(30), np.random.default_rng(0), method="bca")
    three = mean_interval(
        np.repeat(per_patient, 3), np.repeat(np.arange(30), 3), np.random.default_rng(0), method="bca"
    )
    assert (three.low, three.high) == (pytest.approx(one.low), pytest.approx(one.high))
    assert (three.films, three.patients) == (90, 30)


def test_bca_of_equal_numbers_is_a_point_and_of_one_patient_undefined():
    point = mean_interval(np.full(6, 0.25), np.arange(6), np.random.default_rng(0), method="bca")
    assert (point.low, point.value, point.high) == (0.25, 0.25, 0.25)
    alone = mean_interval(np.array([1.0, 2.0]), ["a", "a"], np.random.default_rng(0), method="bca")
    assert alone.value == 1.5
    assert math.isnan(alone.low)
    assert math.isnan(alone.high)


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="percentile or bca"):
        mean_interval(np.arange(4.0), np.arange(4), np.random.default_rng(0), method="normal")  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_wider_levels_hold_narrower_ones(method):
    values = skewed(5, 25)
    wide, narrow = (
        mean_interval(values, np.arange(25), np.random.default_rng(0), level=level, method=method)
        for level in (0.99, 0.8)
    )
    assert wide.low < narrow.low < narrow.high < wide.high


def films(seed: int, count: int, shift: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.random(count) < 0.4
    return np.round(rng.normal(size=count) + shift * labels, 1), labels


def delong_by_pairs(scores: np.ndarray, labels: np.ndarray) -> float:
    """DeLong's variance from all pairs of a film with and one without the finding."""
    first, second = scores[labels], scores[~labels]
    beats = (first[:, None] > second[None]) + 0.5 * (first[:, None] == second[None])
    return beats.mean(axis=1).var(ddof=1) / len(first) + beats.mean(axis=0).var(ddof=1) / len(second)


@pytest.mark.parametrize("seed", range(4))
def test_delong_is_the_variance_over_all_pairs(seed):
    scores, labels = films(seed, 120)
    found = delong_interval(scores, labels, np.arange(120))
    half = stats.norm.ppf(0.975) * math.sqrt(delong_by_pairs(scores, labels))
    assert found.value == pytest.approx(roc_auc_score(labels, scores))
    assert (found.low, found.high) == (pytest.approx(found.value - half), pytest.approx(found.value + half))
    assert (found.films, found.patients) == (120, 120)


def test_delong_by_hand():
    # 3 beats both, 1 beats one: AUROC 3/4; the parts are (1, 1/2) and (1, 1/2), each of variance 1/8.
    found = delong_interval(
        np.array([3.0, 1.0, 0.0, 2.0]), np.array([True, True, False, False]), np.arange(4), level=0.5
    )
    half = stats.norm.ppf(0.75) * math.sqrt(1 / 16 + 1 / 16)
    assert (found.value, found.low) == (0.75, pytest.approx(0.75 - half))
    assert found.high == pytest.approx(0.75 + half)


def test_delong_and_the_bootstrap_agree_with_one_film_and_with_several_a_patient():
    scores, labels = films(7, 400)
    single = np.arange(400)
    rng = np.random.default_rng(3)
    # Four noisy films of each of 100 patients, who keep their label and much of their score.
    copies = np.repeat(scores[:100], 4) + rng.normal(scale=0.3, size=400)
    for given, truth, patients in (
        (scores, labels, single),
        (copies, np.repeat(labels[:100], 4), np.repeat(single[:100], 4)),
    ):
        exact = delong_interval(given, truth, patients)
        drawn = auroc_interval(given, truth, patients, np.random.default_rng(0), draws=1500)
        assert exact.high - exact.low == pytest.approx(drawn.high - drawn.low, rel=0.1)
    as_if_single = delong_interval(copies, np.repeat(labels[:100], 4), single)
    assert exact.high - exact.low > 1.5 * (as_if_single.high - as_if_single.low)


def test_delong_holds_the_truth_about_as_often_as_it_says():
    truth = stats.norm.cdf(1 / math.sqrt(2))
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        labels = np.arange(100) < 50
        found = delong_interval(rng.normal(size=100) + labels, labels, np.arange(100))
        held += found.low <= truth <= found.high
    assert 180 <= held <= 200


def test_delong_without_two_patients_of_each_label_has_no_interval():
    scores, labels = np.array([1.0, 2.0, 3.0]), np.array([False, False, True])
    found = delong_interval(scores, labels, ["a", "b", "c"])
    assert found.value == 1
    assert math.isnan(found.low)
    assert math.isnan(delong_interval(scores, np.ones(3, dtype=bool), ["a", "b", "c"]).value)


def test_a_separated_sample_is_cut_at_1():
    found = delong_interval(np.arange(8.0), np.arange(8) >= 4, np.arange(8))
    assert (found.value, found.high) == (1, 1)


def test_bca_of_an_auroc_holds_it():
    scores, labels = films(2, 80)
    found = auroc_interval(scores, labels, np.arange(80), np.random.default_rng(0), draws=800, method="bca")
    assert found.low < found.value < found.high


def test_patients_means_by_hand():
    table = np.array([[1.0, 2.0], [3.0, math.nan], [5.0, math.nan]])
    found = patient_means(table, ["a", "a", "b"])
    assert found[0] == pytest.approx([2, 2])
    assert found[1, 0] == 5
    assert math.isnan(found[1, 1])
