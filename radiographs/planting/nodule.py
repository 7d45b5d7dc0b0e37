"""Pulmonary nodule: a small, faint, irregular solid in aerated lung."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from radiographs.planting.chest import Lung
from radiographs.planting.texture import fractal, lobulated_solid, pasted


def nodule(lung: Lung, rng: np.random.Generator) -> np.ndarray:
    """Path that a nodule adds: (h, w), not negative. Diameter 5 to 9 % of the chest's width."""
    radius = max(2.2, 0.5 * rng.uniform(0.05, 0.09) * lung.chest_width)
    solid = lobulated_solid(radius, rng, waviness=0.05)
    if rng.random() < 0.5:
        solid = np.maximum(solid, _spicules(solid.shape[0], radius, rng))
    uneven = 1 + 0.08 * fractal(solid.shape, rng, 4.5, radius)
    solid = ndimage.gaussian_filter(solid * np.clip(uneven, 0.5, 1.5), 0.7)
    return rng.uniform(0.56, 0.8) * lung.span * pasted(solid, place(lung, 1.5 * radius, radius, rng), lung.shape)


def place(lung: Lung, margin: float, radius: float, rng: np.random.Generator) -> tuple[float, float]:
    """A point of aerated lung, at least ``margin`` pixels from the lung's border where the lung is that wide.

    Behind the heart and on the hila the film is white; points there are drawn only where nothing else is left.
    """
    level = ndimage.uniform_filter(lung.path, max(3, int(radius)))
    dark = level < lung.air_level + 0.4 * lung.span
    wanted = dark & (lung.depth > margin)
    if not wanted.any():
        wanted = dark & (lung.depth > 0.6 * margin)
    if not wanted.any():
        wanted = lung.depth >= lung.depth.max() - 1
    row, column = np.unravel_index(int(rng.choice(np.flatnonzero(wanted))), lung.shape)
    return float(row), float(column)


def _spicules(side: int, radius: float, rng: np.random.Generator) -> np.ndarray:
    """Thin strands that leave the border and fade within about half a radius."""
    half = side // 2
    ys, xs = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    far = np.hypot(ys, xs)
    strands = np.zeros_like(far)
    for _ in range(int(rng.integers(3, 7))):
        angle, length = rng.uniform(0, 2 * np.pi), radius * rng.uniform(1.2, 1.7)
        off = xs * np.sin(angle) - ys * np.cos(angle)
        ahead = xs * np.cos(angle) + ys * np.sin(angle) > 0
        strands = np.maximum(strands, ahead * np.exp(-((off / 0.7) ** 2)) * np.clip(1.0 - far / length, 0, 1))
    return 0.9 * strands
