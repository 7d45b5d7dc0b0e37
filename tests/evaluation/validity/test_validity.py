from __future__ import annotations

import json
import math

import numpy as np
import pytest

from evaluation.validity.blur_test import blur_drops, overlap, places_elsewhere
from evaluation.validity.gate import gate, measure_validity, record
from radiographs import Radiograph
from tests.evaluation.looking import SIDE, Effusions, Spots, looker


@pytest.fixture(scope="module")
def honest():
    return measure_validity(looker(), Spots())


@pytest.fixture(scope="module")
def elsewhere():
    return measure_validity(looker(mirrored=True), Spots())


def test_a_classifier_that_looks_at_the_spot_passes(honest):
    figures = honest["Spot"]
    assert figures["auroc"] == 1
    assert (figures["positives"], figures["films"]) == (12, 24)
    assert figures["blur"]["share"] == 1
    assert figures["blur"]["mirror_share"] == 1
    assert figures["blur"]["mean_drop"] > 10 * abs(figures["blur"]["mean_drop_elsewhere"])
    assert gate({"validity": {"spots": honest}}, "Spot", "spots").passed


def test_a_classifier_that_looks_elsewhere_fails_though_it_detects(elsewhere):
    blur = elsewhere["Spot"]["blur"]
    assert blur["mean_drop"] < blur["mean_drop_elsewhere"]
    detects = {"auroc": 0.9, "auroc_low": 0.85, "auroc_high": 0.95, "positives": 500, "films": 1000}
    verdict = gate({"findings": {"Spot": detects}, "validity": {"spots": elsewhere}}, "Spot", "spots")
    assert verdict.status == "failed"
    assert "does not seem to look there" in verdict.reason


def test_measuring_twice_gives_the_same_figures(honest):
    assert measure_validity(looker(), Spots()) == honest
    json.dumps(honest, allow_nan=False)


@pytest.mark.parametrize(
    ("figures", "status", "words"),
    [
        ({}, "not tested", "nobody has measured"),
        ({"findings": {"Spot": {"auroc": None}}}, "not tested", "nobody has measured"),
        ({"findings": {"Spot": {"auroc": 0.6, "auroc_low": 0.52}}}, "failed", "too little"),
        ({"findings": {"Spot": {"auroc": 0.9, "auroc_low": 0.85}}}, "not tested", "has not been measured"),
    ],
)
def test_missing_or_weak_figures(figures, status, words):
    verdict = gate(figures, "Spot")
    assert verdict.status == status
    assert words in verdict.reason
    assert not verdict.passed


def blur(p: float) -> dict:
    return {"films": 40, "share": 0.8, "mean_drop": 1.0, "mean_drop_elsewhere": 0.2, "p": p}


def test_the_films_own_collection_decides_before_others():
    detects = {"auroc": 0.9, "auroc_low": 0.8, "auroc_high": 0.95, "positives": 9, "films": 99}
    figures = {
        "validity": {
            "good": {"Spot": {**detects, "blur": blur(0.001)}},
            "bad": {"Spot": {**detects, "blur": blur(0.4)}},
        }
    }
    assert gate(figures, "Spot", "good").passed
    assert gate(figures, "Spot", "bad").status == "failed"


def test_the_auroc_on_more_films_counts():
    small = {"auroc": 0.7, "auroc_low": 0.4, "auroc_high": 0.9, "positives": 5, "films": 20, "blur": blur(0.01)}
    large = {"auroc": 0.8, "auroc_low": 0.75, "auroc_high": 0.85, "positives": 200, "films": 900}
    verdict = gate({"findings": {"Spot": large}, "validity": {"c": {"Spot": small}}}, "Spot", "c")
    assert verdict.passed
    assert "0.80" in verdict.reason


def test_figures_are_recorded_beside_what_the_card_has(tmp_path, honest):
    card = tmp_path / "m.json"
    card.write_text(json.dumps({"name": "m", "figures": {"mean_auroc": 0.8, "validity": {"other": {"X": {}}}}}))
    record(card, "spots", honest)
    figures = json.loads(card.read_text())["figures"]
    assert figures["mean_auroc"] == 0.8
    assert figures["validity"]["spots"]["Spot"]["auroc"] == 1
    assert "other" in figures["validity"]


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


def test_a_collection_with_one_label_only_has_no_auroc():
    class OnlySpots(Spots):
        def entries(self):
            return [entry for entry in super().entries() if entry.labels]

    figures = measure_validity(looker(), OnlySpots())["Spot"]
    assert figures["auroc"] is None
    assert not math.isnan(figures["blur"]["p"])


def test_outlines_and_labels_under_another_name_answer_the_models_finding(honest):
    assert measure_validity(looker(finding="Effusion"), Effusions()) == {"Effusion": honest["Spot"]}
