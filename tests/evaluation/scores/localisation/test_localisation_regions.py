"""Contrast, top-k, boxes and distances: known answers, and what must not change them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from evaluation.one_film.compare import compare
from evaluation.one_film.evaluate import ScoringContext
from evaluation.scores import RankedMap, Region, get_metric, score_map
from evaluation.scores.localisation.overlap import area_matched_iou
from evaluation.scores.localisation.pointing import pointing_game, pointing_game_scaled
from evaluation.scores.localisation.relevance import (
    contrast_to_noise,
    energy_in_box,
    relevance_mass_accuracy,
    relevance_rank_accuracy,
)
from radiographs import Radiograph
from tests.evaluation.looking import Spots, looker

MAPS = hnp.arrays(np.float64, (6, 7), elements=st.integers(0, 8).map(float))
MASKS = hnp.arrays(bool, (6, 7)).filter(lambda m: m.any() and not m.all())


def corner(shape: tuple[int, int], height: int, width: int) -> np.ndarray:
    mask = np.zeros(shape, dtype=bool)
    mask[:height, :width] = True
    return mask


def test_contrast_by_hand():
    mask = np.array([[1, 1, 0, 0, 0]], dtype=bool)
    values = np.array([[6.0, 4.0, 1.0, 2.0, 3.0]])
    # Means 5 and 2, variances 1 and 2/3.
    assert contrast_to_noise.of_map(values, mask) == pytest.approx(3 / math.sqrt(1 + 2 / 3))
    assert contrast_to_noise.of_map(-values, mask) == pytest.approx(-3 / math.sqrt(1 + 2 / 3))
    assert contrast_to_noise.of_map(values + 50, mask) == pytest.approx(3 / math.sqrt(1 + 2 / 3))


def test_contrast_without_noise_is_undefined():
    mask = corner((6, 6), 2, 2)
    assert math.isnan(contrast_to_noise.of_map(np.full((6, 6), 0.1, dtype=np.float32), mask))
    assert math.isnan(contrast_to_noise.of_map(0.1 * mask, mask))
    one = corner((6, 6), 1, 1)
    values = np.arange(36.0).reshape(6, 6)
    assert contrast_to_noise.of_map(values, one) == pytest.approx(-18 / np.arange(1, 36).std())


def test_top_k_by_hand_and_over_ties():
    mask = corner((5, 10), 1, 4)
    values = np.zeros((5, 10))
    values[0, :2] = values[4, 0] = 5
    assert RankedMap(values, Region(mask)).top_share(3) == pytest.approx(2 / 3)
    assert RankedMap(values, Region(mask)).top_share(1) == pytest.approx(2 / 3)
    # The fourth pixel is any of 47 zeros, two of them inside.
    assert RankedMap(values, Region(mask)).top_share(4) == pytest.approx((2 + 2 / 47) / 4)
    assert RankedMap(values, Region(mask)).top_share(50) == pytest.approx(4 / 50)
    # 2 % of 50 pixels is one.
    assert get_metric("top_k_intersection").of_map(values, mask) == pytest.approx(2 / 3)


@settings(max_examples=40, deadline=None)
@given(values=MAPS, mask=MASKS)
def test_the_relevance_rank_is_the_area_matched_dice_and_never_below_iou(values, mask):
    assert relevance_rank_accuracy.of_map(values, mask) >= area_matched_iou.of_map(values, mask) - 1e-12


def test_energy_in_the_box_counts_the_corners():
    mask = np.eye(4, dtype=bool)
    values = np.ones((4, 8))
    region = np.hstack([mask, np.zeros_like(mask)])
    assert energy_in_box.of_map(values, region) == pytest.approx(16 / 32)
    assert relevance_mass_accuracy.of_map(values, region) == pytest.approx(4 / 32)
    assert math.isnan(energy_in_box.of_map(values - 5, region))


@settings(max_examples=30, deadline=None)
@given(values=MAPS, mask=MASKS)
def test_energy_in_the_box_is_the_mass_for_boxes_and_at_least_it_for_outlines(values, mask):
    energy, mass = energy_in_box.of_map(values, mask), relevance_mass_accuracy.of_map(values, mask)
    assert math.isnan(energy) == math.isnan(mass)
    assert math.isnan(mass) or energy >= mass - 1e-12
    box = corner((6, 7), 3, 4)
    assert energy_in_box.of_map(values, box) == pytest.approx(relevance_mass_accuracy.of_map(values, box), nan_ok=True)


def test_distance_of_the_peak_by_hand():
    region = Region(corner((20, 20), 4, 4), (0.5, 2.0))
    values = np.zeros((20, 20))
    values[6, 7] = 1
    assert get_metric("peak_distance").of_map(values, region) == pytest.approx(5)
    assert get_metric("peak_distance_mm").of_map(values, region) == pytest.approx(math.hypot(3 * 0.5, 4 * 2))
    values[1, 1] = 1
    assert get_metric("peak_distance").of_map(values, region) == pytest.approx(2.5)
    values[1, 1] = 2
    assert get_metric("peak_distance").of_map(values, region) == 0


def test_distance_of_the_centre_of_mass_by_hand():
    region = Region(corner((20, 20), 4, 4), (0.5, 2.0))
    values = np.zeros((20, 20))
    values[6, 5] = values[6, 9] = 3
    values[19, 19] = -100
    # The centre is (6, 7): negatives carry no mass.
    assert get_metric("centre_distance").of_map(values, region) == pytest.approx(5)
    assert get_metric("centre_distance_mm").of_map(values, region) == pytest.approx(math.hypot(3 * 0.5, 4 * 2))
    assert get_metric("centre_distance").of_map(region.mask.astype(float), region) == 0
    assert math.isnan(get_metric("centre_distance").of_map(-values * (values > 0), region))


def test_mm_are_undefined_where_the_spacing_is():
    mask, values = corner((6, 6), 2, 2), np.eye(6)
    scores = score_map(values, mask)
    assert math.isnan(scores["peak_distance_mm"].value)
    assert math.isnan(scores["centre_distance_mm"].value)
    assert scores["peak_distance"].defined
    known = score_map(values, Region(mask, (0.25, 0.25)))
    assert known["peak_distance_mm"].value == pytest.approx(scores["peak_distance"].value / 4)
    assert known["peak_distance_mm"].chance == pytest.approx(scores["peak_distance"].chance / 4)


@settings(max_examples=40, deadline=None)
@given(values=MAPS, mask=MASKS)
def test_the_peaks_distance_is_0_where_the_pointing_game_is_won(values, mask):
    assert (get_metric("peak_distance").of_map(values, mask) == 0) == (pointing_game.of_map(values, mask) == 1)


def test_the_scaled_tolerance_is_3_percent_of_the_longer_side():
    mask = np.zeros((40, 100), dtype=bool)
    mask[20, 50] = True
    for column, hit in ((53, 1), (54, 0)):
        values = np.zeros((40, 100))
        values[20, column] = 1
        assert pointing_game_scaled.of_map(values, mask) == hit


@settings(max_examples=30, deadline=None)
@given(values=MAPS, mask=MASKS, lift=st.integers(1, 5))
def test_more_evidence_inside_never_lowers_a_score(values, mask, lift):
    before, after = score_map(values, mask), score_map(values + lift * mask, mask)
    for name in ("top_k_intersection", "energy_in_box", "pointing_game_scaled"):
        assert math.isnan(before[name].value) or after[name].value >= before[name].value - 1e-12, name
    assert after["peak_distance"].value <= before["peak_distance"].value + 1e-6


def test_only_the_named_metrics_are_worked_out():
    assert list(score_map(np.eye(6), corner((6, 6), 2, 2), names=["area_matched_iou", "pointing_game"])) == [
        "pointing_game",
        "area_matched_iou",
    ]
    with pytest.raises(LookupError, match="no metric 'x'"):
        score_map(np.eye(6), corner((6, 6), 2, 2), names=["x"])


def test_a_films_own_spacing_reaches_methods_baselines_and_chance():
    spots = Spots()
    film, outlined = spots.read("00"), spots.annotations("00")
    known = Radiograph(film.pixels, pixel_spacing_mm=(0.5, 0.5))
    result = compare(ScoringContext(looker(), known, outlined), ["Spot"], {"jacobian": None}).findings["Spot"]
    for scores in (result.methods["jacobian"].scores, result.baselines["uniform"], result.chance):
        assert scores["peak_distance_mm"].value == pytest.approx(scores["peak_distance"].value / 2)
        assert scores["peak_distance_mm"].defined
    unknown = compare(ScoringContext(looker(), film, outlined), ["Spot"], {"jacobian": None}).findings["Spot"]
    assert not unknown.chance["peak_distance_mm"].defined
