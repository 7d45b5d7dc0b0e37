from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from classifiers import UnknownFindingError
from evaluation.one_film import compare as room
from evaluation.one_film.compare import compare, compare_steps
from evaluation.one_film.table import best_names, comparison_table, score_table
from radiographs.annotation import union_mask
from tests.evaluation.looking import SIDE, Spots, looker
from xai_methods import Attribution, Cancelled, Method, Parameters, Request, parameter


class Film(Method):
    name, title, family, question, reference = "film", "The film", "test", "How bright?", "none"
    signed, unit, speed = False, "arbitrary", "slow"

    def _explain(self, request: Request) -> Attribution:
        request.report(0.5)
        return Attribution(request.film[0, 0].numpy())


@dataclass(frozen=True)
class Sign(Parameters):
    sign: float = parameter(1.0, "Sign of the map.", low=-1.0, high=1.0)


class Spike(Method):
    name, title, family, question, reference = "spike", "Spike", "test", "None.", "none"
    signed, unit, speed, parameters = True, "arbitrary", "fast", Sign

    def _explain(self, request: Request) -> Attribution:
        values = np.zeros((SIDE, SIDE))
        values[0, -1] = request.parameters.sign
        return Attribution(values)


class Broken(Spike):
    name, title = "broken", "Broken"

    def _explain(self, request: Request) -> Attribution:
        raise RuntimeError("no such layer")


@pytest.fixture(autouse=True)
def three_methods(monkeypatch):
    known = {m.name: m for m in (Film(), Spike(), Broken())}
    monkeypatch.setattr(room, "get_method", known.__getitem__)


@pytest.fixture
def case():
    spots = Spots()
    film, mask = spots.read("00"), union_mask(spots.annotations("00"), "Spot")
    return looker(), film, mask, spots, spots.entry("00")


def test_methods_baselines_and_chance_side_by_side(case):
    classifier, film, mask, spots, entry = case
    done = compare(
        classifier, film, ["Spot"], {"film": None, "spike": None}, {"Spot": mask}, collection=spots, entry=entry
    )
    table = score_table(done.findings["Spot"])
    assert table.name.tolist() == ["film", "spike", "uniform", "centre-prior", "average-mask", "edge-map", "chance"]
    assert table.kind.tolist() == ["method"] * 2 + ["baseline"] * 4 + ["chance"]
    by_name = table.set_index("name")
    assert by_name.loc["film", "pointing_game"] == 1
    assert by_name.loc["spike", "pointing_game"] == 0
    assert by_name.loc["chance", "pointing_game"] == pytest.approx(mask.mean())
    assert best_names(table)["pointing_game"] == ["film"]
    result = done.findings["Spot"]
    assert result.logit == pytest.approx(float(classifier.logits(film)[0]))
    assert result.probability == pytest.approx(1 / (1 + math.exp(-result.logit)))
    assert result.verdict.status == "not tested"
    assert comparison_table(done).finding.unique().tolist() == ["Spot"]


def test_fast_methods_come_first_and_a_broken_one_stops_nobody(case):
    classifier, film, mask, *_ = case
    steps = list(
        compare_steps(classifier, film, ["Spot"], {"film": None, "broken": None, "spike": None}, {"Spot": mask})
    )
    assert [step.method for step in steps] == ["broken", "spike", "film"]
    assert steps[0].error == "Broken failed: no such layer"
    assert steps[0].scores == {}
    assert steps[1].error is None


def test_without_an_outline_there_are_maps_but_no_scores(case):
    classifier, film, *_ = case
    done = compare(classifier, film, ["Spot"], {"film": None})
    result = done.findings["Spot"]
    assert result.methods["film"].on_film.shape == film.shape
    assert result.methods["film"].scores == result.baselines == result.chance == {}
    table = score_table(result)
    assert table.name.tolist() == ["film"]
    assert best_names(table)["pointing_game"] == []


def test_parameters_and_reading_reach_the_score(case):
    classifier, film, _, *_ = case
    corner = np.zeros(film.shape, dtype=bool)
    corner[0, -1] = True
    negative = {"spike": Sign(sign=-1.0)}
    by_reading = {
        polarity: compare(classifier, film, ["Spot"], negative, {"Spot": corner}, polarity=polarity)
        for polarity in ("positive", "abs")
    }
    scores = {r: c.findings["Spot"].methods["spike"].scores["pointing_game"].value for r, c in by_reading.items()}
    assert scores["abs"] == 1
    assert scores["positive"] == pytest.approx(1 / film.pixels.size)


def test_progress_and_cancelling(case):
    classifier, film, mask, *_ = case
    told: list[tuple[str, str, float]] = []
    list(compare_steps(classifier, film, ["Spot"], {"film": None}, report=lambda *news: told.append(news)))
    assert told[-1] == ("Spot", "film", 1.0)
    with pytest.raises(Cancelled):
        list(compare_steps(classifier, film, ["Spot"], {"film": None}, {"Spot": mask}, cancelled=lambda: True))


def test_wrong_questions_are_refused_at_once(case):
    classifier, film, *_ = case
    with pytest.raises(UnknownFindingError):
        compare(classifier, film, ["Fracture"], {"film": None})
    with pytest.raises(ValueError, match="shape"):
        compare(classifier, film, ["Spot"], {"film": None}, {"Spot": np.ones((3, 3), dtype=bool)})


def test_superpixel_maps_keep_their_ties_on_the_film(case):
    classifier = case[0]
    labels = np.kron(np.arange(16).reshape(4, 4), np.ones((12, 12), dtype=int))
    values = np.random.default_rng(0).normal(size=16).astype(np.float32)[labels]
    for side in (97, 100, 512):
        large = classifier.preprocessing.to_film(values, (side, side))
        peaks = np.count_nonzero(large == large.max())
        assert peaks >= 0.8 * (side / 4 - side / SIDE) ** 2
