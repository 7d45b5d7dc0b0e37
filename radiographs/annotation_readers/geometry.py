"""Outlines as they are stored, and how they become pixels.

Coordinates are continuous, x to the right and y down, origin at the film's top left corner: pixel (row, column) covers
[column, column + 1) x [row, row + 1). A pixel is inside an outline when its centre is. An outline too small to hold
any centre becomes the one pixel that its middle lies in, so that no outline vanishes on a small film.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from radiographs.annotation import Kind
from radiographs.decoding.pool import read_mask_file
from radiographs.errors import AnnotationError
from radiographs.film_readers.mask_images import mask_size
from radiographs.film_readers.orientation import Shape, resample_mask

Extent = tuple[float, float, float, float]
FARTHEST = 1e6
"""Pixels: no coordinate of an outline lies farther from the film's corner."""
_MOST_CROSSINGS = 50_000_000


class Geometry(Protocol):
    """A stored outline."""

    @property
    def kind(self) -> Kind:
        """How it was drawn."""
        ...

    @property
    def size(self) -> Shape | None:
        """(H, W) of the image that it was drawn on, where the outline itself says so."""
        ...

    @property
    def extent(self) -> Extent | None:
        """Left, top, right and bottom edge; None for masks, which fill their image."""
        ...

    def mask(self, shape: Shape, frame: Shape | None) -> np.ndarray:
        """Rasterise.

        Args:
            shape: (H, W) of the film.
            frame: (H, W) of the image that it was drawn on; None: the film itself.

        Returns:
            (H, W) bool; all False where the outline lies outside the film.
        """
        ...


@dataclass(frozen=True)
class Box:
    """An upright rectangle from (x, y) at its top left, in pixels of the frame."""

    x: float
    y: float
    width: float
    height: float
    kind: Kind = "box"
    size: Shape | None = None

    @property
    def extent(self) -> Extent:
        """See :class:`Geometry`."""
        return self.x, self.y, self.x + self.width, self.y + self.height

    def mask(self, shape: Shape, frame: Shape | None) -> np.ndarray:
        """See :class:`Geometry`."""
        down, right = _scale(shape, frame)
        top, bottom = self.y * down, (self.y + self.height) * down
        left, end = self.x * right, (self.x + self.width) * right
        inside = np.zeros(shape, dtype=bool)
        rows = slice(max(0, _first_centre(top)), max(0, _first_centre(bottom)))
        columns = slice(max(0, _first_centre(left)), max(0, _first_centre(end)))
        inside[rows, columns] = True
        if not inside.any():
            _mark_pixel(inside, (top + bottom) / 2, (left + end) / 2)
        return inside


@dataclass(frozen=True, eq=False)
class Polygon:
    """One or several closed rings, each (n, 2) of x, y in pixels of the frame; together they cover their union."""

    rings: tuple[np.ndarray, ...]
    kind: Kind = "polygon"
    size: Shape | None = None

    @property
    def extent(self) -> Extent:
        """See :class:`Geometry`."""
        corners = np.concatenate(self.rings)
        (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        return left, top, right, bottom

    def mask(self, shape: Shape, frame: Shape | None) -> np.ndarray:
        """See :class:`Geometry`; inside one ring the even-odd rule holds."""
        down, right = _scale(shape, frame)
        inside = np.zeros(shape, dtype=bool)
        scaled = [np.asarray(ring, dtype=np.float64) * (right, down) for ring in self.rings]
        for ring in scaled:
            _fill_ring(inside, ring)
        if not inside.any():
            for ring in scaled:
                column, row = (ring.min(axis=0) + ring.max(axis=0)) / 2
                _mark_pixel(inside, row, column)
        return inside


@dataclass(frozen=True, eq=False)
class Runs:
    """A run-length mask: lengths of runs, outside first, in column-major order, over a (H, W) image of ``size``."""

    counts: np.ndarray
    size: Shape
    kind: Kind = "mask"
    extent: None = None

    def mask(self, shape: Shape, frame: Shape | None) -> np.ndarray:
        """See :class:`Geometry`; ``size`` is the frame."""
        return resample_mask(self.full(), shape)

    def full(self) -> np.ndarray:
        """The mask in its own frame: ``size`` bool."""
        height, width = self.size
        flat = np.zeros(height * width, dtype=bool)
        ends = np.cumsum(self.counts)
        for start, stop in zip(ends[0::2], ends[1::2], strict=False):
            flat[start:stop] = True
        return flat.reshape(width, height).T


@dataclass(frozen=True)
class MaskFile:
    """A mask image on disk, opened only when it is needed (see :mod:`radiographs.film_readers.mask_images`)."""

    path: Path
    kind: Kind = "mask"
    extent: None = None

    @cached_property
    def size(self) -> Shape:
        """(H, W) of the image, from its header.

        Raises:
            AnnotationError: it cannot be opened.
        """
        return mask_size(self.path)

    def mask(self, shape: Shape, frame: Shape | None) -> np.ndarray:
        """See :class:`Geometry`; the image's own size is the frame."""
        return resample_mask(read_mask_file(self.path), shape)


@dataclass(frozen=True, eq=False)
class Painted:
    """A mask at hand: (H, W) bool; its own size is the frame."""

    pixels: np.ndarray
    kind: Kind = "mask"
    extent: None = None

    @property
    def size(self) -> Shape:
        """See :class:`Geometry`."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def mask(self, shape: Shape, frame: Shape | None) -> np.ndarray:
        """See :class:`Geometry`."""
        return resample_mask(self.pixels, shape)


def has_proportions(frame: Shape, shape: Shape) -> bool:
    """Whether two sizes have the same proportions (2 % are left for rounding)."""
    return abs(frame[0] * shape[1] / (frame[1] * shape[0]) - 1) <= 0.02


def check_proportions(frame: Shape, shape: Shape, what: str) -> None:
    """Refuse an outline whose frame has not the film's proportions.

    Raises:
        AnnotationError: it was drawn on another image.
    """
    if not has_proportions(frame, shape):
        raise AnnotationError(
            f"{what} was drawn on an image of {frame[1]} x {frame[0]} pixels; "
            f"the film has {shape[1]} x {shape[0]}, which are other proportions"
        )


def _scale(shape: Shape, frame: Shape | None) -> tuple[float, float]:
    return (1.0, 1.0) if frame is None else (shape[0] / frame[0], shape[1] / frame[1])


def _first_centre(edge: float) -> int:
    """The first pixel whose centre lies at or beyond ``edge``."""
    return int(np.ceil(edge - 0.5))


def _mark_pixel(inside: np.ndarray, row: float, column: float) -> None:
    """Set the pixel that holds a point; a point outside the film sets none."""
    if 0 <= row < inside.shape[0] and 0 <= column < inside.shape[1]:
        inside[int(row), int(column)] = True


def _fill_ring(inside: np.ndarray, ring: np.ndarray) -> None:
    """Set the pixels of ``inside`` whose centres lie in a closed ring (n, 2) of x, y."""
    height, width = inside.shape
    top = min(max(0, _first_centre(ring[:, 1].min())), height)
    bottom = min(max(top, _first_centre(ring[:, 1].max())), height)
    if top == bottom:
        return
    begins, ends = ring, np.roll(ring, -1, axis=0)
    edges = np.ceil(np.stack([begins[:, 1], ends[:, 1]]) - 0.5).clip(top, bottom).astype(int)
    first, count = edges.min(axis=0), np.abs(edges[0] - edges[1])
    if int(count.sum()) > _MOST_CROSSINGS:
        raise AnnotationError("the polygon winds across the film too often; give a mask instead")
    crossings = np.zeros((bottom - top, width + 1), dtype=bool)
    crossing = np.flatnonzero(count)
    for some in np.array_split(crossing, 1 + int(count.sum()) // 1_000_000):
        edge = np.repeat(some, count[some])
        rows = np.arange(edge.size) + np.repeat(first[some] - np.cumsum(count[some]) + count[some], count[some])
        (x1, y1), (x2, y2) = begins[edge].T, ends[edge].T
        columns = np.ceil(x1 + (rows + 0.5 - y1) * (x2 - x1) / (y2 - y1) - 0.5).clip(0, width).astype(int)
        np.logical_xor.at(crossings, (rows - top, columns), True)
    inside[top:bottom] |= np.logical_xor.accumulate(crossings, axis=1)[:, :width]
