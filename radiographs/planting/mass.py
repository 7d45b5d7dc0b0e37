"""Pulmonary mass: a large, lobulated, uneven solid, sometimes with a satellite."""

from __future__ import annotations

import numpy as np

from radiographs.planting.chest import Chest
from radiographs.planting.nodule import place
from radiographs.planting.texture import fractal, lobulated_body


def mass(chest: Chest, rng: np.random.Generator) -> np.ndarray:
    """Path that a mass adds: (H, W), not negative. Diameter 13 to 22 % of the chest's width."""
    shape = chest.path.shape
    radius = 0.5 * rng.uniform(0.13, 0.22) * chest.width
    row, column = place(chest, radius, rng, margin=0.95)
    body = lobulated_body(shape, (row, column), radius, rng, waviness=0.045)
    body = np.maximum(body - 0.04, 0) ** 0.85
    uneven = 1 + 0.16 * fractal(shape, rng, 2.8, 0.1)
    added = body * np.clip(uneven, 0.55, 1.45)
    if rng.random() < 0.35:
        angle, away = rng.uniform(0, 2 * np.pi), radius * rng.uniform(1.15, 1.4)
        beside = (row + away * np.sin(angle), column + away * np.cos(angle))
        satellite = lobulated_body(shape, beside, max(2.2, radius * rng.uniform(0.22, 0.34)), rng, waviness=0.05)
        added = np.maximum(added, 0.5 * satellite)
    lung = np.maximum(chest.lungs[1].depth, chest.lungs[2].depth)
    return rng.uniform(0.5, 0.8) * chest.span * added * np.clip(0.5 + lung / 4, 0, 1)
