"""Files of a counterfactual series: what they hold, by hand."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
from PIL import Image, ImageSequence

from classifiers import ModelCard
from dashboard.counterfactual.files import animation, changes, html_report, strip
from evaluation.counterfactuals.exaggerated import Exaggerated, in_words, plane_in_words
from radiographs.radiograph import Note
from tests.dashboard.exaggeration import SIDE, made_plane, made_series, measured, measured_plane
from tests.dashboard.made import SCRIPT, marked
from xai_methods.counterfactual import LEVELS

CARD = ModelCard("tiny", "Tiny <model>", "", "", "", "", "")


def made(refusal: str | None = None, ratios: np.ndarray | None = None) -> Exaggerated:
    return measured(made_series(refusal), ratios)


def test_the_animation_goes_there_and_back():
    frames = [
        np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(Image.open(io.BytesIO(animation(made()))))
    ]
    assert len(frames) == 2 * len(LEVELS) - 2
    bright = [int((frame > 100).sum()) for frame in frames]
    top = bright.index(max(bright))
    assert bright[: top + 1] == sorted(bright[: top + 1])
    assert bright[top:] == sorted(bright[top:], reverse=True)


def test_the_strip_holds_the_film_and_the_ends():
    image = np.asarray(Image.open(io.BytesIO(strip(made(), steps=3))))
    assert image.shape == (2 * SIDE, 4 * SIDE, 3)
    first, last = image[:SIDE, SIDE : 2 * SIDE], image[:SIDE, 3 * SIDE :]
    assert (last > 100).sum() > (first > 100).sum()


def test_nothing_changed_is_shown_as_nothing():
    series = made_series()
    shown = changes(series.films, series.film)[4]
    assert len({tuple(pixel) for pixel in shown[series.film < 0.5]}) == 1


def test_the_report_is_self_contained_and_escaped():
    text = html_report(made("It looks unlike the film."), CARD, "tiny-films/<b>")
    assert "Tiny &lt;model&gt;" in text
    assert "tiny-films/&lt;b&gt;" in text
    assert "It looks unlike the film." in text
    assert "data:image/gif;base64," in text
    assert "http://" not in text
    assert text.count("<tr>") == len(LEVELS) + 2, "the head, the film as it is, the steps"
    assert "Refused" not in html_report(made(), CARD, "tiny-films/film-0")


def test_no_text_becomes_markup():
    whole = made(SCRIPT)
    series = replace(whole.series, finding=SCRIPT, findings=(SCRIPT, "Effusion"), method=SCRIPT)
    notes = (Note("turned", SCRIPT), Note("lateral", SCRIPT, doubt=True))
    text = html_report(replace(whole, series=series), marked(CARD), SCRIPT, notes)
    assert "<b>In doubt.</b> &lt;script&gt;" in text
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 5


def test_words_say_what_changed_and_what_moved_with_it():
    words = in_words(made())
    assert "The decision flips (threshold 50%)." in words
    assert "80% of it in lungs and heart" in words
    assert "from 0.40 to 0.60" in words
    assert "Another finding" not in words
    unsure = in_words(made(ratios=np.full(len(LEVELS), np.nan)))
    assert "heart's width" not in unsure


def test_words_warn_where_another_finding_moves_too():
    whole = made()
    whole.series.probabilities[-1, 1] += 0.4
    assert "effusion by +40 points" in in_words(whole)


def test_change_has_one_scale_for_all_steps():
    series = made_series()
    same = (series.films[8] - series.film > 0) & (series.films[9] == series.films[8])
    assert same.any()
    shown = changes(series.films, series.film)
    np.testing.assert_array_equal(shown[8][same], shown[9][same])
    weaker = np.concatenate([series.films[:9], series.film[None] + (series.films[9] - series.film)[None] / 4])
    faint = changes(weaker, series.film)
    assert faint[9][same].astype(int).sum() < faint[8][same].astype(int).sum()


def test_the_words_on_two_findings_say_how_far_each_moves_the_other():
    words = plane_in_words(measured_plane(made_plane()))
    assert "From nodule absent to present, " in words
    assert "goes from 10% to 90%, and that of pleural effusion by +20 points" in words
    assert "goes from 10% to 90%, and that of nodule by +0 points" in words
    assert "lies 3 points from its target, on average; 10 of 25 films miss a target by 10 points or more" in words


def test_a_step_that_misses_its_target_is_marked():
    whole = made()
    whole.series.probabilities[2, 0] += 0.12
    assert list(np.flatnonzero(whole.missed)) == [2]
    assert "1 of 10 steps miss their target by 10 points or more" in in_words(whole)
    assert html_report(whole, CARD, "tiny-films/film-0").count("37% ✕<") == 1
