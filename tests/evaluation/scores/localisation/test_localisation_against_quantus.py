"""Agreement with Quantus (Hedström et al. 2023) where it is right, and where it is not."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from classifiers.torchvision_guard import ensure_torchvision

ensure_torchvision()

from evaluation.scores import RankedMap, Region  # noqa: E402
from evaluation.scores.localisation.pointing import pointing_game  # noqa: E402
from evaluation.scores.localisation.ranking import pixel_auroc  # noqa: E402
from evaluation.scores.localisation.relevance import relevance_mass_accuracy, relevance_rank_accuracy  # noqa: E402

quantus = pytest.importorskip("quantus")

SHAPE = (32, 32)


def quantus_score(metric: str, values: np.ndarray, mask: np.ndarray, **settings: object) -> float:
    """Ask Quantus for one score of one map, values as they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scorer = getattr(quantus, metric)(
            normalise=False, abs=False, disable_warnings=True, display_progressbar=False, **settings
        )  # fmt: skip
        result = scorer(
            model=None,
            x_batch=np.zeros((1, 1, *SHAPE), dtype=np.float32),
            y_batch=np.zeros(1, dtype=int),
            a_batch=values[None, None],
            s_batch=mask[None, None],
            channel_first=True,
        )
    return float(np.asarray(result).ravel()[0])


@pytest.fixture
def mask() -> np.ndarray:
    region = np.zeros(SHAPE, dtype=bool)
    region[8:20, 5:17] = True
    return region


@pytest.mark.parametrize("seed", range(5))
def test_positive_maps_without_ties_agree(mask, seed):
    rng = np.random.default_rng(seed)
    values = rng.random(SHAPE) + 0.5 * mask
    for metric, ours in {
        "PointingGame": pointing_game,
        "RelevanceMassAccuracy": relevance_mass_accuracy,
        "RelevanceRankAccuracy": relevance_rank_accuracy,
        "AUC": pixel_auroc,
    }.items():
        assert quantus_score(metric, values, mask) == pytest.approx(ours.of_map(values, mask)), metric
    for k in (1, 20, 144, 500):
        assert quantus_score("TopKIntersection", values, mask, k=k) == pytest.approx(
            RankedMap(values, Region(mask)).top_share(k)
        )
    mass = quantus_score("AttributionLocalisation", values, mask)
    assert mass == pytest.approx(relevance_mass_accuracy.of_map(values, mask), abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_signed_maps_agree_where_order_alone_counts(mask, seed):
    values = np.random.default_rng(seed).normal(size=SHAPE) + 0.5 * mask
    for metric, ours in {
        "PointingGame": pointing_game,
        "RelevanceRankAccuracy": relevance_rank_accuracy,
        "AUC": pixel_auroc,
    }.items():
        assert quantus_score(metric, values, mask) == pytest.approx(ours.of_map(values, mask)), metric


def test_quantus_mass_of_a_signed_map_can_fall_below_0(mask):
    outweighed = np.where(mask, 1.0, -0.01)
    outweighed[:7] = -1
    assert relevance_mass_accuracy.of_map(outweighed, mask) == 1
    assert quantus_score("RelevanceMassAccuracy", outweighed, mask) < 0


def test_quantus_breaks_ties_by_the_order_of_the_pixels(mask):
    # One superpixel of equal values, half of it inside: which half counts hangs on the order, for Quantus alone.
    values = np.zeros(SHAPE)
    values[8:20, 11:23] = 1
    share = 6 * 12 / 144
    for flip in (1, -1):
        flipped, region = values[:, ::flip], mask[:, ::flip]
        assert RankedMap(flipped, Region(region)).top_share(72) == pytest.approx(share)
    found = [quantus_score("TopKIntersection", values[:, ::f].copy(), mask[:, ::f].copy(), k=10) for f in (1, -1)]
    assert found[0] != pytest.approx(found[1])


def test_quantus_counts_negatives_in_the_mass(mask):
    values = np.where(mask, 1.0, 0.0)
    values[25:, 25:] = -2.0
    assert relevance_mass_accuracy.of_map(values, mask) == 1
    assert quantus_score("RelevanceMassAccuracy", values, mask) > 1


def test_quantus_lets_one_of_equal_peaks_decide(mask):
    values = np.zeros(SHAPE)
    values[10, 10] = values[30, 30] = values[31, 31] = values[0, 31] = 1
    assert pointing_game.of_map(values, mask) == pytest.approx(1 / 4)
    assert quantus_score("PointingGame", values, mask) in (0, 1)


def test_an_empty_mask_is_a_hit_for_quantus_and_undefined_here():
    values = np.zeros(SHAPE)
    values[3, 3] = 1
    empty = np.zeros(SHAPE, dtype=bool)
    assert math.isnan(pointing_game.of_map(values, empty))
    assert quantus_score("PointingGame", values, empty) == 1
