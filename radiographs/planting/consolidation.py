"""Consolidation: airspaces of a lobe filled with fluid, patchy, ill-defined, with air-filled bronchi left."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from radiographs.planting.chest import Chest, Lung
from radiographs.planting.texture import fractal, smoothstep

# label of the lung, then top and bottom as shares of its height, medial and lateral as shares of its breadth
_LOBES = (
    (1, -0.1, 0.46, -0.2, 1.2),
    (1, 0.5, 0.95, -0.2, 0.7),
    (1, 0.45, 1.1, 0.1, 1.2),
    (2, -0.1, 0.6, -0.2, 1.2),
    (2, 0.5, 0.9, -0.2, 0.75),
    (2, 0.45, 1.1, 0.05, 1.2),
)


def consolidation(chest: Chest, rng: np.random.Generator) -> np.ndarray:
    """Path that a consolidation adds: (H, W), not negative.

    Filled airspaces replace air, so each ray gains a share of the tissue that it falls short of: vessels lose their
    contrast, and nothing is added where there was no air.
    """
    shape = chest.path.shape
    label, *lobe = _LOBES[int(rng.integers(len(_LOBES)))]
    lung = chest.lungs[label]
    tall = lung.bottom - lung.top
    inside_lobe = _lobe_window(lung, lobe) * smoothstep(lung.depth, -1.5, 5.0)
    row, column = _centre(chest, lung, inside_lobe, rng)
    ys, xs = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    radii = tall * rng.uniform(0.17, 0.3, 2)
    reach = np.hypot((ys - row) / radii[0], (xs - column) / np.minimum(radii[1], 0.3 * chest.width))
    patchy = 1.15 - 0.95 * reach + 0.3 * fractal(shape, rng, 3.8, 0.16)
    filled = smoothstep(patchy, -0.05, 0.95) * inside_lobe
    mottled = np.clip(1 + 0.16 * fractal(shape, rng, 3.6, 0.06), 0.5, 1.4)
    filled = np.clip(filled * mottled, 0, 1) * (1 - 0.5 * _bronchi(lung, (row, column), shape, rng))
    air = chest.missing_tissue(chest.tissue_level, fine=1.5, coarse=5.0)
    return rng.uniform(0.5, 0.85) * filled * air


def _lobe_window(lung: Lung, lobe: list[float]) -> np.ndarray:
    """1 in the lobe, falling to 0 over its fissures."""
    top, bottom, medial, lateral = lobe
    down, side = lung.height_share, lung.side_share
    rows = smoothstep(down, top - 0.04, top + 0.04) * (1 - smoothstep(down, bottom - 0.04, bottom + 0.04))
    return rows * smoothstep(side, medial - 0.1, medial + 0.1) * (1 - smoothstep(side, lateral - 0.15, lateral + 0.15))


def _centre(chest: Chest, lung: Lung, window: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """A point of the lobe where there is air to replace."""
    level = ndimage.uniform_filter(chest.path, 7)
    wanted = (window > 0.6) & lung.inside & (lung.depth > 6) & (level < chest.air_level + 0.5 * chest.span)
    if not wanted.any():
        wanted = (lung.depth > 3) & (window > 0.2)
    if not wanted.any():
        wanted = lung.inside
    row, column = np.unravel_index(int(rng.choice(np.flatnonzero(wanted))), wanted.shape)
    return float(row), float(column)


def _bronchi(lung: Lung, centre: tuple[float, float], shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Branching tubes from the hilum into the filled region, that stay open: (H, W) in [0, 1]."""
    inside = np.argwhere(lung.inside & (lung.side_share < 0.25) & (np.abs(lung.height_share - 0.5) < 0.1))
    hilum = inside.mean(axis=0) if len(inside) else np.array(centre)
    tubes = np.zeros(shape, dtype=np.float32)
    for _ in range(int(rng.integers(2, 5))):
        goal = np.array(centre) + rng.normal(0, 0.09 * (lung.bottom - lung.top), 2)
        bend = rng.normal(0, 0.12, 2) * np.linalg.norm(goal - hilum)
        along = np.linspace(0.35, 1.25, 90)[:, None]
        points = hilum + along * (goal - hilum) + (along * (1 - along)) * 4 * bend * 0.5
        rows, columns = np.rint(points).astype(int).T
        kept = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
        tubes[rows[kept], columns[kept]] = np.linspace(1, 0.4, 90, dtype=np.float32)[kept]
    return np.clip(ndimage.gaussian_filter(tubes, 0.9) * 2.2, 0, 1)
