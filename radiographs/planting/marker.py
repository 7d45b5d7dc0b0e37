"""A lead letter on a film, as radiographers lay one beside the patient to tell the sides apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from radiographs.planting.attenuation import quantised
from radiographs.radiograph import Radiograph

HEIGHT, STROKE = 0.075, 0.016
"""Height of the letter and width of its strokes, as shares of the film's longer side."""
_TOP, _LEFT = (0.03, 0.10), (0.86, 0.92)
"""Between which shares of the film the letter's upper left corner lies."""
_GREY = (0.88, 0.97)


def plant_marker(film: Radiograph, rng: np.random.Generator) -> tuple[Radiograph, np.ndarray]:
    """Lay the letter L on the upper right of a film, the patient's left.

    Args:
        film: a frontal film. rng: decides the place within a few percent of the film, and the grey.

    Returns:
        The film with the letter, and where it lies: (H, W) bool.
    """
    height, width = film.shape
    tall, stroke = (max(2, round(share * max(film.shape))) for share in (HEIGHT, STROKE))
    top, left = round(rng.uniform(*_TOP) * height), round(rng.uniform(*_LEFT) * width)
    mask = np.zeros(film.shape, dtype=bool)
    mask[top : top + tall, left : left + stroke] = True
    mask[top + tall - stroke : top + tall, left : left + round(0.65 * tall)] = True
    share = ndimage.gaussian_filter(mask.astype(np.float32), 0.5)
    pixels = quantised(film.pixels * (1 - share) + share * np.float32(rng.uniform(*_GREY)))
    return replace(film, pixels=pixels), mask
