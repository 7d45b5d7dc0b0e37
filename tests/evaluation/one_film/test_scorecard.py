"""The scorecard: where a score stands, what is shown folded, and that it fits the scores it is made of."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from evaluation.one_film.compare import compare
from evaluation.one_film.evaluate import ScoringContext
from evaluation.one_film.scorecard import ELEMENTS, Cell, scorecard
from evaluation.scores import Score, get_metric, registry
from tests.evaluation.looking import Spots, looker


def cell(value: float, chance: float = 0.2, rival: float = 0.5, direction: str = "higher", name: str = "x") -> Cell:
    score = Score(name, value, chance, direction, "localizability")
    return Cell("m", "localizability", name, "X", "what x is", score, "" if math.isnan(rival) else "Edge map", rival)


@pytest.mark.parametrize(
    ("made", "rank", "words"),
    [
        (cell(math.nan), "undefined", "undefined here"),
        (cell(0.2), "chance", "no better than chance"),
        (cell(0.1), "chance", "no better than chance"),
        (cell(0.4), "between", "not clearly better than the edge map"),
        (cell(0.5), "between", "not clearly better than the edge map"),
        (cell(0.6), "best", "better than every baseline"),
        (cell(0.1, direction="lower"), "best", "better than every baseline"),
        (cell(0.9, chance=0.8, direction="lower"), "chance", "no better than chance"),
        (cell(0.6, rival=math.nan), "best", "better than chance"),
        (cell(0.6, chance=math.nan, rival=math.nan), "plain", "no chance level or baseline to hold it against"),
        (cell(0.6, direction="neither"), "plain", "no chance level or baseline to hold it against"),
    ],
)
def test_where_a_score_stands(made, rank, words):
    assert made.rank == rank
    assert made.words == words


def test_the_place_runs_from_chance_to_the_best_baseline():
    assert cell(0.2).place == 0
    assert cell(0.5).place == pytest.approx(1)
    assert cell(0.8).place == pytest.approx(2)
    assert math.isnan(cell(0.8, chance=0.5).place)


def spot() -> ScoringContext:
    return ScoringContext(looker(), Spots().read("00"), Spots().annotations("00"))


@pytest.fixture(scope="module")
def made():
    context = spot()
    result = compare(context, ["Spot"], {"grad-cam": None, "jacobian": None}).findings["Spot"]
    shares: list[float] = []
    return result, scorecard(context, result, progress=shares.append), shares


def test_every_element_of_every_method_has_its_scores(made):
    result, card, _ = made
    shown = {
        "localizability": ["pixel_auprc", "pointing_game", "relevance_mass_accuracy", "area_matched_iou"],
        "visual recognizability": ["gini_sparseness", "entropy", "bright_regions"],
        "physical attribution": ["relevance_in_lungs", "relevance_in_heart", "relevance_outside_body"],
        "model transparency": ["insertion_blur", "deletion_blur", "completeness_residual", "randomised_ssim"],
        "actionability": ["map_blur_drop"],
    }
    for method in result.methods:
        for element in ELEMENTS:
            assert [c.name for c in card.of(method, element)] == shown[element]


@pytest.fixture
def new_metric(monkeypatch):
    new = replace(get_metric("gini_sparseness"), name="new", element="actionability")
    with monkeypatch.context() as patch:
        patch.setitem(registry._metrics, "new", new)
        registry._ordered.cache_clear()
        yield
    registry._ordered.cache_clear()


@pytest.mark.usefixtures("new_metric")
def test_a_new_metric_is_found_by_its_element(made):
    result, _, _ = made
    card = scorecard(spot(), result)
    assert [c.name for c in card.of("jacobian", "actionability")] == ["new", "map_blur_drop"]


def test_localisation_scores_are_those_of_the_table(made):
    result, card, _ = made
    for method, done in result.methods.items():
        for one in card.of(method, "localizability"):
            assert one.score == done.scores[one.name]
            best = max(scores[one.name].value for scores in result.baselines.values())
            assert one.rival_value == pytest.approx(best)


def test_the_folded_score_is_the_first_that_is_defined(made):
    _, card, _ = made
    shown = card.headline("grad-cam", "model transparency")
    assert shown is not None
    assert shown.name == "insertion_blur"
    assert shown.score.defined
    assert card.headline("lime", "localizability") is None


def test_progress_rises_to_the_end_and_an_answer_comes_twice_alike(made):
    result, card, shares = made
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    again = scorecard(spot(), result)
    np.testing.assert_array_equal([c.score.value for c in again.cells], [c.score.value for c in card.cells])


def test_it_stops_when_asked(made):
    result, *_ = made

    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scorecard(spot(), result, progress=stop)
