"""Explaining, carrying to the film and scoring, with methods whose maps are known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from classifiers import UnknownFindingError
from evaluation.one_film import evaluate as room
from evaluation.one_film.evaluate import ScoringContext, evaluate_explanation, evaluate_film, evaluate_method
from evaluation.scores import Metric, localisation_metrics
from radiographs.annotation import annotations_of
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
def context() -> ScoringContext:
    return ScoringContext(looker(), Spots().read("00"), Spots().annotations("00"))


def test_fast_methods_come_first_and_a_broken_one_stops_nobody(context):
    steps = list(evaluate_film(context, ["Spot"], {"film": None, "broken": None, "spike": None}))
    assert [step.method for step in steps] == ["broken", "spike", "film"]
    assert steps[0].error == "Broken failed: no such layer"
    assert steps[0].scores == {}
    assert steps[1].error is None
    assert steps[2].scores["pointing_game"].value == 1


def test_without_an_outline_there_are_maps_but_no_scores(context):
    for outlines in ((), annotations_of({"Spot": np.zeros((SIDE, SIDE), dtype=bool)})):
        bare = replace(context, annotations=outlines)
        (done,) = evaluate_film(bare, ["Spot"], {"film": None})
        assert done.on_film.shape == context.radiograph.shape
        assert done.scores == bare.all_baseline_scores("Spot") == bare.chance("Spot") == {}
        named = evaluate_explanation(bare, done.explanation, ["pointing_game", "entropy"]).scores
        assert not named["pointing_game"].defined
        assert named["entropy"].defined


def test_parameters_and_polarity_reach_the_score(context):
    corner = np.zeros(context.radiograph.shape, dtype=bool)
    corner[0, -1] = True
    outlined = annotations_of({"Spot": corner})
    found = {}
    for polarity in ("positive", "abs"):
        signed = replace(context, annotations=outlined, polarity=polarity)
        found[polarity] = evaluate_method(signed, "Spot", "spike", Sign(sign=-1.0)).scores["pointing_game"].value
    assert found["abs"] == 1
    assert found["positive"] == pytest.approx(1 / corner.size)


def test_an_outline_answers_a_finding_under_any_name():
    film = Spots().read("00")
    mask = Spots().annotations("00")[0].mask
    outlined = annotations_of({"pleural effusion": mask, "Nodule": np.roll(mask, 5)})
    found = ScoringContext(looker(), film, outlined).region("Effusion")
    np.testing.assert_array_equal(found.mask, mask)
    assert ScoringContext(looker(), film, outlined).region("Mass") is None


def test_a_metric_that_fails_does_not_cost_the_others(context, monkeypatch):
    def broken(case):
        raise ArithmeticError("no such\nnumber")

    metric = replace(localisation_metrics()["pixel_auprc"], compute=broken)
    known = {"pixel_auprc": metric, "pointing_game": localisation_metrics()["pointing_game"]}
    monkeypatch.setattr(room, "get_metric", known.__getitem__)
    done = evaluate_method(context, "Spot", "film", metrics=["pixel_auprc", "pointing_game"])
    assert done.failures == {"pixel_auprc": "no such number"}
    assert list(done.scores) == ["pointing_game"]


def test_progress_rises_over_the_map_and_slow_metrics_to_the_end(context, monkeypatch):
    told: list[tuple[str, str, float]] = []
    list(evaluate_film(context, ["Spot"], {"film": None}, progress=lambda *news: told.append(news)))
    assert told[-1] == ("Spot", "film", 1.0)

    def slow(case):
        for share in (0.5, 0.2, 1.0):
            case.report(share)
        return 1.0

    metric = Metric("slow", "Slow", "", "", slow, "", "", "actionability", slow=True)
    monkeypatch.setattr(room, "get_metric", {"slow": metric, "other": metric}.__getitem__)
    shares: list[float] = []
    evaluate_method(context, "Spot", "film", metrics=["slow", "other"], progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert [share for share in (1 / 6, 1 / 2, 5 / 6) if share not in shares] == []


def test_cancelling_stops_the_map_and_the_metrics(context):
    with pytest.raises(Cancelled):
        list(evaluate_film(context, ["Spot"], {"film": None}, cancelled=lambda: True))
    done = evaluate_method(context, "Spot", "film", metrics=[])
    with pytest.raises(Cancelled):
        evaluate_explanation(context, done.explanation, ["pointing_game"], cancelled=lambda: True)


def test_wrong_questions_are_refused_at_once(context):
    with pytest.raises(UnknownFindingError):
        list(evaluate_film(context, ["Fracture"], {"film": None}))
    with pytest.raises(LookupError):
        evaluate_method(context, "Spot", "film", metrics=["no_such_metric"])
    with pytest.raises(ValueError, match="shape"):
        replace(context, annotations=annotations_of({"Spot": np.ones((3, 3), dtype=bool)}))
