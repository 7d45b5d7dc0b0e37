"""Two findings at once: each film of the plane is what the explainer makes of the one before it."""

import numpy as np
import pytest
import torch

from radiographs import Radiograph
from xai_methods.counterfactual import exaggerate, exaggerate_two

LEVELS = (0.2, 0.5, 0.8)


@pytest.fixture
def plane(shipped, classifier, film):
    return exaggerate_two(classifier, Radiograph(film[0, 0].numpy()), ("Large", "Small"), LEVELS)


def test_a_row_is_the_second_finding_on_the_film_made_for_the_first(plane, classifier, film):
    first = exaggerate(classifier, Radiograph(film[0, 0].numpy()), "Large", LEVELS)
    again = exaggerate(classifier, Radiograph(first.films[2]), "Small", LEVELS)
    np.testing.assert_allclose(plane.films[2], again.films, atol=1e-5)
    np.testing.assert_allclose(plane.reached[2, :, 1], again.reached, atol=1e-4)


def test_reached_is_what_the_classifier_says_of_each_film(plane, classifier):
    with torch.no_grad():
        logits = classifier(torch.from_numpy(plane.films[0, 2])[None, None])[0]
    np.testing.assert_allclose(plane.reached[0, 2], torch.sigmoid(logits[:2]), atol=1e-4)
    assert plane.films.shape == (3, 3, *plane.film.shape)
    assert len(plane.own) == 2


def test_one_finding_twice_is_refused(shipped, classifier, film):
    with pytest.raises(ValueError, match="two different ones"):
        exaggerate_two(classifier, Radiograph(film[0, 0].numpy()), ("Large", "Large"), LEVELS)
