"""What all localisation metrics share: the expert's region, and a map sorted once against it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import cv2
import numpy as np
from scipy import ndimage

from evaluation.polarity import POLARITIES, Polarity

T = TypeVar("T")
VOC_LONG_SIDE = 500
"""Longer side of the PASCAL VOC photographs, in pixels, for which the tolerance of 15 pixels was set."""


def with_polarity(values: np.ndarray, polarity: Polarity = "positive") -> np.ndarray:
    """Read (H, W) attributions as evidence: their positive part, their absolute values, or as they are.

    Raises:
        ValueError: the polarity is unknown.
    """
    if polarity == "positive":
        return np.maximum(values, 0)
    if polarity == "abs":
        return np.abs(values)
    if polarity == "raw":
        return np.asarray(values)
    raise ValueError(f"unknown polarity {polarity!r}; there are: {', '.join(POLARITIES)}")


class Region:
    """What an expert outlined on one film, with what metrics derive from it worked out once.

    Args:
        mask: (H, W) bool. spacing_mm: (row, column) distance between pixel centres in mm, where known.

    Raises:
        ValueError: the mask has not two dimensions, or is not of truth values; the spacing is not positive.
    """

    def __init__(self, mask: np.ndarray, spacing_mm: tuple[float, float] | None = None) -> None:
        mask = np.asarray(mask)
        if mask.ndim != 2 or mask.size == 0:
            raise ValueError(f"a mask has two dimensions and is not empty, got shape {mask.shape}")
        if mask.dtype != bool:
            raise ValueError(f"a mask holds truth values (bool), got {mask.dtype}; compare it with a threshold first")
        if spacing_mm is not None and not (len(spacing_mm) == 2 and min(spacing_mm) > 0):
            raise ValueError(f"spacing_mm: expected two distances in mm above 0, got {spacing_mm!r}")
        self.mask = mask
        self.spacing_mm = spacing_mm
        self.area = int(np.count_nonzero(mask))

    @classmethod
    def of(cls, mask: np.ndarray | Region) -> Region:
        """``mask`` itself where it is a region already."""
        return mask if isinstance(mask, Region) else cls(mask)

    @property
    def size(self) -> int:
        """Number of pixels of the film."""
        return self.mask.size

    @property
    def share(self) -> float:
        """Share of the film that the region covers."""
        return self.area / self.size

    @cached_property
    def within_15px(self) -> np.ndarray:
        """(H, W) bool: pixels whose centre lies at most 15 pixels from a pixel of the region."""
        return dilate(self.mask, 15)

    @cached_property
    def within_scaled(self) -> np.ndarray:
        """(H, W) bool: as ``within_15px``, but 3 % of the film's longer side: 15 pixels of a photograph of 500."""
        return dilate(self.mask, round(15 * max(self.mask.shape) / VOC_LONG_SIDE))

    @cached_property
    def distance(self) -> np.ndarray:
        """(H, W) float32: distance of each pixel to the nearest pixel of the region, in pixels; 0 inside."""
        return cv2.distanceTransform((~self.mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)

    @cached_property
    def distance_mm(self) -> np.ndarray | None:
        """(H, W): as ``distance``, in mm; None where the spacing is unknown."""
        if self.spacing_mm is None:
            return None
        if self.spacing_mm[0] == self.spacing_mm[1]:
            return self.distance * np.float32(self.spacing_mm[0])
        return ndimage.distance_transform_edt(~self.mask, sampling=self.spacing_mm)

    @cached_property
    def pixels(self) -> np.ndarray:
        """(P, 2) row and column of each pixel of the region."""
        return np.argwhere(self.mask)

    @cached_property
    def boxes(self) -> np.ndarray:
        """(K, 4) int: top, left, bottom, right (the last two exclusive) of each connected part of the region."""
        return boxes_around(self.mask)

    @cached_property
    def in_boxes(self) -> np.ndarray:
        """(H, W) bool: pixels inside a box around a connected part of the region."""
        inside = np.zeros_like(self.mask)
        for top, left, bottom, right in self.boxes:
            inside[top:bottom, left:right] = True
        return inside


def boxes_around(mask: np.ndarray) -> np.ndarray:
    """The (K, 4) int boxes (top, left, bottom, right, the last two exclusive) of the 8-connected parts of ``mask``."""
    stats = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)[2][1:]
    left, top, width, height = stats[:, :4].T
    return np.stack([top, left, top + height, left + width], axis=1)


def dilate(mask: np.ndarray, radius: int) -> np.ndarray:
    """Grow (H, W) bool ``mask`` by a disc: True within ``radius`` pixels (Euclidean, inclusive) of a True pixel."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    grown = np.zeros_like(mask)
    if len(rows) == 0:
        return grown
    top, left = max(rows[0] - radius, 0), max(columns[0] - radius, 0)
    window = np.s_[top : rows[-1] + radius + 1, left : columns[-1] + radius + 1]
    source, target = mask[window], grown[window]
    wide = source.copy()
    reach = 0
    # Rows farther away see a narrower chord of the disc, so the horizontal growth is widened step by step.
    for away in range(radius, -1, -1):
        chord = int(np.sqrt(radius * radius - away * away))
        while reach < chord:
            reach += 1
            wide[:, reach:] |= source[:, :-reach]
            wide[:, :-reach] |= source[:, reach:]
        if away >= len(source):
            continue
        target[away:] |= wide[: len(wide) - away]
        target[: len(target) - away] |= wide[away:]
    return grown


class RankedMap:
    """A map sorted once, so that every ranking metric is a few look-ups.

    Args:
        values: (H, W) real and finite; the higher, the more evidence. region: what the expert outlined.
        raw: (H, W) the map before its positive part was taken, for protocols that read it so; ``values`` by default.

    Raises:
        ValueError: shapes differ, or a value is not finite.
    """

    def __init__(self, values: np.ndarray, region: Region, raw: np.ndarray | None = None) -> None:
        values = np.asarray(values)
        if values.shape != region.mask.shape:
            raise ValueError(f"the map has shape {values.shape} but the mask has shape {region.mask.shape}")
        if not (np.issubdtype(values.dtype, np.number) or values.dtype == bool) or np.iscomplexobj(values):
            raise ValueError(f"a map holds real numbers, got {values.dtype}")
        if values.dtype not in (np.float32, np.float64):
            values = values.astype(np.float64)
        if not (np.isfinite(values).all() and (raw is None or np.isfinite(raw).all())):
            raise ValueError("the map holds values that are not finite (NaN or infinity)")
        self.values = values
        self.region = region
        self.raw = values if raw is None or np.min(raw) >= 0 else np.asarray(raw)
        self._made: dict[Callable[..., Any], Any] = {}

    def once(self, make: Callable[[RankedMap], T]) -> T:
        """What ``make`` gives for this map, worked out once however many metrics use it."""
        if make not in self._made:
            self._made[make] = make(self)
        return self._made[make]

    @cached_property
    def peaks(self) -> np.ndarray:
        """(H, W) bool: where the map has its highest value."""
        return self.values == self.ordered[-1]

    @cached_property
    def evidence(self) -> float:
        """Sum of the positive values."""
        return float(np.maximum(self.ordered, 0).sum(dtype=np.float64))

    @cached_property
    def inside(self) -> np.ndarray:
        """(P,) values inside the region, ascending."""
        return np.sort(self.values[self.region.mask])

    @cached_property
    def ordered(self) -> np.ndarray:
        """(N,) all values, ascending."""
        return np.sort(self.values, axis=None)

    @cached_property
    def levels(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """What lies at and below each distinct value inside the region.

        Returns:
            Four (U,) integer arrays, by ascending value: pixels inside at the value, pixels inside below it, all
            pixels at the value, all pixels below it.
        """
        distinct = self.inside[np.flatnonzero(np.diff(self.inside, prepend=np.nan) != 0)]
        below_inside = np.searchsorted(self.inside, distinct, "left")
        at_inside = np.diff(below_inside, append=self.region.area)
        below = np.searchsorted(self.ordered, distinct, "left")
        at = np.searchsorted(self.ordered, distinct, "right") - below
        return at_inside, below_inside, at, below

    def top(self, count: int) -> tuple[int, int, int, int]:
        """Describe the ``count`` highest pixels, where pixels of equal value at the border may be chosen at will.

        Returns:
            Pixels inside the region that are chosen for sure; pixels at the border value in all; those of them inside
            the region; how many of the border value are to be chosen.
        """
        border = self.ordered[self.region.size - count]
        low, high = np.searchsorted(self.ordered, border, "left"), np.searchsorted(self.ordered, border, "right")
        low_in, high_in = np.searchsorted(self.inside, border, "left"), np.searchsorted(self.inside, border, "right")
        sure = self.region.area - int(high_in)
        return sure, int(high - low), int(high_in - low_in), count - (self.region.size - int(high))

    def top_share(self, count: int) -> float:
        """Share of the ``count`` highest pixels that lies inside the region; ties are averaged over."""
        sure, tied, tied_inside, wanted = self.top(count)
        return (sure + wanted * tied_inside / tied) / count
