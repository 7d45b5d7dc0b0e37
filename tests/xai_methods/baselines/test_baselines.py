"""Baselines know the film's size, its edges or nothing, and never the model; scoring uses the same maps."""

import numpy as np
import pytest

from evaluation.baselines.model_independent import baseline_maps, baseline_titles
from radiographs import Radiograph
from tests.families import random_classifier
from tests.xai_methods.linear_classifier import linear_classifier, smooth_film
from xai_methods import get_method, methods

NAMES = ("uniform", "centre-prior", "edge-map", "random")


def test_they_are_the_registrys_baselines_and_come_last():
    assert tuple(name for name, method in methods().items() if method.role == "baseline") == NAMES
    assert tuple(methods())[-4:] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_model_does_not_change_the_map(name):
    film = smooth_film(32)
    maps = [
        get_method(name).explain(classifier, film, "Finding 1").values
        for classifier in (random_classifier("vgg", side=32), random_classifier("resnet", side=32))
    ]
    np.testing.assert_allclose(maps[0], maps[1], atol=1e-6)


@pytest.mark.parametrize("name", NAMES[:3])
def test_a_film_of_the_inputs_size_gets_the_map_that_scoring_uses(name):
    classifier, film = linear_classifier(32), smooth_film(32)
    explained = get_method(name).explain(classifier, film, "Finding 0").values
    np.testing.assert_allclose(explained, baseline_maps(film, "Hernia")[name], atol=1e-5)
    assert name in baseline_titles()


def test_edges_of_a_step_are_where_it_is():
    step = np.zeros((8, 8))
    step[:, 4:] = 1
    edges = get_method("edge-map").draw(step, np.random.default_rng(0))
    assert (edges[:, 3:5] == 4).all()
    assert edges[:, :3].max() == edges[:, 5:].max() == 0


def test_edge_map_follows_the_film_in_its_own_pixels_whatever_the_input_range():
    classifier = linear_classifier(32)
    film = Radiograph(np.pad(np.ones((16, 16), dtype=np.float32), 8))
    values = get_method("edge-map").explain(classifier, film, "Finding 0").values
    assert values.max() == pytest.approx(np.hypot(3, 3), abs=1e-4)
    assert values[12:20, 12:20].max() == pytest.approx(0, abs=1e-5)


def test_random_is_even_noise():
    values = get_method("random").explain(linear_classifier(64), smooth_film(64), "Finding 0", seed=3).values
    assert 0 <= values.min() < 0.01
    assert 0.99 < values.max() <= 1
    assert values.mean() == pytest.approx(0.5, abs=0.02)
