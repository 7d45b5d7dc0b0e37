"""Agreement with Quantus (Hedström et al. 2023) where it is right, and where it is not."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from classifiers.torchvision_guard import ensure_torchvision

ensure_torchvision()

from evaluation.metrics.pointing import pointing_game  # noqa: E402
from evaluation.metrics.ranking import pixel_auroc  # noqa: E402
from evaluation.metrics.relevance import relevance_mass_accuracy, relevance_rank_accuracy  # noqa: E402

quantus = pytest.importorskip("quantus")

SHAPE = (32, 32)


def quantus_score(metric: str, values: np.ndarray, mask: np.ndarray) -> float:
    """Ask Quantus for one score of one map, values as they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scorer = getattr(quantus, metric)(normalise=False, abs=False, disable_warnings=True, display_progressbar=False)
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
        assert quantus_score(metric, values, mask) == pytest.approx(ours(values, mask)), metric


def test_quantus_counts_negatives_in_the_mass(mask):
    values = np.where(mask, 1.0, 0.0)
    values[25:, 25:] = -2.0
    assert relevance_mass_accuracy(values, mask) == 1
    assert quantus_score("RelevanceMassAccuracy", values, mask) > 1


def test_quantus_lets_one_of_equal_peaks_decide(mask):
    values = np.zeros(SHAPE)
    values[10, 10] = values[30, 30] = values[31, 31] = values[0, 31] = 1
    assert pointing_game(values, mask) == pytest.approx(1 / 4)
    assert quantus_score("PointingGame", values, mask) in (0, 1)


def test_an_empty_mask_is_a_hit_for_quantus_and_undefined_here():
    values = np.zeros(SHAPE)
    values[3, 3] = 1
    empty = np.zeros(SHAPE, dtype=bool)
    assert math.isnan(pointing_game(values, empty))
    assert quantus_score("PointingGame", values, empty) == 1
