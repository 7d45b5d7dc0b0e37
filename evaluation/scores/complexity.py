"""How easily an eye takes a map in. Chance is the same values at random places, where that makes a difference."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import ndimage

from evaluation.scores.base import Case, Metric
from evaluation.scores.registry import register

_PEAK = 99.5
"""Percentile of the positive part that is shown at full strength, as in the display of maps."""


def gini(values: np.ndarray) -> float:
    """Gini index of the absolute values (Chalasani et al. 2020, arXiv 1810.06583), 0 flat to almost 1 for one pixel.

    Returns:
        NaN where the map is zero everywhere.
    """
    ordered = np.sort(np.abs(values).ravel().astype(np.float64))
    total = ordered.sum()
    if total == 0:
        return float("nan")
    weights = (len(ordered) - np.arange(len(ordered)) - 0.5) / len(ordered)
    return float(1 - 2 * (ordered @ weights) / total)


def entropy(values: np.ndarray) -> float:
    """Entropy of the absolute values as shares of their sum (Bhatt et al. 2020, arXiv 2005.00631).

    Returns:
        As a share of the highest possible, the logarithm of the number of pixels: 0 for one pixel, 1 for a flat map.
        NaN where the map is zero everywhere.
    """
    strength = np.abs(values).ravel().astype(np.float64)
    total = strength.sum()
    if total == 0 or len(strength) == 1:
        return float("nan")
    shares = strength[strength > 0] / total
    return float(-(shares @ np.log(shares)) / np.log(len(strength)))


def bright_regions(values: np.ndarray) -> float:
    """Number of separate regions (8-connected) of positive evidence shown at half strength or more.

    Full strength is the 99.5th percentile of the positive part over the whole map, or its highest value where that
    percentile is 0.

    Returns:
        NaN where nothing is positive.
    """
    positive = np.maximum(values, 0)
    peak = float(np.percentile(positive, _PEAK)) or float(positive.max())
    if peak == 0:
        return float("nan")
    return float(ndimage.label(positive >= peak / 2, structure=np.ones((3, 3)))[1])


def total_variation(values: np.ndarray) -> float:
    """Sum of the differences of neighbouring pixels, across and down, as a share of the sum of absolute values.

    Anisotropic total variation (Rudin, Osher and Fatemi 1992, doi 10.1016/0167-2789(92)90242-F), made independent of
    the map's unit.

    Returns:
        0 for a flat map, 4 for a single inner pixel, which is the most there is; NaN for a zero map.
    """
    values = values.astype(np.float64)
    total = np.abs(values).sum()
    if total == 0:
        return float("nan")
    return float((np.abs(np.diff(values, axis=0)).sum() + np.abs(np.diff(values, axis=1)).sum()) / total)


def _of_map(score: Callable[[np.ndarray], float]) -> Callable[[Case], float]:
    return lambda case: score(case.values)


def _shuffled(score: Callable[[np.ndarray], float]) -> Callable[[Case], float]:
    def chance(case: Case) -> float:
        values = case.values
        return score(np.random.default_rng(case.seed).permutation(values.ravel()).reshape(values.shape))

    return chance


register(
    Metric(
        name="gini_sparseness",
        title="Sparseness",
        meaning="How few pixels carry the map, as the Gini index of its absolute values.",
        formula="1 − 2 · Σₖ (|a|₍ₖ₎ / Σ|a|) · (N − k + ½) / N, |a|₍ₖ₎ ascending",
        compute=_of_map(gini),
        source="Chalasani et al. 2020, arXiv:1810.06583",
        caveat="Sparse is not right: a single wrong pixel is as sparse as a map can be. The same for any order of the "
        "pixels, so there is no chance level.",
        element="visual recognizability",
        scorecard=True,
    )
)

register(
    Metric(
        name="entropy",
        title="Entropy",
        meaning="How evenly the map is spread over the film: 0 for one pixel, 1 for a flat map.",
        formula="−Σ pᵢ ln pᵢ / ln N, pᵢ = |aᵢ| / Σ|a|",
        compute=_of_map(entropy),
        source="Bhatt et al. 2020, arXiv:2005.00631, divided by its highest value",
        caveat="A finding that fills a lung deserves a broad map. The same for any order of the pixels, so there is no "
        "chance level.",
        element="visual recognizability",
        direction="lower",
        unit="share",
        scorecard=True,
    )
)

register(
    Metric(
        name="bright_regions",
        title="Separate regions",
        meaning="Number of separate bright spots, at half strength or more, that an eye has to look at.",
        formula="number of 8-connected regions where a ≥ ½ · (99.5th percentile of max(a, 0)), on the input grid",
        compute=_of_map(bright_regions),
        expected=_shuffled(bright_regions),
        source="connected components as in Saporta et al. 2022, doi:10.1038/s42256-022-00536-x (number of instances)",
        caveat="Hangs on the threshold. Findings on both sides deserve two regions. Chance: the same values shuffled.",
        element="visual recognizability",
        direction="lower",
        high=math.inf,
        scorecard=True,
        rival=False,
    )
)

register(
    Metric(
        name="total_variation",
        title="Total variation",
        meaning="How rough the map is: the steps between neighbouring pixels against all its strength.",
        formula="(Σ|a(i+1, j) − a(i, j)| + Σ|a(i, j+1) − a(i, j)|) / Σ|a|",
        compute=_of_map(total_variation),
        expected=_shuffled(total_variation),
        source="Rudin et al. 1992, doi:10.1016/0167-2789(92)90242-F, divided by Σ|a|",
        caveat="Falls with the resolution of the input grid; compare maps of one model only. Chance: the same values "
        "shuffled.",
        element="visual recognizability",
        direction="lower",
        high=4.0,
    )
)
