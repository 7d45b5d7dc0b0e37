"""The page's scores are those of the command line and of runs, and caches tell outlines, models and maps apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dashboard.compare import caches
from dashboard.shared.film_context import FilmContext
from evaluation.one_film.compare import compare
from evaluation.scores import Score
from radiographs.annotation import annotations_of
from tests.dashboard.made import TinyCollection, tiny_classifier, tiny_film
from xai_methods import get_method


@pytest.fixture
def film() -> FilmContext:
    entry = TinyCollection().entry("film-0")
    annotations = tuple(TinyCollection().annotations("film-0"))
    return FilmContext("tiny-films/film-0", tiny_film()[0], annotations, entry, TinyCollection())


def assert_same(found: dict[str, Score], expected: dict[str, Score]) -> None:
    assert list(found) == list(expected)
    values = [[score.value for score in scores.values()] for scores in (found, expected)]
    np.testing.assert_allclose(*values, rtol=1e-6)


def test_the_pages_numbers_are_those_of_the_command_line(film):
    model = tiny_classifier()
    made = compare(film.scoring_context(model), ["Nodule"], {"grad-cam": None, "jacobian": None}).findings["Nodule"]
    page = caches.unexplained(model, film, "Nodule")
    assert_same(page.chance, made.chance)
    assert list(page.baselines) == list(made.baselines)
    for name, scores in made.baselines.items():
        assert_same(page.baselines[name], scores)
    assert (page.logit, page.probability, page.verdict) == (made.logit, made.probability, made.verdict)
    for done in made.methods.values():
        shown = caches.scored(model, film, done.explanation)
        assert_same(shown.scores, done.scores)
        assert len(shown.scores) > 8
        np.testing.assert_array_equal(shown.on_film, done.on_film)


def test_another_outline_or_model_is_another_result(film):
    model = tiny_classifier()
    explanation = get_method("grad-cam").explain(model, film.radiograph, "Nodule")
    other = replace(film, annotations=tuple(annotations_of({"Nodule": ~tiny_film()[1]})))
    scores = [caches.scored(model, one, explanation).scores["pixel_auprc"] for one in (film, other, film)]
    assert scores[0] != scores[1]
    assert scores[0] == scores[2]
    assert caches.scored(model, film, explanation) is caches.scored(model, film, explanation)
    assert caches.unexplained(model, film, "Nodule") is not caches.unexplained(model, film, "Effusion")
    assert caches.unexplained(model, film, "Nodule").mask.sum() != caches.unexplained(model, other, "Nodule").mask.sum()
