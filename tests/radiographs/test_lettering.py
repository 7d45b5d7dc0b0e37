"""Words are found where they were planted; smooth shapes, broad bars and empty films have none."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from radiographs import Radiograph
from radiographs.lettering import find_lettering


def chest(side: int = 512) -> np.ndarray:
    """Two dark ovals in a bright body, with grain."""
    down, across = np.mgrid[0:side, 0:side] / side
    lungs = sum(((across - x) / 0.14) ** 2 + ((down - 0.5) / 0.3) ** 2 < 1 for x in (0.3, 0.7))
    body = ndimage.gaussian_filter(0.6 - 0.4 * lungs, side / 60)
    return np.clip(body + np.random.default_rng(0).normal(0, 0.01, body.shape), 0, 1).astype(np.float32)


def test_a_word_is_found_and_nothing_else():
    film = chest()
    image = Image.fromarray((film * 255).astype(np.uint8))
    ImageDraw.Draw(image).text((40, 60), "PORTABLE", 255, font=ImageFont.load_default(20))
    found = find_lettering(Radiograph(np.asarray(image) / 255))
    strokes = np.asarray(image) == 255
    assert found[strokes].mean() > 0.8
    outside = found.copy()
    outside[50:95, 30:170] = False
    assert not outside.any()


def test_no_letters_on_smooth_films():
    assert not find_lettering(Radiograph(chest())).any()
    assert not find_lettering(Radiograph(np.zeros((50, 40)))).any()
    bars = chest()
    bars[100:130, 50:400] = 1.0
    bars[:, 480:] = 1.0
    assert not find_lettering(Radiograph(bars)).any()


def test_large_films_are_looked_at_in_their_own_pixels():
    film = np.kron(chest(), np.ones((3, 3), dtype=np.float32))
    film[150:240, 150:168] = film[222:240, 150:200] = 1.0
    found = find_lettering(Radiograph(film))
    assert found.shape == film.shape
    assert found[160:230, 152:166].all()
