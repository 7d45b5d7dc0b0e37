"""Known answers, ties, edges, chance levels and agreement with reference implementations."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import average_precision_score, roc_auc_score

from evaluation.scores import (
    MapCase,
    Region,
    chance_scores,
    get_metric,
    headline_metrics,
    localisation_metrics,
    metrics,
    register,
    score_map,
)
from evaluation.scores.localisation.overlap import area_matched_iou, expected_iou
from evaluation.scores.localisation.pointing import pointing_game, pointing_game_15px
from evaluation.scores.localisation.ranking import pixel_auprc, pixel_auroc
from evaluation.scores.localisation.relevance import relevance_rank_accuracy

ALL = list(localisation_metrics())
HEADLINE = list(headline_metrics())
WITH_CHANCE = [name for name, metric in localisation_metrics().items() if metric.chance_formula]


def box(shape: tuple[int, int], top: int, bottom: int, left: int, right: int) -> np.ndarray:
    mask = np.zeros(shape, dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


# 2 x 3 film: the region is the first column; values chosen so that every answer can be worked out by hand.
MASK = np.array([[1, 0, 0], [1, 0, 0]], dtype=bool)
VALUES = np.array([[6, 3, 0], [1, -2, 0]], dtype=np.float32)


def test_localisation_leads_the_registry_and_the_headline_is_in_its_order():
    assert list(metrics())[: len(ALL)] == ALL
    assert HEADLINE == [
        "pixel_auprc", "pixel_auroc", "pointing_game", "pointing_game_15px", "relevance_mass_accuracy",
        "relevance_rank_accuracy", "area_matched_iou",
    ]  # fmt: skip


def test_hand_computed_small_map():
    scores = {name: score.value for name, score in score_map(VALUES, MASK).items()}
    assert scores["pointing_game"] == 1
    # Ranking 6 (in), 3 (out), 1 (in): precision 1/1 and 2/3 at the two hits.
    assert scores["pixel_auprc"] == pytest.approx((1 + 2 / 3) / 2)
    assert scores["relevance_mass_accuracy"] == pytest.approx(7 / 10)
    assert scores["relevance_rank_accuracy"] == pytest.approx(1 / 2)
    assert scores["area_matched_iou"] == pytest.approx(1 / 3)
    # 6 beats all four outside, 1 beats three of them.
    assert scores["pixel_auroc"] == pytest.approx(7 / 8)


def test_hand_computed_polarities_of_a_signed_map():
    values = np.array([[1, 0, 2], [-5, 0, -4]], dtype=np.float32)
    by_polarity = {r: score_map(values, MASK, polarity=r) for r in ("positive", "abs", "raw")}
    assert by_polarity["positive"]["pointing_game"].value == 0
    assert by_polarity["abs"]["pointing_game"].value == 1
    assert by_polarity["positive"]["relevance_mass_accuracy"].value == pytest.approx(1 / 3)
    assert by_polarity["abs"]["relevance_mass_accuracy"].value == pytest.approx(6 / 12)
    # Negatives never enter the mass, whatever the polarity.
    assert by_polarity["raw"]["relevance_mass_accuracy"].value == pytest.approx(1 / 3)
    # As they are, -5 is the least of all; its positive part ties with the other zeros.
    assert by_polarity["raw"]["pixel_auroc"].value == pytest.approx((3 + 0) / 8)
    assert by_polarity["positive"]["pixel_auroc"].value == pytest.approx((3 + 1.5) / 8)


def test_an_unknown_polarity_is_refused():
    with pytest.raises(ValueError, match="positive, abs, raw"):
        score_map(VALUES, MASK, polarity="negative")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ALL)
def test_an_empty_mask_has_no_score_and_no_chance(name):
    metric = get_metric(name)
    empty = np.zeros_like(MASK)
    assert math.isnan(metric.of_map(VALUES, empty))
    assert math.isnan(metric.chance(MapCase.of(VALUES, empty)))


def test_a_full_mask_leaves_auroc_undefined_and_the_others_at_their_chance_of_one():
    full = np.ones_like(MASK)
    scores = score_map(VALUES, full)
    for name in ("pixel_auroc", "contrast_to_noise"):
        assert math.isnan(scores.pop(name).value)
        assert math.isnan(get_metric(name).chance(MapCase.of(VALUES, full)))
    for name, score in scores.items():
        if get_metric(name).direction == "higher" and get_metric(name).chance_formula:
            assert (score.value, score.chance) == (pytest.approx(1), pytest.approx(1)), name
        elif get_metric(name).direction == "lower" and get_metric(name).unit == "pixels":
            assert score.value == 0, name


@pytest.mark.parametrize("values", [np.zeros((40, 50)), np.full((40, 50), -3.0)], ids=["zero", "negative"])
def test_a_map_without_positive_evidence_ranks_at_chance_and_has_no_mass(values):
    mask = box((40, 50), 5, 15, 5, 25)
    scores = score_map(values, mask)
    assert math.isnan(scores["relevance_mass_accuracy"].value)
    shares = {"relevance_mass_accuracy", "energy_in_box", "contrast_to_noise", "peak_distance_mm"}
    for name in set(WITH_CHANCE) - shares - {"pixel_auprc"}:
        assert scores[name].value == pytest.approx(scores[name].chance), name
    for name in shares | (set(ALL) - set(WITH_CHANCE) - {"chestxray14_boxes"}):
        assert math.isnan(scores[name].value), name
    assert scores["chestxray14_boxes"].value == 0
    assert scores["pixel_auprc"].value == pytest.approx(0.1)


def test_a_constant_positive_map_scores_chance():
    mask = box((40, 50), 5, 15, 5, 25)
    for name, score in score_map(np.full((40, 50), 7.0), Region(mask, (0.2, 0.2))).items():
        if name == "contrast_to_noise" or name not in WITH_CHANCE:
            assert not score.defined or name in ("chestxray14_boxes", "centre_distance", "centre_distance_mm"), name
            continue
        expected = 0.1 if name == "pixel_auprc" else score.chance
        assert score.value == pytest.approx(expected), name


def test_one_pixel_masks():
    mask = np.zeros((5, 5), dtype=bool)
    mask[2, 2] = True
    hit, miss = np.zeros((5, 5)), np.zeros((5, 5))
    hit[2, 2], miss[0, 0] = 1, 1
    found = score_map(hit, mask)
    assert all(found[name].value == 1 for name in HEADLINE)
    assert {found[name].value for name in ("peak_distance", "centre_distance")} == {0}
    # Neither part has noise; a part of one pixel has no contour; its box is itself.
    assert math.isnan(found["contrast_to_noise"].value)
    assert math.isnan(found["chexlocalize_iou"].value)
    assert (found["chestxray14_iou"].value, found["chestxray14_boxes"].value) == (1, 1)
    assert pointing_game.of_map(miss, mask) == 0
    assert pixel_auprc.of_map(miss, mask) == pytest.approx(1 / 25)
    assert area_matched_iou.of_map(miss, mask) == 0


def test_equal_peaks_are_averaged_over():
    values = np.zeros((4, 4))
    values[0, :4] = 9
    mask = box((4, 4), 0, 1, 0, 3)
    assert pointing_game.of_map(values, mask) == pytest.approx(3 / 4)
    values[3, 3] = 9
    assert pointing_game.of_map(values, mask) == pytest.approx(3 / 5)


def test_the_tolerance_is_15_pixels_inclusive():
    mask = np.zeros((64, 64), dtype=bool)
    mask[32, 32] = True
    for (row, column), hit in {(32, 47): 1, (32, 48): 0, (41, 44): 1, (43, 43): 0, (47, 33): 0}.items():
        values = np.zeros((64, 64))
        values[row, column] = 1
        assert pointing_game_15px.of_map(values, mask) == hit, (row, column)
        assert pointing_game.of_map(values, mask) == 0


def brute_force_top(values: np.ndarray, mask: np.ndarray, score) -> float:
    """Mean of ``score(hits)`` over every way to choose the top pixels, as many as the mask has."""
    flat, inside = values.ravel(), mask.ravel()
    count = int(inside.sum())
    border = np.sort(flat)[-count]
    sure = flat > border
    tied = np.flatnonzero(flat == border)
    choices = list(combinations(tied, count - int(sure.sum())))
    return float(np.mean([score(int(inside[sure].sum()) + int(inside[list(choice)].sum())) for choice in choices]))


@settings(max_examples=30, deadline=None)
@given(
    values=hnp.arrays(np.float64, (3, 4), elements=st.integers(0, 3).map(float)),
    mask=hnp.arrays(bool, (3, 4)).filter(lambda m: m.any()),
)
def test_rank_and_iou_are_the_mean_over_all_ways_to_break_ties(values, mask):
    area = int(mask.sum())
    assert relevance_rank_accuracy.of_map(values, mask) == pytest.approx(
        brute_force_top(values, mask, lambda h: h / area)
    )
    iou = brute_force_top(values, mask, lambda h: h / (2 * area - h))
    assert area_matched_iou.of_map(values, mask) == pytest.approx(iou)


def test_expected_iou_on_a_large_tie_matches_the_approximation():
    p = 0.06
    size = 1_000_000
    assert expected_iou(int(p * size), 0, size, int(p * size), int(p * size)) == pytest.approx(p / (2 - p), abs=1e-5)


MAPS = hnp.arrays(np.float64, (6, 7), elements=st.integers(-8, 8).map(float))
MASKS = hnp.arrays(bool, (6, 7)).filter(lambda m: m.any() and not m.all())


@settings(max_examples=30, deadline=None)
@given(values=MAPS, mask=MASKS, scale=st.sampled_from([0.25, 1.0, 8.0, 1024.0]), flip=st.sampled_from([0, 1, (0, 1)]))
def test_scale_and_flips_change_nothing_and_bounds_hold(values, mask, scale, flip):
    before = score_map(values, mask)
    after = score_map(np.flip(values * scale, flip), np.flip(mask, flip))
    for name, score in before.items():
        assert after[name].value == pytest.approx(score.value, nan_ok=True), name
        assert after[name].chance == pytest.approx(score.chance, nan_ok=True), name
        metric = get_metric(name)
        assert math.isnan(score.value) or metric.low <= score.value <= metric.high, name
        assert math.isnan(score.chance) or metric.low <= score.chance <= metric.high, name


@pytest.mark.parametrize("axis", [0, 1])
def test_a_centre_between_two_pixels_lies_in_the_region_if_one_of_them_does(axis):
    values, mask = np.zeros((4, 4)), np.ones((4, 4), dtype=bool)
    values[1:3, 1:3] = 1  # the centre of mass is the corner of four pixels
    for row, column in np.argwhere(values > 0):
        mask[row, column] = False
        assert (
            score_map(values, mask)["centre_distance"].value
            == score_map(np.flip(values, axis), np.flip(mask, axis))["centre_distance"].value
            == (0 if mask[1:3, 1:3].any() else pytest.approx(np.hypot(0.5, 1.5)))
        )


@settings(max_examples=25, deadline=None)
@given(values=MAPS, mask=MASKS, lift=st.integers(1, 5))
def test_more_evidence_inside_never_lowers_a_score(values, mask, lift):
    before, after = score_map(values, mask), score_map(values + lift * mask, mask)
    # Average precision is left out: with ties it may fall when tied pixels rise together.
    for name in ("pixel_auroc", "relevance_rank_accuracy", "area_matched_iou", "pointing_game"):
        assert after[name].value >= before[name].value - 1e-12, name
    mass = before["relevance_mass_accuracy"].value
    assert math.isnan(mass) or after["relevance_mass_accuracy"].value >= mass - 1e-12


@settings(max_examples=40, deadline=None)
@given(values=MAPS, mask=MASKS)
def test_agreement_with_scikit_learn_with_ties(values, mask):
    truth, ranked = mask.ravel(), values.ravel()
    assert pixel_auprc.of_map(values, mask) == pytest.approx(average_precision_score(truth, ranked))
    assert pixel_auroc.of_map(values, mask) == pytest.approx(roc_auc_score(truth, ranked))


def test_agreement_with_scikit_learn_without_ties():
    rng = np.random.default_rng(3)
    mask = box((200, 180), 20, 90, 30, 80)
    values = (rng.normal(size=mask.shape) + mask).astype(np.float32)
    assert pixel_auprc.of_map(values, mask) == pytest.approx(average_precision_score(mask.ravel(), values.ravel()))
    assert pixel_auroc.of_map(values, mask) == pytest.approx(roc_auc_score(mask.ravel(), values.ravel()))


@pytest.mark.parametrize("edges", [(2, 6, 3, 9), (0, 1, 0, 1), (1, 11, 0, 12)])
def test_chance_is_the_mean_score_of_random_maps(edges):
    rng = np.random.default_rng(11)
    region = Region(box((12, 14), *edges), (0.3, 0.2))
    drawn = [score_map(rng.random(region.mask.shape), region, names=WITH_CHANCE) for _ in range(500)]
    for name in WITH_CHANCE:
        scores = np.array([found[name].value for found in drawn])
        error = scores.std() / math.sqrt(len(scores))
        assert scores.mean() == pytest.approx(drawn[0][name].chance, abs=4.5 * error + 1e-9), name


@pytest.mark.parametrize("name", sorted(set(ALL) - set(WITH_CHANCE)))
def test_where_there_is_no_closed_form_chance_is_unknown(name):
    assert math.isnan(get_metric(name).chance(MapCase.of(VALUES, MASK)))


def test_chance_scores_are_their_own_chance():
    for score in chance_scores(MASK).values():
        assert score.value == pytest.approx(score.chance, nan_ok=True)


def test_shapes_and_values_that_mean_nothing_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 2\).*\(2, 3\)"):
        score_map(np.zeros((2, 2)), MASK)
    with pytest.raises(ValueError, match="not finite"):
        score_map(np.array([[1, np.nan, 0], [0, 0, 0]]), MASK)
    with pytest.raises(ValueError, match="not finite"):
        score_map(np.array([[1, np.inf, 0], [0, 0, 0]]), MASK)
    with pytest.raises(ValueError, match="not finite"):
        score_map(np.array([[1, -np.inf, 0], [0, 0, 0]]), MASK)
    with pytest.raises(ValueError, match="bool"):
        score_map(VALUES, MASK.astype(int))
    with pytest.raises(ValueError, match="real numbers"):
        score_map(VALUES.astype(complex), MASK, polarity="raw")


def test_a_duplicate_name_is_refused():
    with pytest.raises(ValueError, match="registered already"):
        register(pointing_game)


def test_an_unknown_metric_names_those_there_are():
    with pytest.raises(LookupError, match="pointing_game"):
        get_metric("pointing")


@pytest.mark.parametrize("name", ALL)
def test_every_metric_says_what_it_means(name):
    metric = get_metric(name)
    assert metric.meaning.endswith(".")
    assert metric.caveat.endswith(".")
    assert "doi:" in metric.source or "arXiv:" in metric.source
    assert metric.formula
    assert metric.coverage is None or get_metric(metric.coverage).direction == "neither"


def test_the_map_is_left_as_it_was():
    values, mask = VALUES.copy(), MASK.copy()
    values.setflags(write=False)
    mask.setflags(write=False)
    score_map(values, mask)
    assert np.array_equal(values, VALUES)
    assert np.array_equal(mask, MASK)
