"""What the finding makers know of one lung and its surroundings: path lengths, shape and scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from radiographs.planting.attenuation import to_path

_MARGIN = 18


@dataclass(frozen=True)
class Lung:
    """One lung with its surroundings, cut out of the film; all arrays (h, w) of that window.

    Attributes:
        window: rows and columns of the film. path: optical path. inside: bool.
        depth: signed distance to the lung's border in pixels, positive inside.
        height_share: 0 at the apex, 1 at the lowest point. side_share: 0 medial, 1 lateral, by row.
        top, bottom: the lung's first and last row in the window. chest_width: of both lungs together, in pixels.
        air_level, tissue_level: path of this film's aerated lung and of its mediastinum.
    """

    window: tuple[slice, slice]
    path: np.ndarray
    inside: np.ndarray
    depth: np.ndarray
    height_share: np.ndarray
    side_share: np.ndarray
    top: int
    bottom: int
    chest_width: float
    air_level: float
    tissue_level: float

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w) of the window."""
        return self.path.shape[0], self.path.shape[1]

    @property
    def tall(self) -> int:
        """Height of the lung in pixels."""
        return self.bottom - self.top

    @property
    def span(self) -> float:
        """Path between aerated lung and mediastinum: the film's own unit of soft tissue."""
        return self.tissue_level - self.air_level

    def missing_tissue(self, level: float | np.ndarray, fine: float, coarse: float) -> np.ndarray:
        """Path by which each ray falls short of ``level``, because there is air on its way: (h, w), not negative.

        Smoothed at two scales, so that what replaces the air covers vessels partly and leaves the noise alone.
        """
        smooth = 0.5 * ndimage.gaussian_filter(self.path, fine) + 0.5 * ndimage.gaussian_filter(self.path, coarse)
        return np.maximum(level - smooth, 0)


def survey(pixels: np.ndarray, labels: np.ndarray, label: int) -> Lung:
    """Measure one lung of a film (H, W) in [0, 1] with lung labels (H, W).

    Raises:
        ValueError: the labels have another shape, or show less than two lungs.
    """
    if labels.shape != pixels.shape:
        raise ValueError(f"the lung labels have the shape {labels.shape}, the film {pixels.shape}; they must agree")
    if (labels == 1).sum() < 64 or (labels == 2).sum() < 64:
        raise ValueError("a finding can be planted only where both lungs are labelled (1 and 2)")
    air, tissue = _levels(pixels[::2, ::2], labels[::2, ::2])
    columns = np.nonzero((labels > 0).any(axis=0))[0]
    rows_of, columns_of = ndimage.find_objects((labels == label).astype(np.int8))[0]
    window = (
        slice(max(rows_of.start - _MARGIN, 0), rows_of.stop + _MARGIN),
        slice(max(columns_of.start - _MARGIN, 0), columns_of.stop + _MARGIN),
    )
    inside = labels[window] == label
    top, bottom = rows_of.start - window[0].start, rows_of.stop - 1 - window[0].start
    down = (np.arange(inside.shape[0], dtype=np.float32) - top) / max(bottom - top, 1)
    return Lung(
        window=window,
        path=to_path(pixels[window].astype(np.float32)),
        inside=inside,
        depth=_signed_depth(inside),
        height_share=np.broadcast_to(down[:, None], inside.shape),
        side_share=_side_share(inside, lateral_first=label == 1),
        top=top,
        bottom=bottom,
        chest_width=float(columns[-1] - columns[0] + 1),
        air_level=air,
        tissue_level=tissue,
    )


def _levels(pixels: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Path of aerated lung, and of the tissue between the lungs in the lower two thirds of their height."""
    seen_left = np.maximum.accumulate(labels == 1, axis=1)
    seen_right = np.maximum.accumulate((labels == 2)[:, ::-1], axis=1)[:, ::-1]
    rows = np.nonzero((labels > 0).any(axis=1))[0]
    between = seen_left & seen_right & (labels == 0)
    between[: rows[0] + (rows[-1] - rows[0]) // 3] = False
    air = float(to_path(np.percentile(pixels[labels > 0], 30)))
    tissue = float(to_path(np.median(pixels[between]))) if between.any() else air + 0.3
    return air, max(tissue, air + 0.15)


def _side_share(inside: np.ndarray, lateral_first: bool) -> np.ndarray:
    height, width = inside.shape
    rows = np.nonzero(inside.any(axis=1))[0]
    first = inside.argmax(axis=1)[rows].astype(np.float32)
    last = (width - 1 - inside[:, ::-1].argmax(axis=1))[rows].astype(np.float32)
    first, last = (ndimage.uniform_filter1d(np.interp(np.arange(height), rows, edge), 9) for edge in (first, last))
    across = (np.arange(width)[None] - first[:, None]) / np.maximum(last - first, 1)[:, None]
    return (1 - across if lateral_first else across).astype(np.float32)


def _signed_depth(inside: np.ndarray) -> np.ndarray:
    """Signed distance to the border, computed at half size: findings need it to about a pixel."""
    small = inside[::2, ::2]
    signed = ndimage.distance_transform_edt(small) - ndimage.distance_transform_edt(~small)
    full = np.repeat(np.repeat(signed.astype(np.float32) * 2, 2, axis=0), 2, axis=1)
    return ndimage.uniform_filter(full[: inside.shape[0], : inside.shape[1]], 3)
