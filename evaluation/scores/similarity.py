"""How alike two maps are: structural similarity and rank correlation."""

from __future__ import annotations

import numpy as np
import scipy
import skimage.metrics

_PEAK = 99.5
"""Percentile of the absolute values that counts as full strength, as in the display of maps."""


def scaled(values: np.ndarray) -> np.ndarray:
    """Bring a map to [-1, 1]: its 99.5th percentile of absolute values becomes 1, 0 stays 0, the rest is clipped."""
    strength = np.abs(values)
    peak = float(np.percentile(strength, _PEAK)) or float(strength.max())
    return np.zeros(values.shape) if peak == 0 else np.clip(values / peak, -1, 1).astype(np.float64)


def ssim(first: np.ndarray, second: np.ndarray) -> float:
    """Structural similarity of two (S, S) maps (Wang et al. 2004, doi 10.1109/TIP.2003.819861), each scaled first.

    A Gaussian window of 1.5 pixels and population covariance, as in the paper. Full strength against the finding is
    black, nothing is grey, full strength for it is white: on values about 0, where the local mean may be negative, two
    opposite maps would count as alike. 1 for equal maps.

    Returns:
        NaN where both maps are zero everywhere, or smaller than the window of 11 pixels.
    """
    one, two = scaled(first), scaled(second)
    if not (one.any() or two.any()) or min(one.shape) < 11:
        return float("nan")
    first, second = (one + 1) / 2, (two + 1) / 2
    return float(
        skimage.metrics.structural_similarity(
            first, second, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
    )


def spearman(first: np.ndarray, second: np.ndarray, *, absolute: bool = False) -> float:
    """Rank correlation of two maps' pixels, or of their absolute values; NaN where a map is the same everywhere."""
    one, two = (np.abs(first), np.abs(second)) if absolute else (first, second)
    if np.ptp(one) == 0 or np.ptp(two) == 0:
        return float("nan")
    return float(scipy.stats.spearmanr(one.ravel(), two.ravel()).statistic)
