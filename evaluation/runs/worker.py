"""What a worker process does with one work item: maps, their scores, and why there are none where something failed.

It writes nothing.
"""

from __future__ import annotations

import io
import json
import logging
import platform
import time
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from classifiers import ChestClassifier
from classifiers.film_check import checked
from classifiers.registry import load_classifier
from classifiers.training_films import is_training_film, trained_on
from evaluation.baselines.model_independent import baseline_titles
from evaluation.one_film.evaluate import MethodResult, ScoringContext, evaluate_explanation, evaluate_method
from evaluation.one_film.external_maps import ExternalMaps, film_names, open_maps, place_map
from evaluation.runs.doubts import doubt_rows
from evaluation.runs.provenance import LEFT_OUT, RESAVED
from evaluation.runs.selection import MapRequest, WorkItem
from evaluation.runs.store import SCHEMA
from evaluation.scores import Score, get_metric
from evaluation.validity.outline_fit import with_outline_doubts
from radiographs.memory import give_back_memory_amid_work
from radiographs.registry import get_collection
from xai_methods import Explanation, get_method
from xai_methods.method import Progress

_log = logging.getLogger(__name__)
PACKAGES = ("xai-lightbox", "torch", "numpy", "scipy", "scikit-image", "opencv-python-headless")
_LONGEST = 300


@dataclass(eq=False)
class Outcome:
    """What a work item gave.

    Attributes:
        scores: rows of ``SCHEMA``. failures: rows of ``FAILURES``. maps: by request, as .npz. seconds: it took.
        films: rows of ``FILMS``.
    """

    scores: pa.Table
    failures: list[dict[str, str]]
    maps: dict[str, bytes] = field(default_factory=dict)
    seconds: float = 0.0
    films: list[dict[str, str]] = field(default_factory=list)


@cache
def versions() -> str:
    """Versions of Python and of the packages on which a score may hang, in one line."""
    found = [f"python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


@cache
def _classifier(name: str) -> ChestClassifier:
    """The classifier, loaded once in a process."""
    return load_classifier(name)


def warm(classifier: str) -> None:
    """Load a classifier now, so that the first film is no slower than the others."""
    _classifier(classifier)


def run_work_item(item: WorkItem, threads: int = 0) -> Outcome:
    """Make and score all maps of a work item; what fails is recorded and the rest goes on.

    Args:
        threads: that torch uses; 0 leaves them as they are.
    """
    if threads and torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
    started = time.perf_counter()
    try:
        context = open_context(item)
    except Exception as error:
        _log.warning("a film of %s failed: %s", item.collection, type(error).__name__)
        return Outcome(SCHEMA.empty_table(), failures_of(item, error))
    resaved = _is_resaved(context)
    if resaved and item.held_out:
        return Outcome(SCHEMA.empty_table(), failures_of(item, LEFT_OUT))
    rows, failures, maps = list[dict[str, Any]](), list[dict[str, str]](), dict[str, bytes]()
    for request in item.requests:
        give_back_memory_amid_work()
        try:
            result = evaluate_request(context, request)
            rows += [row_of(item, context, request, result, score) for score in result.scores.values()]
        except Exception as error:
            _log.warning("%s of %s failed: %s", request.method, request.finding, type(error).__name__)
            failures.append(_failure(item, request, error))
            continue
        if result.error is not None:
            failures.append(_failure(item, request, result.error))
        failures += [_failure(item, request, reason, metric) for metric, reason in result.failures.items()]
        if item.maps and result.explanation is not None and not request.maps:
            maps[request.key] = half_precision(result.explanation)
    films = doubt_rows(item.collection, item.film_id, context.radiograph, [RESAVED] if resaved else [])
    return Outcome(pa.Table.from_pylist(rows, schema=SCHEMA), failures, maps, time.perf_counter() - started, films)


def open_context(item: WorkItem) -> ScoringContext:
    """The film and the classifiers of a work item; raises whatever keeps them from being read."""
    classifier = _classifier(item.classifier)
    if classifier.digest != item.classifier_digest:
        raise RuntimeError(f"the worker has other weights of {item.classifier} than the run; give it the same ones")
    collection = get_collection(item.collection)
    entry = collection.entry(item.film_id)
    annotations = collection.annotations(item.film_id)
    seen = checked(collection.read(item.film_id), classifier.card, entry=entry)
    return ScoringContext(
        classifier,
        with_outline_doubts(seen, annotations),
        annotations,
        collection,
        entry,
        tuple(_classifier(name) for name in item.others),
        item.polarity,
    )


def _is_resaved(context: ScoringContext) -> bool:
    """Whether a film of which no split table says it is one of the classifier's training films."""
    card, collection, entry = context.classifier.card, context.collection, context.entry
    recorded = collection is not None and entry is not None and trained_on(card, collection, entry) != "unknown"
    return not recorded and is_training_film(card, context.radiograph)


def evaluate_request(context: ScoringContext, request: MapRequest, progress: Progress | None = None) -> MethodResult:
    """Make and score one map; a baseline that the film does not have gets undefined scores.

    Raises:
        NoMapError, MapError: other code's map is not there, or cannot be used.
    """
    if request.maps:
        return _evaluate_external(context, request)
    if request.kind == "method":
        parameters = get_method(request.method).parameters.parse(json.loads(request.parameters))
        return evaluate_method(
            context, request.finding, request.method, parameters,
            metrics=request.metrics, seed=request.seed, progress=progress,
        )  # fmt: skip
    found = context.baseline_scores(request.finding, request.method, request.metrics)
    undefined = {name: Score(name, np.nan, direction=get_metric(name).direction) for name in request.metrics}
    return MethodResult(request.finding, request.method, baseline_titles()[request.method], scores=undefined | found)


@lru_cache(maxsize=32)
def _external_maps(path: str, parameters: str, collection: str) -> ExternalMaps:
    """The maps of other code at ``path``; ``parameters`` tells those apart that lay there at other times."""
    return open_maps(Path(path), film_names(get_collection(collection)))


def _evaluate_external(context: ScoringContext, request: MapRequest) -> MethodResult:
    collection, entry, classifier = context.collection, context.entry, context.classifier
    assert collection is not None
    assert entry is not None
    place = _external_maps(request.maps, request.parameters, collection.name).find(entry.film_id, request.finding)
    placed = place_map(place, request.finding, context.radiograph, classifier)
    assert placed.on_grid is not None
    explanation = Explanation(
        values=placed.on_grid, signed=bool(placed.on_grid.min() < 0), method=request.method,
        parameters=json.loads(request.parameters), seed=request.seed, finding=request.finding,
        logit=float(context.logits[classifier.column(request.finding)]), film=context.radiograph.digest,
        classifier=classifier.digest, seconds=np.nan, evaluations=0,
    )  # fmt: skip
    return evaluate_explanation(context, explanation, request.metrics, on_film=placed.on_film)


def _failure(item: WorkItem, request: MapRequest, error: BaseException | str, metric: str = "") -> dict[str, str]:
    text = " ".join(str(error).split())[:_LONGEST] or type(error).__name__
    return {
        "question": request.key, "collection": item.collection, "film_id": item.film_id,
        "finding": request.finding, "classifier": item.classifier, "method": request.method, "metric": metric,
        "reason": text,
    }  # fmt: skip


def failures_of(item: WorkItem, error: BaseException | str) -> list[dict[str, str]]:
    """The failures of a work item that gave nothing at all."""
    return [_failure(item, request, error) for request in item.requests]


def row_of(
    item: WorkItem, context: ScoringContext, request: MapRequest, result: MethodResult, score: Score
) -> dict[str, Any]:
    """One score as a row of ``SCHEMA``."""
    region, made = context.region(request.finding), None if request.maps else result.explanation
    return {
        "question": request.key, "collection": item.collection, "film_id": item.film_id,
        "film": context.radiograph.digest, "patient": item.patient, "finding": request.finding,
        "classifier": item.classifier, "classifier_digest": item.classifier_digest, "kind": request.kind,
        "method": request.method, "parameters": request.parameters,
        "parameters_digest": request.parameters_digest, "seed": request.seed, "reading": item.polarity,
        "metric": score.metric, "value": _known(score.value), "chance": _known(score.chance),
        "direction": score.direction, "seconds": None if made is None else made.seconds,
        "evaluations": None if made is None else made.evaluations,
        "logit": float(context.logits[context.classifier.column(request.finding)]),
        "area": None if region is None else region.share, "versions": versions(),
    }  # fmt: skip


def _known(number: float) -> float | None:
    return None if np.isnan(number) else float(number)


def half_precision(explanation: Explanation) -> bytes:
    """An explanation as the content of a file, its map in 16 bits (see ``Explanation.save``)."""
    file = io.BytesIO()
    explanation.save(file, half=True)
    return file.getvalue()
