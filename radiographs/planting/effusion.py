"""Pleural effusion: fluid that fills the costophrenic angle and climbs the lateral wall."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from radiographs.planting.chest import Chest, Lung
from radiographs.planting.texture import fractal, smoothstep


def effusion(chest: Chest, rng: np.random.Generator) -> np.ndarray:
    """Path that an effusion adds: (H, W), not negative; from a blunted angle to half of the lung's height.

    Fluid replaces air up to the level of the tissue under the diaphragm, whose edge therefore disappears.
    """
    shape = chest.path.shape
    lung = chest.lungs[int(rng.integers(1, 3))]
    tall = lung.bottom - lung.top
    lateral, medial = _levels(lung, tall, rng)
    side = np.clip(lung.side_share, 0, 1.15)
    climb = medial + (lateral - medial) * side ** rng.uniform(1.5, 3.2)
    surface = lung.bottom - climb + 0.012 * tall * fractal(shape, rng, 3.4, 0.3)
    below = np.arange(shape[0], dtype=np.float32)[:, None] - surface
    soft = rng.uniform(0.05, 0.11) * tall
    filled = smoothstep(below, -0.35 * soft, 0.65 * soft) * (0.72 + 0.28 * smoothstep(below, 0, 0.2 * tall))
    filled = filled * smoothstep(lung.depth, -4.5, -0.5)
    level = _level_below(chest, lung)
    air = chest.missing_tissue(level, fine=1.3, coarse=2.5)
    return rng.uniform(0.85, 0.96) * np.clip(filled, 0, 1) * air


def _levels(lung: Lung, tall: float, rng: np.random.Generator) -> tuple[float, float]:
    """Height of the fluid over the lung's lowest row at the lateral wall and at the mediastinum, in pixels.

    A quarter only blunts the angle; the others rise over the dome of the diaphragm.
    """
    lowest = lung.inside.shape[0] - 1 - lung.inside[::-1].argmax(axis=0)
    medial_columns = lung.inside.any(axis=0) & (np.take_along_axis(lung.side_share, lowest[None], axis=0)[0] < 0.6)
    dome = lung.bottom - float(np.median(lowest[medial_columns])) if medial_columns.any() else 0.15 * tall
    if rng.random() < 0.25:
        return 0.06 * tall + dome * rng.uniform(0.7, 1.1) + 0.03 * tall, 0.0
    lateral = dome + tall * rng.uniform(0.1, 0.36)
    return lateral, (dome + 0.1 * tall) * rng.uniform(0.3, 1.1)


def _level_below(chest: Chest, lung: Lung) -> float:
    """Path through the tissue just under the diaphragm; gas in the stomach is passed over."""
    under = (lung.depth < -3) & (lung.depth > -16) & (lung.height_share > 0.8)
    under &= (lung.side_share > 0.1) & (lung.side_share < 0.8)
    if under.sum() < 20:
        return chest.tissue_level
    smooth = ndimage.uniform_filter(chest.path, 5)
    return float(max(np.percentile(smooth[under], 70), chest.air_level + 0.6 * chest.span))
