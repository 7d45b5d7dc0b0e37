"""A model's training films are known again when they were saved anew, and films of others are not taken for one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from classifiers import training_films
from classifiers.registry import list_models
from classifiers.training.digest_films import children, resaved
from classifiers.training_films import can_be_recognised, is_training_film, not_trained_on, split_of
from radiographs import Radiograph
from radiographs.perceptual_digest import perceptual_digest
from radiographs.planting.films import films_at_hand
from tests.evaluation.looking import CARD, Spots

CHILDREN = replace(CARD, split="known_truth")


def film_of(grey: np.ndarray) -> Radiograph:
    return Radiograph(grey / np.float32(255))


def test_every_shipped_model_brings_the_digests_of_its_training_films():
    shipped = [entry.card for entry in list_models() if entry.card.split]
    assert len(shipped) >= 3
    for card in shipped:
        assert can_be_recognised(card)
        digests = training_films._digests(split_of(card))
        assert digests.shape[0] > 9000
        assert digests.shape[1] == len(perceptual_digest(np.zeros((8, 8))))


@pytest.mark.skipif(not films_at_hand(), reason="the children's films are not installed")
def test_resaved_training_films_are_found_and_films_of_other_children_are_not():
    films = list(children(every=100))
    seen = [grey for grey, side in films if side != "test"]
    for way in resaved().values():
        assert all(is_training_film(CHILDREN, film_of(way(grey))) for grey in seen[:6])
    assert not any(is_training_film(CHILDREN, film_of(grey)) for grey, side in films if side == "test")
    assert not is_training_film(CARD, film_of(seen[0]))


def test_a_film_that_no_table_records_is_held_out_by_its_looks(monkeypatch):
    spots = Spots()
    films = [replace(entry, part=None) for entry in spots.entries()]
    known = perceptual_digest(spots.read("03").pixels)[None]
    monkeypatch.setattr(training_films, "_digests", lambda split: known)
    monkeypatch.setattr(training_films, "_answers", {})
    left = not_trained_on(replace(CARD, split="nih"), spots, films)
    assert [entry for entry in films if entry not in left] == [films[3]]
    assert not_trained_on(CARD, spots, films) == films
