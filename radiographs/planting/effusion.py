"""Pleural effusion: fluid that fills the costophrenic angle and climbs the lateral wall."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from radiographs.planting.chest import Lung
from radiographs.planting.texture import fractal, smoothstep


def effusion(lung: Lung, rng: np.random.Generator) -> np.ndarray:
    """Path that an effusion adds: (h, w), not negative; from a blunted angle to about half of the lung's height.

    Fluid replaces air up to the level of the tissue under the diaphragm, whose edge therefore disappears.
    """
    floor = _floor(lung)
    dome = int(np.percentile(floor[lung.inside.any(axis=0)], 25))
    # under the dome a row crosses only the angle's tip, so the breadth just above it counts there
    side = lung.side_share[np.minimum(np.arange(lung.shape[0]), dome - 2)]
    lateral, medial = _heights(lung, lung.bottom - dome, rng)
    climb = medial + (lateral - medial) * np.clip(side, 0, 1.15) ** rng.uniform(1.5, 3.2)
    surface = lung.bottom - climb + 0.012 * lung.tall * fractal(lung.shape, rng, 3.6, 0.4 * lung.tall)
    below = np.arange(lung.shape[0], dtype=np.float32)[:, None] - surface
    soft = rng.uniform(0.09, 0.18) * lung.tall
    filled = smoothstep(below, -0.4 * soft, 0.6 * soft) * (0.75 + 0.25 * smoothstep(below, 0, 0.2 * lung.tall))
    level = _level_below(lung, floor)
    # the sharper bound keeps tissue that is white already from being whitened along its edges
    air = np.minimum(lung.missing_tissue(level, fine=1.3, coarse=4.0), lung.missing_tissue(level, fine=1.1, coarse=1.1))
    return rng.uniform(0.82, 0.94) * filled * _pleural_space(lung, floor) * smoothstep(side, -0.08, 0.14) * air


def _floor(lung: Lung) -> np.ndarray:
    """Row of the diaphragm in each column of the window: (w,)."""
    columns = np.flatnonzero(lung.inside.any(axis=0))
    lowest = lung.shape[0] - 1 - lung.inside[::-1].argmax(axis=0)
    return ndimage.uniform_filter1d(np.interp(np.arange(lung.shape[1]), columns, lowest[columns]), 5)


def _pleural_space(lung: Lung, floor: np.ndarray) -> np.ndarray:
    """Where fluid can lie: the lung, its wall, the recess that reaches down behind the diaphragm; (h, w), 0 to 1."""
    under = np.arange(lung.shape[0])[:, None] - floor
    spread = ndimage.uniform_filter1d(lung.inside.any(axis=0).astype(np.float32), 7)
    recess = (under > -4) * (1 - smoothstep(under, 0.05 * lung.tall, 0.16 * lung.tall)) * smoothstep(spread, 0.5, 1.0)
    return np.maximum(smoothstep(lung.depth, -4.5, -1.0), recess)


def _heights(lung: Lung, dome: float, rng: np.random.Generator) -> tuple[float, float]:
    """Height of the fluid over the lung's lowest row at the lateral wall and at the mediastinum, in pixels; ``dome``
    is the diaphragm's.

    A quarter only blunts the angle; the others rise over the dome of the diaphragm.
    """
    if rng.random() < 0.25:
        return 0.17 * lung.tall + dome * rng.uniform(0.8, 1.2), 0.0
    lateral = dome + lung.tall * rng.uniform(0.12, 0.38)
    return lateral, (dome + 0.1 * lung.tall) * rng.uniform(0.3, 1.1)


def _level_below(lung: Lung, floor: np.ndarray) -> np.ndarray:
    """Path through the tissue just under the diaphragm, by column: (w,); gas in the stomach is passed over."""
    rows = np.clip(np.rint(floor).astype(int) + np.arange(3, 15)[:, None], 0, lung.shape[0] - 1)
    under = np.percentile(lung.path[rows, np.arange(lung.shape[1])], 70, axis=0)
    columns = np.flatnonzero(lung.inside.any(axis=0))
    under = np.clip(under, lung.air_level + 0.6 * lung.span, lung.tissue_level + 0.2 * lung.span)
    under = np.interp(np.arange(lung.shape[1]), columns, under[columns])
    return ndimage.uniform_filter1d(under, max(3, int(0.2 * lung.tall)), mode="nearest")
