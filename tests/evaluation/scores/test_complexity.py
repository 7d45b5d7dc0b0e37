"""Sparseness, entropy, regions and total variation: by hand, and what they must not depend on."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.scores import get_metric
from evaluation.scores.complexity import bright_regions, entropy, gini, total_variation
from evaluation.scores.similarity import spearman, ssim
from tests.evaluation.cases import SIDE, linear_case

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import strategies as st  # noqa: E402
from hypothesis.extra import numpy as hnp  # noqa: E402

SCORES = [gini, entropy, bright_regions, total_variation]
maps = hnp.arrays(np.float64, (12, 12), elements=st.integers(-8, 8).map(float))


def one_pixel(row: int = 5, column: int = 5, side: int = 12) -> np.ndarray:
    values = np.zeros((side, side))
    values[row, column] = 3
    return values


def test_flat_and_one_pixel_maps() -> None:
    flat = np.full((12, 12), -2.0)
    assert gini(flat) == pytest.approx(0)
    assert entropy(flat) == pytest.approx(1)
    assert total_variation(flat) == 0
    assert gini(one_pixel()) == pytest.approx(1 - 1 / 144)
    assert entropy(one_pixel()) == 0
    assert total_variation(one_pixel()) == 4
    assert total_variation(one_pixel(0, 0)) == 2
    assert bright_regions(one_pixel()) == 1


def test_gini_by_hand() -> None:
    assert gini(np.array([[1.0, -3.0]])) == pytest.approx(0.25)


@pytest.mark.parametrize("score", SCORES)
def test_zero_maps_have_no_score(score) -> None:
    assert np.isnan(score(np.zeros((12, 12))))


def test_regions_are_counted_where_evidence_is_positive() -> None:
    values = np.zeros((30, 30))
    values[2:6, 2:6] = 2.0
    values[6:9, 6:9] = 1.5
    values[20:25, 20:25] = 1.0
    values[2:6, 20:26] = 0.9
    values[20:25, 2:6] = -5.0
    assert bright_regions(values) == 2
    assert np.isnan(bright_regions(-np.abs(values)))


@hypothesis.given(maps, st.sampled_from([0.25, 4.0]))
@hypothesis.settings(max_examples=25, deadline=None)
def test_scale_and_flips_make_no_difference(values: np.ndarray, factor: float) -> None:
    for score in SCORES:
        expected = score(values)
        for other in (factor * values, values[::-1], values[:, ::-1], values.T):
            assert score(other) == pytest.approx(expected, nan_ok=True)


@hypothesis.given(maps)
@hypothesis.settings(max_examples=25, deadline=None)
def test_bounds(values: np.ndarray) -> None:
    for score, low, high in ((gini, 0, 1), (entropy, 0, 1), (total_variation, 0, 4), (bright_regions, 1, 144)):
        found = score(values)
        assert np.isnan(found) or low - 1e-9 <= found <= high + 1e-9


@hypothesis.given(maps, maps, st.sampled_from([0.25, 4.0]))
@hypothesis.settings(max_examples=25, deadline=None)
def test_similarity_is_symmetric_and_does_not_depend_on_scale_or_flips(one, two, factor) -> None:
    for alike in (ssim, spearman):
        expected = alike(one, two)
        for first, second in ((two, one), (factor * one, two), (one[::-1], two[::-1]), (one[:, ::-1], two[:, ::-1])):
            assert alike(first, second) == pytest.approx(expected, nan_ok=True, abs=1e-9)
        assert np.isnan(expected) or -1 - 1e-9 <= expected <= 1 + 1e-9


def test_equal_and_opposite_maps() -> None:
    values = np.random.default_rng(0).standard_normal((20, 20))
    assert ssim(values, values) == pytest.approx(1)
    assert spearman(values, 3 * values) == pytest.approx(1)
    assert ssim(values, -values) < 0
    assert spearman(values, -values) == pytest.approx(-1)
    assert spearman(values, -values, absolute=True) == pytest.approx(1)
    assert np.isnan(spearman(values, np.ones((20, 20))))
    assert np.isnan(ssim(np.zeros((20, 20)), np.zeros((20, 20))))
    assert np.isnan(ssim(values[:8, :8], values[:8, :8]))


def test_shuffled_values_are_rougher_and_fall_apart() -> None:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    case = linear_case(np.exp(-((rows - 10) ** 2 + (columns - 20) ** 2) / 40))
    for name in ("bright_regions", "total_variation"):
        score = get_metric(name)(case)
        assert score.value < score.chance
    assert np.isnan(get_metric("entropy")(case).chance)
