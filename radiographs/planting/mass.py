"""Pulmonary mass: a large, lobulated, uneven solid, sometimes with a satellite."""

from __future__ import annotations

import numpy as np

from radiographs.planting.chest import Lung
from radiographs.planting.nodule import place
from radiographs.planting.texture import fractal, lobulated_solid, pasted


def mass(lung: Lung, rng: np.random.Generator) -> np.ndarray:
    """Path that a mass adds: (h, w), not negative. Diameter 13 to 22 % of the chest's width."""
    radius = 0.5 * rng.uniform(0.13, 0.22) * lung.chest_width
    row, column = place(lung, 0.95 * radius, radius, rng)
    solid = lobulated_solid(radius, rng, waviness=0.045)
    uneven = 1 + 0.13 * fractal(solid.shape, rng, 4.8, radius)
    added = pasted(solid**0.85 * np.clip(uneven, 0.55, 1.45), (row, column), lung.shape)
    if rng.random() < 0.35:
        angle, away = rng.uniform(0, 2 * np.pi), radius * rng.uniform(1.15, 1.4)
        satellite = lobulated_solid(max(2.2, radius * rng.uniform(0.22, 0.34)), rng, waviness=0.05)
        beside = (row + away * np.sin(angle), column + away * np.cos(angle))
        added = np.maximum(added, 0.5 * pasted(satellite, beside, lung.shape))
    return rng.uniform(0.45, 0.75) * lung.span * added * np.clip(0.5 + lung.depth / 4, 0, 1)
