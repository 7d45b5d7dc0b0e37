"""Consolidation: airspaces of a lobe filled with fluid, patchy, ill-defined, with air-filled bronchi left."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from radiographs.planting.chest import Lung
from radiographs.planting.texture import fractal, smoothstep

# top and bottom as shares of the lung's height, medial and lateral as shares of its breadth: upper, middle, lower
_LOBES = ((-0.1, 0.5, -0.2, 1.2), (0.5, 0.95, -0.2, 0.72), (0.45, 1.1, 0.08, 1.2))


def consolidation(lung: Lung, rng: np.random.Generator) -> np.ndarray:
    """Path that a consolidation adds: (h, w), not negative.

    Filled airspaces replace air, so each ray gains a share of the tissue that it falls short of: vessels lose their
    contrast, and nothing is added where there was no air.
    """
    window = _lobe_window(lung, _LOBES[int(rng.integers(len(_LOBES)))]) * smoothstep(lung.depth, -1.5, 6.0)
    row, column = _centre(lung, window, rng)
    ys, xs = np.ogrid[: lung.shape[0], : lung.shape[1]]
    high, broad = lung.tall * rng.uniform(0.2, 0.34, 2)
    reach = np.hypot((ys - row) / high, (xs - column) / min(broad, 0.3 * lung.chest_width))
    patchy = 1.2 - reach + 0.26 * fractal(lung.shape, rng, 5.5, 0.14 * lung.tall)
    filled = smoothstep(patchy, -0.1, 1.1) * window
    mottled = np.clip(1 + 0.12 * fractal(lung.shape, rng, 5.0, 0.05 * lung.tall), 0.6, 1.4)
    filled = np.clip(filled * mottled, 0, 1) * (1 - rng.uniform(0.15, 0.45) * _bronchi(lung, (row, column), rng))
    air = lung.missing_tissue(lung.tissue_level, fine=1.5, coarse=4.0)
    # nothing finer than what the film itself resolves
    return ndimage.gaussian_filter(rng.uniform(0.5, 0.85) * filled * air, 0.7)


def _lobe_window(lung: Lung, lobe: tuple[float, float, float, float]) -> np.ndarray:
    """1 in the lobe, falling to 0 over its fissures."""
    top, bottom, medial, lateral = lobe
    down, side = lung.height_share, lung.side_share
    rows = smoothstep(down, top - 0.06, top + 0.06) * (1 - smoothstep(down, bottom - 0.06, bottom + 0.06))
    return rows * smoothstep(side, medial - 0.1, medial + 0.1) * (1 - smoothstep(side, lateral - 0.15, lateral + 0.15))


def _centre(lung: Lung, window: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """A point of the lobe where there is air to replace."""
    level = ndimage.uniform_filter(lung.path, 7)
    wanted = (window > 0.6) & (lung.depth > 7) & (level < lung.air_level + 0.4 * lung.span)
    if not wanted.any():
        wanted = (lung.depth > 3) & (level < lung.air_level + 0.5 * lung.span)
    if not wanted.any():
        wanted = lung.inside
    row, column = np.unravel_index(int(rng.choice(np.flatnonzero(wanted))), lung.shape)
    return float(row), float(column)


def _bronchi(lung: Lung, centre: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """Tubes from the hilum into the filled region that stay open: (h, w) in [0, 1]."""
    near_hilum = lung.inside & (lung.side_share < 0.25) & (np.abs(lung.height_share - 0.5) < 0.1)
    hilum = np.argwhere(near_hilum).mean(axis=0) if near_hilum.any() else np.array(centre)
    tubes = np.zeros(lung.shape, dtype=np.float32)
    for _ in range(int(rng.integers(2, 5))):
        goal = np.array(centre) + rng.normal(0, 0.09 * lung.tall, 2)
        bend = rng.normal(0, 0.12, 2) * np.linalg.norm(goal - hilum)
        along = np.linspace(0.35, 1.25, 90)[:, None]
        points = hilum + along * (goal - hilum) + 2 * along * (1 - along) * bend
        rows, columns = np.rint(points).astype(int).T
        within = (rows >= 0) & (rows < lung.shape[0]) & (columns >= 0) & (columns < lung.shape[1])
        tubes[rows[within], columns[within]] = np.linspace(1, 0.4, 90, dtype=np.float32)[within]
    return np.clip(ndimage.gaussian_filter(tubes, 0.9) * 2.2, 0, 1)
