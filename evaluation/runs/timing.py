"""What one film costs, part by part: each map and each score once, and no longer than a few seconds each."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pyarrow as pa

from evaluation.one_film.evaluate import MethodResult, ScoringContext, evaluate_explanation
from evaluation.runs.selection import MapRequest, WorkItem
from evaluation.runs.store import SCHEMA
from evaluation.runs.worker import evaluate_request, half_precision, open_context, row_of
from evaluation.scores import get_metric, localisation_metrics
from evaluation.scores.anatomy import anatomy_of
from xai_methods import Cancelled
from xai_methods.method import Progress

SLICE = 6.0
"""Seconds that one map or score is timed for; of what takes longer, the share done by then tells the whole."""


class _CutOff(Cancelled):
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
        film: reading it, its logits and its anatomy. maps: by method and digest of its parameters.
        baseline: one, with its scores. localise: of one map against the outline.
        scores: by metric; repeats: by metric that makes maps anew, in maps.
        cut: parts that were not timed to their end. failures: of what failed, the reasons.
        rows: an example of what is stored. map_bytes: of a saved map.
    """

    film: float = 0.0
    maps: dict[tuple[str, str], float] = field(default_factory=dict)
    baseline: float = 0.0
    localise: float = 0.0
    scores: dict[str, float] = field(default_factory=dict)
    repeats: dict[str, float] = field(default_factory=dict)
    cut: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    rows: pa.Table = field(default_factory=SCHEMA.empty_table)
    map_bytes: int = 0

    def of(self, request: MapRequest) -> float:
        """What one map with its scores costs."""
        if request.kind == "baseline":
            return self.baseline
        one = self.maps.get((request.method, request.parameters_digest), 0.0)
        further = _further(request)
        again = sum(self.repeats.get(name, 0.0) for name in further)
        local = self.localise if len(further) < len(request.metrics) else 0.0
        return one * (1 + again) + local + sum(self.scores.get(name, 0.0) for name in further)


def _further(request: MapRequest) -> list[str]:
    """Those of a request's metrics that need more than a map and an outline."""
    return [name for name in request.metrics if name not in localisation_metrics()]


def time_film(item: WorkItem, between: Callable[[], None] = lambda: None, slice_: float = SLICE) -> Costs:
    """Time the parts of a film's first finding; the scores on the map that is made soonest.

    Args:
        between: called between the parts; what it raises stops. slice_: seconds, see ``SLICE``.
    """
    costs, began = Costs(), time.perf_counter()
    try:
        context = open_context(item)
        context.logits  # noqa: B018 - they are part of what the film costs
    except Exception as error:
        costs.failures.append(" ".join(str(error).split()))
        return costs
    costs.film = time.perf_counter() - began
    finding, seed = item.requests[0].finding, item.requests[0].seed
    first = [request for request in item.requests if request.finding == finding]
    rows, made = list[dict[str, Any]](), list[tuple[float, MapRequest, MethodResult]]()
    for request in (one for one in first if one.kind == "method" and one.seed == seed):
        between()
        work = partial(evaluate_request, context, replace(request, metrics=()))
        result, seconds = _timed(costs, request.method, slice_, work)
        if result is None or result.error is None:
            costs.maps[request.method, request.parameters_digest] = seconds
        if result is not None and result.error is None:
            made.append((seconds, request, result))
    if made:
        seconds, request, result = min(made, key=lambda one: one[0])
        rows += _time_scores(costs, item, context, request, result, seconds, between, slice_)
    began, baselines = time.perf_counter(), [one for one in first if one.kind == "baseline"]
    for request in baselines:
        result, _ = _timed(costs, request.method, slice_, partial(evaluate_request, context, request))
        rows += [row_of(item, context, request, result, score) for score in result.scores.values()] if result else []
    costs.baseline = (time.perf_counter() - began) / max(len(baselines), 1)
    costs.rows = pa.Table.from_pylist(rows, schema=SCHEMA)
    return costs


def _timed(
    costs: Costs, name: str, limit: float, work: Callable[[Progress], MethodResult]
) -> tuple[MethodResult | None, float]:
    """What ``work`` gives, None where it was cut off, and the seconds that all of it takes."""
    watch = _Watch(limit)
    try:
        result = work(watch)
    except _CutOff:
        costs.cut.append(name)
        return None, watch.seconds / watch.share
    except Exception as error:
        result = MethodResult("", name, name, error=" ".join(str(error).split()) or type(error).__name__)
    reasons = [result.error] if result.error is not None else [*result.failures.values()]
    costs.failures += [f"{name}: {reason}" for reason in reasons]
    return result, watch.seconds


def _time_scores(
    costs: Costs,
    item: WorkItem,
    context: ScoringContext,
    request: MapRequest,
    result: MethodResult,
    map_seconds: float,
    between: Callable[[], None],
    limit: float,
) -> list[dict[str, Any]]:
    """Time each score of a map that is made; returns the rows that a run would store."""
    explanation = result.explanation
    assert explanation is not None
    costs.map_bytes = len(half_precision(explanation))
    further = _further(request)
    local = [name for name in request.metrics if name not in further]
    work = partial(evaluate_explanation, context, explanation, local)
    scored, costs.localise = _timed(costs, "outline", limit, work)
    found = [scored]
    if any("anatomy" in get_metric(name).needs for name in further):
        began = time.perf_counter()
        anatomy_of(context.case(explanation))
        costs.film += time.perf_counter() - began
    for name in further:
        between()
        one, seconds = _timed(costs, name, limit, partial(evaluate_explanation, context, explanation, [name]))
        found.append(one)
        if "repeats" in get_metric(name).needs:
            costs.repeats[name] = seconds / max(map_seconds, 1e-6)
        else:
            costs.scores[name] = seconds
    return [row_of(item, context, request, one, score) for one in found if one for score in one.scores.values()]
