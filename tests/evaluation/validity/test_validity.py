from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from classifiers.registry import card_of
from evaluation.validity.blur_test import blur_drops, overlap, places_elsewhere
from evaluation.validity.figures import EFFECT
from evaluation.validity.gate import STATUSES, gate
from evaluation.validity.measure import measure_validity
from evaluation.validity.measured import films_digest, measurable_digest, measured_here, record, store, verdict
from radiographs import Radiograph
from radiographs.registry import get_collection
from tests.evaluation.looking import SIDE, Effusions, Spots, looker


class Many(Spots):
    """Enough patients on both sides for intervals."""

    films = 48


class ManyEffusions(Effusions):
    films = 48


@pytest.fixture(scope="module")
def honest():
    return measure_validity(looker(), Many())


@pytest.fixture(scope="module")
def elsewhere():
    return measure_validity(looker(mirrored=True), Many())


def test_a_classifier_that_looks_at_the_spot_is_shown_to(honest):
    figures = honest["Spot"]
    assert (figures["auroc"], figures["auroc_low"]) == (1, 1)
    assert (figures["positives"], figures["films"]) == (24, 48)
    assert (figures["looks"]["films"], figures["looks"]["patients"]) == (24, 12)
    found = gate({"validity": {"spots": honest}}, "Spot", "spots")
    assert found.passed
    assert "on spots, where 24 of 48 films have it" in found.reason
    assert "24 films, 12 patients" in found.reason


def test_a_classifier_that_looks_elsewhere_is_shown_not_to_though_it_detects(elsewhere):
    detects = {"auroc": 0.9, "auroc_low": 0.85, "auroc_high": 0.95}
    found = gate({"validity": {"spots": {"Spot": elsewhere["Spot"] | detects}}}, "Spot", "spots")
    assert found.status == "shown not to"
    assert "The score does not depend on the annotated region" in found.reason


def test_measuring_twice_gives_the_same_figures(honest):
    assert measure_validity(looker(), Many()) == honest
    json.dumps(honest, allow_nan=False)


def test_few_patients_show_nothing():
    figures = measure_validity(looker(), Spots())
    assert figures["Spot"]["auroc_low"] is None
    found = gate({"validity": {"spots": figures}}, "Spot", "spots")
    assert found.status == "not shown"
    assert "6 patients" in found.reason


def part(mean: float, half: float, p: float) -> dict:
    return {"mean": mean, "low": mean - half, "high": mean + half, "p": p, "patients": 30}


def figures(low: float = 0.8, high: float = 0.95, **given) -> dict:
    one = {"elsewhere": part(0.5, 0.2, 0.001), "without": part(0.6, 0.2, 0.001)} | given
    worst = max(one, key=lambda name: one[name]["p"])
    p = one[worst]["p"]
    look = {"films": 40, "patients": 30, "p": p, "p_holm": p, "level": 0.05, "effect": EFFECT, "power": 0.4}
    look |= {"part": worst, "parts": one, "rounds": 3, "stable": True}
    return {
        "model": "m1", "positives": 40, "films": 99, "auroc": 0.9, "auroc_low": low, "auroc_high": high, "looks": look,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("measured", "status", "words"),
    [
        (figures(), "shown", "The score depends on the annotated region"),
        (figures(low=0.55), "not shown", "is not shown: AUROC 0.90"),
        (figures(low=0.4, high=0.58), "shown not to", "shown not to"),
        (figures(without=part(0.2, 0.3, 0.2)), "not shown", "found with a chance of 40%"),
        (figures(without=part(0.0, 0.1, 0.5)), "shown not to", "would be enough"),
        (figures(others=part(0.0, 0.1, 0.5)), "not shown", "the other findings' logits"),
    ],
)
def test_what_figures_say(measured, status, words):
    found = gate({"validity": {"here": {"Spot": measured}}}, "Spot", "here", "m1")
    assert found.status == status
    assert found.status in STATUSES
    assert words in found.reason
    assert found.passed == (status == "shown")


def test_a_verdict_is_not_lent_to_other_films_or_another_network():
    card = {"validity": {"here": {"Spot": figures()}}}
    other = gate(card, "Spot", "there", "m1")
    assert other.status == "measured on other films"
    assert not other.passed
    assert "On these films nobody has measured" in other.reason
    assert "on here, where 40 of 99 films" in other.reason
    assert gate(card, "Spot", None, "m1").status == "measured on other films"
    assert gate(card, "Spot", "here", "m2").status == "not measured"
    assert gate({}, "Spot", "here").status == "not measured"
    before = {"validity": {"here": {"Spot": {"auroc": 0.9, "auroc_low": 0.8, "blur": {"p": 0.001}}}}}
    assert gate(before, "Spot", "here").status == "not measured"


def test_what_was_measured_here_is_stored_for_these_films_and_this_network(tmp_path, monkeypatch, honest):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path))
    model, films = looker(), Many()
    assert verdict({}, model.digest, "Spot", films).status == "not measured"
    path = store(model.digest, films, honest)
    assert verdict({}, model.digest, "Spot", films).passed
    assert measured_here(looker(mirrored=True).digest, films) == {}
    assert films_digest(films) != films_digest(Spots())
    assert verdict({}, model.digest, "Spot", Spots()).status == "not measured"
    path.write_text("damaged")
    assert measured_here(model.digest, films) == {}


class Fewer(Spots):
    films = 20


class OtherPatients(Many):
    def entries(self):
        return [replace(entry, patient=f"q{entry.patient}") for entry in super().entries()]


def test_a_cards_verdict_is_of_the_films_it_was_measured_on_not_of_all_that_share_their_name(
    tmp_path, monkeypatch, honest
):
    monkeypatch.setenv("XAI_LIGHTBOX_HOME", str(tmp_path))
    model = looker()
    unlisted = {"Spot": {key: value for key, value in honest["Spot"].items() if key != "films_digest"}}
    for figures_of_card, films, status in (
        (honest, Many(), "shown"),
        (honest, Fewer(), "measured on other films"),
        (honest, OtherPatients(), "measured on other films"),
        (unlisted, Many(), "shown"),
        (unlisted, Fewer(), "measured on other films"),
    ):
        found = verdict({"validity": {"spots": figures_of_card}}, model.digest, "Spot", films)
        assert found.status == status
        assert "where 24 of 48 films have it" in found.reason
    store(model.digest, Fewer(), honest)
    assert verdict({"validity": {"spots": honest}}, model.digest, "Spot", Fewer()).passed


@pytest.mark.parametrize(
    ("model", "collection"),
    [
        ("known-truth", "known-truth"),
        pytest.param("nih14", "nih-boxes", marks=pytest.mark.real_data),
        pytest.param("nih14-localised", "nih-boxes", marks=pytest.mark.real_data),
    ],
)
def test_the_shipped_figures_are_of_the_films_that_the_collection_has(model, collection):
    figures = card_of(model).figures["validity"][collection].values()
    assert {one["films_digest"] for one in figures} == {measurable_digest(get_collection(collection))}


def test_figures_are_recorded_beside_what_the_card_has(tmp_path, honest):
    card = tmp_path / "m.json"
    card.write_text(json.dumps({"name": "m", "figures": {"mean_auroc": 0.8, "validity": {"other": {"X": {}}}}}))
    record(card, "spots", honest)
    found = json.loads(card.read_text())["figures"]
    assert found["mean_auroc"] == 0.8
    assert found["validity"]["spots"]["Spot"]["auroc"] == 1
    assert "other" in found["validity"]


def test_places_lie_inside_the_film_and_off_the_region():
    region = np.zeros((40, 40), dtype=np.float32)
    region[10:20, 8:18] = 1
    seen = np.zeros((40, 40), dtype=bool)
    seen[:, 5:35] = True
    places = places_elsewhere(region, seen, 6, np.random.default_rng(0))
    assert len(places) == 6
    for place in places:
        assert place.sum() == region.sum()
        assert not place[~seen].any()
        assert overlap(region, place) <= 0.1


def test_a_region_that_fills_the_film_cannot_be_tested():
    film = Radiograph(np.full((SIDE, SIDE), 0.5, dtype=np.float32))
    full = np.ones((SIDE, SIDE), dtype=bool)
    assert blur_drops(looker(), film, full, "Spot", np.random.default_rng(0)) is None
    assert blur_drops(looker(), film, ~full, "Spot", np.random.default_rng(0)) is None


def test_without_films_to_compare_with_nothing_is_shown():
    class OnlySpots(Many):
        def entries(self):
            return [entry for entry in super().entries() if entry.labels]

    found = measure_validity(looker(), OnlySpots())["Spot"]
    assert found["auroc"] is None
    assert found["looks"]["p"] is None
    assert gate({"validity": {"spots": {"Spot": found}}}, "Spot", "spots").status == "not shown"


def test_outlines_and_labels_under_another_name_answer_the_models_finding(honest):
    found = measure_validity(looker(finding="Effusion"), ManyEffusions())["Effusion"]
    named = {"model": "", "films_digest": ""}
    assert found | named == honest["Spot"] | named
