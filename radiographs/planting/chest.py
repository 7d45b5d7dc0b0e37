"""What the finding makers know of one chest: its path lengths, lungs and scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from radiographs.planting.attenuation import to_path


@dataclass(frozen=True)
class Lung:
    """One lung.

    Attributes:
        inside: (H, W) bool. depth: (H, W) signed distance in pixels, positive inside.
        height_share: (H, W) 0 at the apex, 1 at the lowest point. side_share: (H, W) 0 medial, 1 lateral, by row.
        top, bottom: first and last row.
    """

    inside: np.ndarray
    depth: np.ndarray
    height_share: np.ndarray
    side_share: np.ndarray
    top: int
    bottom: int


@dataclass(frozen=True)
class Chest:
    """One film's anatomy.

    Attributes:
        path: (H, W) optical path. lungs: by label, 1 and 2. width: of both lungs together, in pixels.
        air_level, tissue_level: path of aerated lung and of the mediastinum.
    """

    path: np.ndarray
    lungs: dict[int, Lung]
    width: float
    air_level: float
    tissue_level: float

    @property
    def span(self) -> float:
        """Path between aerated lung and mediastinum: the film's own unit of soft tissue."""
        return self.tissue_level - self.air_level

    def missing_tissue(self, level: float, fine: float, coarse: float) -> np.ndarray:
        """Path by which each ray falls short of ``level``, because there is air on its way: (H, W), not negative.

        Smoothed at two scales, so that what replaces the air covers vessels partly and leaves the noise alone.
        """
        smooth = 0.5 * ndimage.gaussian_filter(self.path, fine) + 0.5 * ndimage.gaussian_filter(self.path, coarse)
        return np.maximum(level - smooth, 0)


def survey(pixels: np.ndarray, labels: np.ndarray) -> Chest:
    """Measure a film (H, W) in [0, 1] with lung labels (H, W), 0, 1, 2.

    Raises:
        ValueError: the labels have another shape, or show less than two lungs.
    """
    if labels.shape != pixels.shape:
        raise ValueError(f"the lung labels have the shape {labels.shape}, the film {pixels.shape}; they must agree")
    if (labels == 1).sum() < 64 or (labels == 2).sum() < 64:
        raise ValueError("a finding can be planted only where both lungs are labelled (1 and 2)")
    path = to_path(pixels.astype(np.float32))
    columns = np.nonzero((labels > 0).any(axis=0))[0]
    lungs = {k: _lung(labels == k, lateral_first=k == 1) for k in (1, 2)}
    between = _between(labels)
    air = float(np.percentile(path[labels > 0][::4], 30))
    tissue = float(np.median(path[between])) if between.any() else air + 0.3
    return Chest(path, lungs, float(columns[-1] - columns[0] + 1), air, max(tissue, air + 0.15))


def _between(labels: np.ndarray) -> np.ndarray:
    """Rays between the lungs, in the lower two thirds of their height."""
    seen_left = np.maximum.accumulate(labels == 1, axis=1)
    seen_right = np.maximum.accumulate((labels == 2)[:, ::-1], axis=1)[:, ::-1]
    rows = np.nonzero((labels > 0).any(axis=1))[0]
    between = seen_left & seen_right & (labels == 0)
    between[: rows[0] + (rows[-1] - rows[0]) // 3] = False
    return between


def _lung(inside: np.ndarray, lateral_first: bool) -> Lung:
    height, width = inside.shape
    rows = np.nonzero(inside.any(axis=1))[0]
    top, bottom = int(rows[0]), int(rows[-1])
    first = np.where(inside.any(axis=1), inside.argmax(axis=1), 0).astype(np.float32)
    last = np.where(inside.any(axis=1), width - 1 - inside[:, ::-1].argmax(axis=1), 1).astype(np.float32)
    first, last = (
        ndimage.uniform_filter1d(np.interp(np.arange(height), rows, edge[rows]), 9) for edge in (first, last)
    )
    across = (np.arange(width)[None] - first[:, None]) / np.maximum(last - first, 1)[:, None]
    side = (1 - across if lateral_first else across).astype(np.float32)
    down = (np.arange(height, dtype=np.float32)[:, None] - top) / max(bottom - top, 1)
    return Lung(inside, _signed_depth(inside), np.broadcast_to(down, inside.shape), side, top, bottom)


def _signed_depth(inside: np.ndarray) -> np.ndarray:
    """Signed distance to the border, computed at half size: findings need it to about a pixel."""
    small = inside[::2, ::2]
    signed = ndimage.distance_transform_edt(small) - ndimage.distance_transform_edt(~small)
    full = np.repeat(np.repeat(signed.astype(np.float32) * 2, 2, axis=0), 2, axis=1)
    return ndimage.uniform_filter(full[: inside.shape[0], : inside.shape[1]], 3)
