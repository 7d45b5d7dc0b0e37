"""What one film costs, part by part: each map and each score once, and no longer than a few seconds each."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from evaluation.runs.piece import Film, packed
from evaluation.runs.selection import Piece, Question
from evaluation.runs.store import SCHEMA
from evaluation.scores import Case, Score, get_metric, localisation_metrics, metrics
from evaluation.scores.anatomy import anatomy_of
from xai_methods import Explanation, get_method

SLICE = 6.0
"""Seconds that one map or score is timed for; of what takes longer, the share done by then tells the whole."""
Map = tuple[str, str]
"""A method and the digest of its parameters."""


class _CutOff(Exception):
    """A part was timed for long enough."""


class _Watch:
    """Progress that remembers the share done, and stops the work once its time is over."""

    def __init__(self, limit: float) -> None:
        self.began, self.limit, self.share = time.perf_counter(), limit, 0.0

    def __call__(self, share: float) -> None:
        self.share = share
        if share > 0 and self.seconds > self.limit:
            raise _CutOff

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.began


@dataclass
class Costs:
    """Seconds of the parts of one film under one classifier.

    Attributes:
        film: reading it, its logits and its anatomy. maps: by map. baseline: one, with its scores. localise: of one map
            against the outline. scores: by assessment; repeats: by assessment that makes maps anew, in maps.
        cut: parts that were not timed to their end. failures: of what failed, the reasons.
        rows: an example of what is stored. kept: bytes of a kept map.
    """

    film: float = 0.0
    maps: dict[Map, float] = field(default_factory=dict)
    baseline: float = 0.0
    localise: float = 0.0
    scores: dict[str, float] = field(default_factory=dict)
    repeats: dict[str, float] = field(default_factory=dict)
    cut: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    rows: pa.Table = field(default_factory=SCHEMA.empty_table)
    kept: int = 0

    def of(self, question: Question) -> float:
        """What one question costs."""
        if question.kind == "baseline":
            return self.baseline
        one = self.maps.get((question.method, question.parameters_digest), 0.0)
        asked = [name for name in question.metrics if name not in localisation_metrics()]
        again = sum(self.repeats.get(name, 0.0) for name in asked)
        local = self.localise if len(asked) < len(question.metrics) else 0.0
        return one * (1 + again) + local + sum(self.scores.get(name, 0.0) for name in asked)


def time_film(piece: Piece, between: Callable[[], None] = lambda: None, slice_: float = SLICE) -> Costs:
    """Time the parts of a film's first finding; the scores on the map that is made soonest.

    Args:
        between: called between the parts; what it raises stops. slice_: seconds, see ``SLICE``.
    """
    costs, began = Costs(), time.perf_counter()
    try:
        film = Film(piece)
    except Exception as error:
        costs.failures.append(" ".join(str(error).split()))
        return costs
    costs.film = time.perf_counter() - began
    finding, seed = piece.questions[0].finding, piece.questions[0].seed
    first = [one for one in piece.questions if one.finding == finding]
    made: list[tuple[float, Question, Explanation]] = []
    for question in (one for one in first if one.kind == "method" and one.seed == seed):
        between()
        explanation = _time_map(costs, film, question, slice_)
        if explanation is not None:
            made.append((explanation.seconds, question, explanation))
    if made:
        _time_scores(costs, film, *min(made, key=lambda one: one[0]), between, slice_)
    _time_baselines(costs, film, [one for one in first if one.kind == "baseline"])
    return costs


def _time_map(costs: Costs, film: Film, question: Question, limit: float) -> Explanation | None:
    method = get_method(question.method)
    parameters = method.parameters.parse(json.loads(question.parameters))
    watch, key = _Watch(limit), (question.method, question.parameters_digest)
    try:
        found = method.explain(
            film.classifier, film.radiograph, question.finding, parameters=parameters, seed=question.seed,
            progress=watch,
        )  # fmt: skip
    except _CutOff:
        costs.maps[key] = watch.seconds / watch.share
        costs.cut.append(question.method)
        return None
    except Exception as error:
        costs.failures.append(f"{question.method}: {' '.join(str(error).split())}")
        return None
    costs.maps[key] = watch.seconds
    return found


def _time_scores(
    costs: Costs,
    film: Film,
    map_seconds: float,
    question: Question,
    explanation: Explanation,
    between: Callable[[], None],
    limit: float,
) -> None:
    began = time.perf_counter()
    on_film = film.classifier.to_film(explanation, film.radiograph)
    scores = film.localise(on_film, question)
    costs.localise = time.perf_counter() - began
    costs.kept = len(packed(explanation.values))
    case = film.case(explanation, on_film, question)
    asked = [name for name in question.metrics if name not in localisation_metrics()]
    if any("anatomy" in metrics()[name].needs for name in asked):
        began = time.perf_counter()
        anatomy_of(case)
        costs.film += time.perf_counter() - began
    for name in asked:
        between()
        score, seconds = _time_score(costs, case, name, limit)
        scores += [] if score is None else [score]
        if "repeats" in metrics()[name].needs:
            costs.repeats[name] = seconds / max(map_seconds, 1e-6)
        else:
            costs.scores[name] = seconds
    rows = [film.row(question, score, map_seconds, explanation.evaluations) for score in scores]
    costs.rows = pa.Table.from_pylist(rows, schema=SCHEMA)


def _time_score(costs: Costs, case: Case, name: str, limit: float) -> tuple[Score | None, float]:
    case.report = watch = _Watch(limit)
    try:
        return get_metric(name)(case), watch.seconds
    except _CutOff:
        costs.cut.append(name)
        return None, watch.seconds / watch.share
    except Exception as error:
        costs.failures.append(f"{name}: {' '.join(str(error).split())}")
        return None, watch.seconds


def _time_baselines(costs: Costs, film: Film, questions: list[Question]) -> None:
    began, rows = time.perf_counter(), list[dict[str, Any]]()
    for question in questions:
        try:
            rows += film.rows(question)
        except Exception as error:
            costs.failures.append(f"{question.method}: {' '.join(str(error).split())}")
    costs.baseline = (time.perf_counter() - began) / max(len(questions), 1)
    costs.rows = pa.concat_tables([costs.rows, pa.Table.from_pylist(rows, schema=SCHEMA)]).unify_dictionaries()
