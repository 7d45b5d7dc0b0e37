"""Pulmonary nodule: a small, faint, irregular solid in aerated lung."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from radiographs.planting.chest import Chest
from radiographs.planting.texture import fractal, lobulated_body


def place(chest: Chest, radius: float, rng: np.random.Generator, margin: float = 1.5) -> tuple[float, float]:
    """A point of aerated lung, at least ``radius * margin`` from the lung's border where the lung is that wide.

    Behind the heart and on the hila the film is white; points there are not drawn.
    """
    depth = np.maximum(chest.lungs[1].depth, chest.lungs[2].depth)
    level = ndimage.uniform_filter(chest.path, max(3, int(radius)))
    dark = level < chest.air_level + 0.4 * chest.span
    wanted = dark & (depth > radius * margin)
    if not wanted.any():
        wanted = depth >= depth.max() - 1
    candidates = np.flatnonzero(wanted)
    row, column = np.unravel_index(int(rng.choice(candidates)), depth.shape)
    return float(row), float(column)


def nodule(chest: Chest, rng: np.random.Generator) -> np.ndarray:
    """Path that a nodule adds: (H, W), not negative. Diameter 4 to 9 % of the chest's width."""
    radius = max(2.2, 0.5 * rng.uniform(0.045, 0.09) * chest.width)
    centre = place(chest, radius, rng)
    body = lobulated_body(chest.path.shape, centre, radius, rng, waviness=0.05)
    body = body * np.clip(1 + 0.12 * fractal(chest.path.shape, rng, 2.0, 0.05), 0.5, 1.5)
    if rng.random() < 0.5:
        body = np.maximum(body, _spicules(chest.path.shape, centre, radius, rng))
    return rng.uniform(0.4, 0.65) * chest.span * body


def _spicules(
    shape: tuple[int, int], centre: tuple[float, float], radius: float, rng: np.random.Generator
) -> np.ndarray:
    """Thin strands that leave the border and fade within about half a radius."""
    ys, xs = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    dy, dx = ys - centre[0], xs - centre[1]
    far = np.hypot(dy, dx)
    strands = np.zeros(shape, dtype=np.float32)
    for _ in range(int(rng.integers(3, 7))):
        angle, length = rng.uniform(0, 2 * np.pi), radius * rng.uniform(1.2, 1.7)
        off = dx * np.sin(angle) - dy * np.cos(angle)
        ahead = dx * np.cos(angle) + dy * np.sin(angle) > 0
        strands = np.maximum(strands, ahead * np.exp(-((off / 0.7) ** 2)) * np.clip(1.0 - far / length, 0, 1))
    return 0.9 * strands
