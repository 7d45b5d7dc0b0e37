"""Thresholds lie where few validation films are; distances are those of Mahalanobis."""

import numpy as np
import pandas as pd

from classifiers.film_check import Look, distance
from classifiers.film_check_network import HANGS, QUESTIONS
from classifiers.picture_quality import measure_quality
from classifiers.training.film_check_data import HungFilms
from classifiers.training.measure_film_check import share
from classifiers.training.ship_film_check import CheckedFilms, population, thresholds


def look(value: float, features: np.ndarray | None = None) -> Look:
    hangs = np.full(HANGS, (1 - 0.9) / 7)
    hangs[0] = 0.9
    features = np.zeros(64) if features is None else features
    return Look(hangs, dict.fromkeys(QUESTIONS, value), features, measure_quality(np.zeros((9, 9), dtype=np.float32)))


def test_few_validation_films_exceed_a_threshold():
    values = np.linspace(0, 1, 1001)
    table = pd.DataFrame({"age": [50.0] * 1000 + [3.0], "view": ["PA"] * 1001})
    films = HungFilms(np.zeros((1001, 2, 2)), np.zeros((0, 2, 2)), np.full(1001, -1), table)
    found = thresholds(CheckedFilms(films, [look(value) for value in values]))
    assert found["inverted"] == 0.998
    assert found["rotated"] == 0.2
    assert found["adult"] == 0.2


def test_a_distance_is_measured_in_the_spread_of_the_films():
    rng = np.random.default_rng(0)
    spread = np.linspace(1, 3, 64)
    films = rng.normal(0, spread, (4000, 64)).astype(np.float32)
    mean, precision = population(films)
    away = look(0.5, (mean + np.eye(64)[63] * 30).astype(np.float32))
    assert 8 < distance(away, (mean, precision, 1.0)) < 11
    assert distance(look(0.5, mean), (mean, precision, 1.0)) == 0


def test_a_share_has_wilsons_interval():
    found = share(9, 10)
    assert (found["share"], found["of"]) == (0.9, 10)
    assert (round(found["low"], 3), round(found["high"], 3)) == (0.596, 0.982)
