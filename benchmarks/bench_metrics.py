"""All localisation metrics that Quantus has as well, of one map of 1024 x 1024, against Quantus."""

from __future__ import annotations

import warnings

import numpy as np
from scipy import ndimage

from benchmarks.timing import TimingRow, compare
from classifiers.torchvision_guard import ensure_torchvision
from evaluation.scores import MapCase, get_metric, score_map

SIDE = 1024
BOTH = {
    "pointing_game": "PointingGame",
    "pixel_auroc": "AUC",
    "relevance_mass_accuracy": "RelevanceMassAccuracy",
    "relevance_rank_accuracy": "RelevanceRankAccuracy",
    "top_k_intersection": "TopKIntersection",
}
"""Our metrics and Quantus' of the same. Its AttributionLocalisation is the relevance mass a second time, so it is left
out."""


def case(side: int = SIDE) -> tuple[np.ndarray, np.ndarray]:
    """A smooth signed map (side, side) float32 and a mask of a twelfth of the film."""
    values = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(side, side)), side / 60).astype(np.float32)
    mask = np.zeros((side, side), dtype=bool)
    mask[side // 4 : side // 2, side // 5 : side // 2] = True
    return values, mask


def ours(values: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    """Each metric of ``BOTH``, of the map's positive part."""
    case = MapCase.of(values, mask)
    return {name: get_metric(name)(case).value for name in BOTH}


def theirs(values: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    """The same from Quantus, of the same positive part, with its own normalising switched off."""
    ensure_torchvision()
    import quantus

    positive = np.maximum(values, 0)[None, None]
    found = {}
    for name, metric in BOTH.items():
        settings = {"k": max(1, round(0.02 * mask.size))} if metric == "TopKIntersection" else {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scorer = getattr(quantus, metric)(
                normalise=False, abs=False, disable_warnings=True, display_progressbar=False, **settings
            )
            score = scorer(
                model=None,
                x_batch=np.zeros_like(positive),
                y_batch=np.zeros(1, dtype=int),
                a_batch=positive,
                s_batch=mask[None, None],
                channel_first=True,
            )
        found[name] = float(np.ravel(score)[0])
    return found


def rows(pairs: int) -> list[TimingRow]:
    """Time the metrics both have; then all of ours against the same five of Quantus."""
    values, mask = case()
    both = "the five localisation metrics both have, one map of 1024 x 1024"
    everything = "all our localisation metrics, against those five"
    return [
        compare(both, "Quantus", lambda: ours(values, mask), lambda: theirs(values, mask), pairs=pairs, target=1 / 3),
        compare(everything, "Quantus", lambda: score_map(values, mask), lambda: theirs(values, mask), pairs=pairs),
    ]
