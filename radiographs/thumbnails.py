"""Small pictures of films for galleries."""

from __future__ import annotations

import numpy as np
from PIL import Image

from radiographs.radiograph import Radiograph


def thumbnail(radiograph: Radiograph, side: int = 160) -> np.ndarray:
    """A square picture of the film: (side, side) uint8, 0 black.

    The film is shrunk by averaging over areas, its shape kept and the rest padded with black. Grey values run from
    the film's 0.5th to its 99.5th percentile, whatever window the file asks for.

    Raises:
        ValueError: ``side`` is not positive.
    """
    if side < 1:
        raise ValueError(f"a thumbnail's side is at least 1 pixel, got {side}")
    height, width = radiograph.shape
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(Image.fromarray(np.asarray(radiograph.pixels)).resize(size, Image.Resampling.BOX))
    low, high = np.percentile(radiograph.pixels, (0.5, 99.5))
    if high <= low:
        low, high = float(radiograph.pixels.min()), float(radiograph.pixels.max())
    stretched = (small - low) / (high - low) if high > low else np.zeros_like(small)
    picture = np.zeros((side, side), dtype=np.uint8)
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    picture[top : top + size[1], left : left + size[0]] = np.rint(np.clip(stretched, 0, 1) * 255)
    return picture
