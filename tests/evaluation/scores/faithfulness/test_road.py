"""ROAD: imputed pixels are what their neighbours let expect, and the sign of the score."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.scores import get_metric
from evaluation.scores.faithfulness.road import impute, road
from tests.evaluation.cases import SIDE, linear_case


def test_a_hole_in_a_plane_is_filled_without_a_seam() -> None:
    rows, columns = np.mgrid[:24, :30]
    plane = 3.0 + 0.2 * rows - 0.1 * columns
    removed = np.zeros(plane.shape, dtype=bool)
    removed[5:15, 6:20] = True
    np.testing.assert_allclose(impute(np.where(removed, 99, plane), removed), plane, atol=1e-4)


def test_what_is_left_stays_as_it_is_and_nothing_leaves_its_range() -> None:
    rng = np.random.default_rng(0)
    pixels, removed = rng.random((20, 20)), rng.random((20, 20)) < 0.9
    filled = impute(pixels, removed)
    assert np.array_equal(filled[~removed], pixels[~removed])
    assert filled.min() >= pixels[~removed].min() - 1e-5
    assert filled.max() <= pixels[~removed].max() + 1e-5


def test_one_pixel_is_the_weighted_mean_of_its_neighbours() -> None:
    pixels = np.arange(9.0).reshape(3, 3)
    removed = np.zeros((3, 3), dtype=bool)
    removed[0, 0] = True
    # A corner has two straight neighbours (1/6 each) and a diagonal one (1/12): pixels 1, 3 and 4.
    assert impute(pixels, removed)[0, 0] == pytest.approx((2 * 1 + 2 * 3 + 1 * 4) / 5)


def test_removing_nothing_or_everything() -> None:
    pixels = np.random.default_rng(0).random((4, 4))
    assert np.array_equal(impute(pixels, np.zeros((4, 4), dtype=bool)), pixels)
    with pytest.raises(ValueError, match="no pixel is left"):
        impute(pixels, np.ones((4, 4), dtype=bool))


def test_road_is_positive_for_the_true_contributions_and_turns_with_the_map() -> None:
    case = linear_case()
    gains = case.classifier.network.weights[0].numpy() * (case.film - case.film.mean())[0, 0].numpy()
    found = road(case.logits, case.film, gains, np.random.default_rng(0), noise=0.0)
    turned = road(case.logits, case.film, -gains, np.random.default_rng(0), noise=0.0)
    assert found > 0.05
    assert turned == pytest.approx(-found, rel=1e-3)


def test_road_of_a_flat_map_is_undefined() -> None:
    assert np.isnan(get_metric("road")(linear_case(np.zeros((SIDE, SIDE)))).value)
