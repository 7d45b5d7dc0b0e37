"""How easily an eye takes a map in: sparseness, entropy, separate regions, total variation. No model is asked."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

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
