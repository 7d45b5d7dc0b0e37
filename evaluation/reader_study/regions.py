"""Where a reader says that the finding is: a point, or a region small enough to stand in a line of answers."""

from __future__ import annotations

import base64
import math
import zlib
from typing import Any

import numpy as np
from PIL import Image

LONGEST = 512
"""Longest side at which a region is stored; larger ones are made smaller."""


def packed(mask: np.ndarray) -> dict[str, Any]:
    """An (H, W) bool region as what JSON can hold: its shape and its bits, at most ``LONGEST`` a side."""
    small = _resized(mask, _within(mask.shape))
    bits = zlib.compress(np.packbits(small).tobytes())
    return {"shape": list(small.shape), "bits": base64.b64encode(bits).decode()}


def unpacked(region: dict[str, Any]) -> np.ndarray:
    """The (h, w) bool region that :func:`packed` made."""
    height, width = region["shape"]
    bits = np.frombuffer(zlib.decompress(base64.b64decode(region["bits"])), dtype=np.uint8)
    return np.unpackbits(bits, count=height * width).reshape(height, width).astype(bool)


def centre(mask: np.ndarray) -> dict[str, float]:
    """The middle of a region as shares of the film's width and height."""
    rows, columns = np.nonzero(mask)
    return {"x": float((columns.mean() + 0.5) / mask.shape[1]), "y": float((rows.mean() + 0.5) / mask.shape[0])}


def hit(place: dict[str, Any] | None, outline: np.ndarray | None) -> float:
    """Whether a reader's point, or the middle of their region, lies in the outline: 1 or 0.

    Args:
        place: ``x`` and ``y`` as shares, or ``region``; None where the reader gave none, which misses.
        outline: (H, W) bool; NaN comes back where there is none.
    """
    if outline is None or not outline.any():
        return math.nan
    if place is None:
        return 0.0
    point = centre(unpacked(place["region"])) if "region" in place else place
    row, column = (int(point[axis] * side) for axis, side in zip("yx", outline.shape))
    return float(outline[min(max(row, 0), outline.shape[0] - 1), min(max(column, 0), outline.shape[1] - 1)])


def overlap(place: dict[str, Any] | None, outline: np.ndarray | None) -> float:
    """Intersection over union of a reader's region and the outline; NaN for a point, or where there is no outline."""
    if outline is None or not outline.any() or (place is not None and "region" not in place):
        return math.nan
    if place is None:
        return 0.0
    drawn = unpacked(place["region"])
    truth = _resized(outline, drawn.shape)
    return float((drawn & truth).sum() / max((drawn | truth).sum(), 1))


def _within(shape: tuple[int, ...]) -> tuple[int, int]:
    factor = min(1.0, LONGEST / max(shape))
    return max(1, round(shape[0] * factor)), max(1, round(shape[1] * factor))


def _resized(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if mask.shape == tuple(shape):
        return mask
    image = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.BILINEAR)) > 127
