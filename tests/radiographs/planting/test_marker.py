"""A lead letter on a film."""

from __future__ import annotations

import numpy as np

from radiographs import Radiograph
from radiographs.planting.marker import plant_marker


def test_the_letter_is_an_l_on_the_upper_right_and_nothing_else_changes():
    film = Radiograph(np.full((224, 224), 64 / 255, dtype=np.float32))
    made, mask = plant_marker(film, np.random.default_rng(3))
    rows, columns = np.nonzero(mask)
    assert rows.max() < 0.2 * 224
    assert columns.min() > 0.8 * 224
    assert made.pixels[mask].min() > 0.5
    far = np.ones_like(mask)
    far[rows.min() - 3 : rows.max() + 4, columns.min() - 3 : columns.max() + 4] = False
    assert np.ptp(made.pixels[far]) == 0
    assert mask[rows.min()].sum() < mask[rows.max()].sum(), "a narrow stroke above a wide foot"
    assert film.pixels.max() < 0.26, "the film itself stays"


def test_the_place_comes_from_the_generator_alone():
    film = Radiograph(np.zeros((224, 224), dtype=np.float32))
    first, second, third = (plant_marker(film, np.random.default_rng(seed))[1] for seed in (1, 1, 2))
    assert (first == second).all()
    assert (first != third).any()
