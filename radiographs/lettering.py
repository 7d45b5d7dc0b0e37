"""Letters burnt into a film or lying on it as lead markers, found by their strokes: bright, even and sharp."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from radiographs.film_readers.orientation import resample_mask, resample_pixels
from radiographs.radiograph import Radiograph

_GRID = 640
"""Longest side in pixels at which letters are looked for."""
_STROKE = 0.022
"""Widest stroke, as a share of the longest side."""
_HEIGHT, _WIDTH = (0.010, 0.075), 0.12
"""Least and most height of a letter, and most width of letters that touch, as shares of the longest side."""
_CONTRAST = 0.18
"""Least step of grey between a letter and what is round it."""
_EVENNESS = 0.2
"""Most standard deviation of grey within a letter, as a share of its contrast."""
_SHARPNESS = 0.22
"""Least slope of grey at a letter's edge, as a share of its contrast a pixel of the grid."""
_SLENDER = 4.5
"""Most height of a letter over its width."""
_FILL = (0.12, 0.85)
"""Least and most share of its box that a letter fills."""


def find_lettering(radiograph: Radiograph) -> np.ndarray:
    """Where letters and digits lie on a film: (H, W) bool, the boxes of what looks like them, a little enlarged."""
    factor = min(1.0, _GRID / max(radiograph.shape))
    shape = (max(1, round(radiograph.shape[0] * factor)), max(1, round(radiograph.shape[1] * factor)))
    grey = radiograph.pixels if factor == 1 else resample_pixels(radiograph.pixels, shape)
    side = max(shape)
    size = max(3, 2 * round(_STROKE * side / 2) + 1)
    raised = grey - ndimage.grey_opening(grey, size=(size, size))
    strokes = raised > max(_CONTRAST, 0.3 * float(raised.max()))
    parts, _ = ndimage.label(strokes, np.ones((3, 3)))
    slope = ndimage.maximum_filter(np.hypot(ndimage.sobel(grey, 0), ndimage.sobel(grey, 1)) / 8, 3)
    found = np.zeros(shape, dtype=bool)
    margin = max(1, round(0.006 * side))
    for number, box in enumerate(ndimage.find_objects(parts), 1):
        if any(span.start == 0 or span.stop == length for span, length in zip(box, shape)):
            continue
        inside = parts[box] == number
        if _is_letter(inside, grey[box], raised[box], slope[box], side):
            found[_grown(box[0], margin), _grown(box[1], margin)] = True
    return resample_mask(found, radiograph.shape)


def _is_letter(inside: np.ndarray, grey: np.ndarray, raised: np.ndarray, slope: np.ndarray, side: int) -> bool:
    """Whether one connected bright part, in its box, has a letter's size, fill, evenness and edge."""
    height, width = inside.shape
    if not _HEIGHT[0] * side <= height <= _HEIGHT[1] * side or not 2 <= width <= _WIDTH * side:
        return False
    if height > _SLENDER * width:
        return False
    if not _FILL[0] <= inside.mean() <= _FILL[1] or inside.sum() < 8:
        return False
    contrast = float(np.percentile(raised[inside], 90))
    core = inside & (raised > 0.6 * contrast)
    edge = inside & ~ndimage.binary_erosion(inside)
    uneven = float(grey[core].std())
    return bool(uneven <= _EVENNESS * contrast and np.median(slope[edge]) >= _SHARPNESS * contrast)


def _grown(span: slice, margin: int) -> slice:
    return slice(max(0, span.start - margin), span.stop + margin)
