"""One question has one number: in a run, on the page, in the report, on the scorecard and on the command line."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from dashboard.compare import panels
from dashboard.compare.request import CompareRequest
from dashboard.jobs import Status
from dashboard.shared.film_context import FilmContext
from evaluation.baselines.model_independent import baseline_titles
from evaluation.one_film.compare import compare
from evaluation.one_film.evaluate import MethodResult, ScoringContext, evaluate_film
from evaluation.one_film.scorecard import scorecard
from evaluation.one_film.table import score_table
from evaluation.runs import worker
from evaluation.runs.plan import Plan, Variant
from evaluation.runs.selection import RunModel, work_items
from evaluation.scores import localisation_metrics, metrics, score_map
from tests.evaluation.looking import Effusions
from tests.evaluation.unchanged_scores import _classifier, parameters_of
from xai_methods import methods

MODEL, OTHER, FINDING = "small", "small-other", "Effusion"
FILM = "00"
ALL = {name: parameters_of(name) for name in methods()}
pytestmark = pytest.mark.slow
Numbers = dict[tuple[str, str], tuple[float, float]]
"""Value and chance by method (or baseline) and metric."""


def numbers(results: dict[str, MethodResult]) -> Numbers:
    return {
        (name, metric): (score.value, score.chance)
        for name, result in results.items()
        for metric, score in result.scores.items()
    }


def same(first: float, second: float) -> bool:
    # OpenCV's distance transform rounds its last bit by where an array lies in memory.
    return math.isclose(first, second, rel_tol=1e-8) or (math.isnan(first) and math.isnan(second))


def assert_same(found: Numbers, expected: Numbers) -> None:
    assert set(found) == set(expected)
    pairs = {key: (numbers, expected[key]) for key, numbers in found.items()}
    assert {key: pair for key, pair in pairs.items() if not all(map(same, *pair))} == {}


@pytest.fixture(scope="module")
def context() -> ScoringContext:
    films = Effusions()
    return ScoringContext(
        _classifier(MODEL), films.read(FILM), films.annotations(FILM), films, films.entry(FILM), (_classifier(OTHER),)
    )


@pytest.fixture(scope="module")
def library(context: ScoringContext) -> dict[str, MethodResult]:
    """Every method scored by every metric."""
    return {done.method: done for done in evaluate_film(context, [FINDING], ALL, metrics=tuple(metrics()))}


@pytest.fixture(scope="module")
def run(context: ScoringContext) -> worker.Outcome:
    """The same film in a run that asks for everything."""
    plan = Plan(
        (Effusions.name,), (MODEL, OTHER), findings=(FINDING,), metrics=tuple(metrics()),
        methods=tuple(Variant(name, parameters.as_dict()) for name, parameters in ALL.items()),
    )  # fmt: skip
    model = RunModel(MODEL, context.classifier.digest, context.classifier.findings)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("evaluation.runs.selection.collections", lambda: {Effusions.name: Effusions()})
        patched.setattr(worker, "get_collection", lambda name: Effusions())
        patched.setattr(worker, "_classifier", _classifier)
        item = next(item for item in work_items(plan, [model]) if item.film_id == FILM)
        return worker.run_work_item(item)


def test_a_run_has_the_numbers_of_the_library(library: dict[str, MethodResult], run: worker.Outcome) -> None:
    found = {
        (row["method"], row["metric"]): tuple(
            math.nan if row[name] is None else row[name] for name in ("value", "chance")
        )
        for row in run.scores.to_pylist()
        if row["kind"] == "method"
    }
    assert_same(found, numbers(library))
    explained = [name for name, done in library.items() if done.explanation is not None]
    # Two read the attention of a transformer; of the others at most four need weights that are not here.
    assert len(explained) >= len(methods()) - 6
    assert {metric for _, metric in found} == set(metrics())
    defined = {metric for (_, metric), (value, _) in found.items() if not math.isnan(value)}
    assert len(defined) > 0.8 * len(metrics())


def test_what_fails_fails_alike_with_the_same_words(library: dict[str, MethodResult], run: worker.Outcome) -> None:
    failed = {(done.method, "", done.error) for done in library.values() if done.error is not None}
    failed |= {(done.method, name, why) for done in library.values() for name, why in done.failures.items()}
    assert {(row["method"], row["metric"], row["reason"]) for row in run.failures} == {
        (method, metric, " ".join(why.split())[:300]) for method, metric, why in failed
    }


def test_baselines_are_the_same_in_a_run_and_in_the_table(context: ScoringContext, run: worker.Outcome) -> None:
    found = {
        (row["method"], row["metric"]): row["value"]
        for row in run.scores.to_pylist()
        if row["kind"] == "baseline" and row["value"] is not None
    }
    table = score_table(compare(context, [FINDING], {}).findings[FINDING]).set_index("name")
    there = [name for name in baseline_titles() if name in table.index]
    assert len(there) >= 4
    for name in there:
        for metric in localisation_metrics():
            if not math.isnan(table.loc[name, metric]):
                assert same(found.pop((name, metric)), table.loc[name, metric]), (name, metric)
    assert found == {}


def test_the_page_and_the_report_have_the_numbers_of_the_library(
    context: ScoringContext, library: dict[str, MethodResult]
) -> None:
    film = FilmContext(
        f"{Effusions.name}/{FILM}", context.radiograph, tuple(context.annotations), context.entry, context.collection
    )
    request = CompareRequest(film, context.classifier, (FINDING,), ALL, 0)
    done = {name: result for name, result in library.items() if result.explanation is not None}
    states = {name: Status("done", result=result.explanation) for name, result in done.items()}
    shown = panels.results_so_far(request, states, FINDING)
    local = {
        name: replace(result, scores={m: s for m, s in result.scores.items() if m in localisation_metrics()})
        for name, result in done.items()
    }
    assert_same(numbers(shown.methods), numbers(local))
    table = score_table(shown).set_index("name")
    # A baseline that was chosen as a method stands among the baselines, drawn in the film's own pixels.
    for (name, metric), (value, _) in numbers({n: local[n] for n in set(local) - set(shown.baselines)}).items():
        assert same(table.loc[name, metric], value), (name, metric)


def test_the_scorecard_has_the_numbers_of_the_library(
    context: ScoringContext, library: dict[str, MethodResult]
) -> None:
    chosen = ["grad-cam", "lrp", "jacobian"]
    result = replace(compare(context, [FINDING], {}).findings[FINDING], methods={n: library[n] for n in chosen})
    card = scorecard(context, result)
    assert {cell.method for cell in card.cells} == set(chosen)
    for cell in card.cells:
        assert same(cell.score.value, library[cell.method].scores[cell.name].value), cell.name


def test_a_saved_map_scored_by_itself_has_the_numbers_of_the_library(
    context: ScoringContext, library: dict[str, MethodResult]
) -> None:
    region = context.region(FINDING)
    assert region is not None
    done = library["grad-cam"]
    alone = score_map(np.asarray(done.on_film), region.mask)
    for name, score in alone.items():
        assert same(score.value, done.scores[name].value), name
