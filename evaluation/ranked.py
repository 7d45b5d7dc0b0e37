"""What all localisation metrics share: the expert's region, and a map sorted once against it."""

from __future__ import annotations

from functools import cached_property
from typing import Literal, get_args

import numpy as np

Reading = Literal["positive", "abs", "raw"]
READINGS: tuple[Reading, ...] = get_args(Reading)


def read_map(values: np.ndarray, reading: Reading = "positive") -> np.ndarray:
    """Read (H, W) attributions as evidence: their positive part, their absolute values, or as they are.

    Raises:
        ValueError: the reading is unknown.
    """
    if reading == "positive":
        return np.maximum(values, 0)
    if reading == "abs":
        return np.abs(values)
    if reading == "raw":
        return np.asarray(values)
    raise ValueError(f"unknown reading {reading!r}; there are: {', '.join(READINGS)}")


class Region:
    """What an expert outlined on one film, with what metrics ask of it worked out once.

    Args:
        mask: (H, W) bool.

    Raises:
        ValueError: the mask has not two dimensions, or is not of truth values.
    """

    def __init__(self, mask: np.ndarray) -> None:
        mask = np.asarray(mask)
        if mask.ndim != 2 or mask.size == 0:
            raise ValueError(f"a mask has two dimensions and is not empty, got shape {mask.shape}")
        if mask.dtype != bool:
            raise ValueError(f"a mask holds truth values (bool), got {mask.dtype}; compare it with a threshold first")
        self.mask = mask
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

    Raises:
        ValueError: shapes differ, or a value is not finite.
    """

    def __init__(self, values: np.ndarray, region: Region) -> None:
        values = np.asarray(values)
        if values.shape != region.mask.shape:
            raise ValueError(f"the map has shape {values.shape} but the mask has shape {region.mask.shape}")
        if not (np.issubdtype(values.dtype, np.number) or values.dtype == bool) or np.iscomplexobj(values):
            raise ValueError(f"a map holds real numbers, got {values.dtype}")
        if values.dtype not in (np.float32, np.float64):
            values = values.astype(np.float64)
        if not np.isfinite(values).all():
            raise ValueError("the map holds values that are not finite (NaN or infinity)")
        self.values = values
        self.region = region

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
