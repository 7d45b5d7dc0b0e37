"""Batches of the film check: what hangs how, what is asked of which film, and that batches are the same for a step."""

import numpy as np
import pandas as pd
import torch

from classifiers.film_check_network import QUESTIONS
from classifiers.training.film_check_data import (
    IGNORED,
    FilmCheckBatches,
    FilmCheckMix,
    HungFilms,
    cropping,
    fitted,
    folded,
)
from classifiers.training.train_film_check import loss_of


def made(count: int = 12) -> HungFilms:
    rng = np.random.default_rng(0)
    large = rng.integers(0, 256, (count, 256, 256), dtype=np.uint8)
    source = ["nih", "nih-boxes", "paediatric", "wingspan"] * (count // 4)
    ages = [45.0, 7.0, 3.0, 40.0] * (count // 4)
    table = pd.DataFrame({"source": source, "age": ages, "view": ["PA", "AP", "", ""] * (count // 4)})
    return HungFilms(np.stack([fitted(film, 128) for film in large]), large, np.arange(count), table)


def test_a_batch_asks_of_each_film_what_is_known():
    batches = FilmCheckBatches(made(), 3, FilmCheckMix(adults=6, young=2, children=3, others=2, lateral=2, foreign=4))
    films, hangs, answers = batches.batch(5)
    again = batches.batch(5)
    assert all(torch.equal(one, two) for one, two in zip((films, hangs, answers), again))
    assert films.shape == (19, 1, 128, 128)
    assert 0 <= films.min() <= films.max() <= 1
    told = {name: answers[:, i] for i, name in enumerate(QUESTIONS)}
    assert told["chest"][-4:].tolist() == [0.0] * 4
    assert told["lateral"][-6:-4].tolist() == [1.0] * 2
    assert (hangs[-6:] == -1).all()
    assert set(told["ap"][8:11].tolist()) == {IGNORED}
    assert set(told["child"][8:11].tolist()) <= {1.0, IGNORED}
    loss = loss_of(torch.zeros(19, 14), hangs, answers)
    assert np.isclose(float(loss), np.log(8) + len(QUESTIONS) * np.log(2), atol=1e-4)


def test_crops_are_crops_and_lie_inside():
    rng = np.random.default_rng(1)
    for _ in range(50):
        (top, left, height, width), answer = cropping(rng)
        assert min(top, left) >= 0
        assert max(top + height, left + width) <= 1 + 1e-9
        assert (answer == 1.0) == (min(height, width) < 0.69)


def test_a_folded_film_has_both_lungs_over_each_other():
    film = np.full((64, 64), 200, dtype=np.uint8)
    film[:, 10:20] = film[:, 44:54] = 40
    half = folded(film, np.random.default_rng(0))
    assert half.shape == film.shape
    assert half[:, 5:-5].min() < 90
