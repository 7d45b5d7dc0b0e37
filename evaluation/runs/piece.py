"""One film under one classifier: the maps, their scores, and why there are none where something failed.

This runs in worker processes; it writes nothing.
"""

from __future__ import annotations

import io
import json
import logging
import platform
import time
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import Any, cast

import numpy as np
import pyarrow as pa
import torch

from classifiers import ChestClassifier
from classifiers.registry import load_classifier
from evaluation.baselines.model_independent import READER, baseline_maps, other_reader
from evaluation.runs.selection import Piece, Question
from evaluation.runs.store import SCHEMA
from evaluation.scores import Case, Polarity, Region, Score, get_metric, localisation_metrics, metrics, score_map
from radiographs import Radiograph
from radiographs.annotation import union_mask
from radiographs.registry import get_collection
from xai_methods import Explanation, get_method

_log = logging.getLogger(__name__)
PACKAGES = ("xai-lightbox", "torch", "numpy", "scipy", "scikit-image", "opencv-python-headless")
_LONGEST = 300


@dataclass(eq=False)
class Outcome:
    """What one piece gave: score rows (``SCHEMA``), failures (``FAILURES``), maps by question as .npz, the seconds."""

    scores: pa.Table
    failures: list[dict[str, str]]
    maps: dict[str, bytes] = field(default_factory=dict)
    seconds: float = 0.0


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


def run_piece(piece: Piece, threads: int = 0) -> Outcome:
    """Answer all questions of a piece; what fails is recorded and the rest goes on.

    Args:
        threads: that torch uses; 0 leaves them as they are.
    """
    if threads and torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
    started = time.perf_counter()
    try:
        film = Film(piece)
    except Exception as error:
        _log.warning("a film of %s failed: %s", piece.collection, type(error).__name__)
        return Outcome(SCHEMA.empty_table(), failures_of(piece, error))
    rows: list[dict[str, Any]] = []
    for question in piece.questions:
        try:
            rows += film.rows(question)
        except Exception as error:
            _log.warning("%s of %s failed: %s", question.method, question.finding, type(error).__name__)
            film.failures.append(_failure(piece, question, error))
    return Outcome(pa.Table.from_pylist(rows, schema=SCHEMA), film.failures, film.maps, time.perf_counter() - started)


def _failure(piece: Piece, question: Question, error: BaseException | str, metric: str = "") -> dict[str, str]:
    text = " ".join(str(error).split())[:_LONGEST] or type(error).__name__
    return {
        "question": question.key, "collection": piece.collection, "film_id": piece.film_id,
        "finding": question.finding, "classifier": piece.classifier, "method": question.method, "metric": metric,
        "reason": text,
    }  # fmt: skip


def failures_of(piece: Piece, error: BaseException | str) -> list[dict[str, str]]:
    """The failures of a piece that gave nothing at all."""
    return [_failure(piece, question, error) for question in piece.questions]


class Film:
    """One film under one classifier with what its questions share; raises whatever keeps it from being read."""

    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        self.classifier = _classifier(piece.classifier)
        if self.classifier.digest != piece.classifier_digest:
            raise RuntimeError(
                f"the worker has other weights of {piece.classifier} than the run; give it the same ones"
            )
        self.collection = get_collection(piece.collection)
        self.entry = self.collection.entry(piece.film_id)
        self.radiograph: Radiograph = self.collection.read(piece.film_id)
        self.annotations = self.collection.annotations(piece.film_id)
        self.logits = self.classifier.logits(self.radiograph)
        self.regions: dict[str, Region | None] = {}
        self.baselines: dict[str, dict[str, np.ndarray]] = {}
        self.shared: dict[str, object] = {}
        self.maps: dict[str, bytes] = {}
        self.failures: list[dict[str, str]] = []

    @cached_property
    def others(self) -> tuple[ChestClassifier, ...]:
        """The plan's other classifiers."""
        return tuple(_classifier(name) for name in self.piece.others)

    def region(self, finding: str) -> Region | None:
        """What experts outlined, or None."""
        if finding not in self.regions:
            mask = union_mask(self.annotations, finding)
            there = mask is not None and mask.any()
            self.regions[finding] = (
                Region(mask, self.radiograph.pixel_spacing_mm) if mask is not None and there else None
            )
        return self.regions[finding]

    def rows(self, question: Question) -> list[dict[str, Any]]:
        """Make the map of one question and score it."""
        return self._baseline(question) if question.kind == "baseline" else self._method(question)

    def _baseline(self, question: Question) -> list[dict[str, Any]]:
        finding = question.finding
        if question.method == READER:
            further = self.collection.further_readings(self.piece.film_id)
            known = other_reader([*self.annotations, *further], finding)
        else:
            if finding not in self.baselines:
                self.baselines[finding] = baseline_maps(self.radiograph, finding, self.collection, self.entry)
            values = self.baselines[finding].get(question.method)
            known = {} if values is None else {score.metric: score for score in self.localise(values, question)}
        scores = [known.get(name) or _undefined(name) for name in question.metrics]
        return [self.row(question, score, None, None) for score in scores]

    def _method(self, question: Question) -> list[dict[str, Any]]:
        method = get_method(question.method)
        parameters = method.parameters.parse(json.loads(question.parameters))
        explanation = method.explain(
            self.classifier, self.radiograph, question.finding, parameters=parameters, seed=question.seed
        )
        on_film = self.classifier.to_film(explanation, self.radiograph)
        scores = self.localise(on_film, question)
        scores += self._assess(self.case(explanation, on_film, question), question)
        if self.piece.maps:
            self.maps[question.key] = packed(explanation.values)
        return [self.row(question, score, explanation.seconds, explanation.evaluations) for score in scores]

    def case(self, explanation: Explanation, on_film: np.ndarray, question: Question) -> Case:
        """A map with what its assessments may ask."""
        return Case(
            classifier=self.classifier, radiograph=self.radiograph, explanation=explanation, on_film=on_film,
            region=self.region(question.finding), seed=question.seed, shared=self.shared, others=self.others,
        )  # fmt: skip

    def _assess(self, case: Case, question: Question) -> list[Score]:
        """The scores that ask the model; one that fails is recorded and does not cost the others."""
        scores = []
        for name in question.metrics:
            if name in localisation_metrics():
                continue
            try:
                scores.append(get_metric(name)(case))
            except Exception as error:
                _log.warning("%s of %s failed: %s", name, question.method, type(error).__name__)
                self.failures.append(_failure(self.piece, question, error, name))
        return scores

    def localise(self, values: np.ndarray, question: Question) -> list[Score]:
        """Set a map in the film's own pixels against the outline, by those of a question's scores that do so."""
        names = [name for name in question.metrics if name in localisation_metrics()]
        if not names:
            return []
        region = self.region(question.finding)
        if region is None:
            return [_undefined(name) for name in names]
        polarity = cast(Polarity, self.piece.reading)
        return list(score_map(values, region, polarity=polarity, names=names).values())

    def row(self, question: Question, score: Score, seconds: float | None, evaluations: int | None) -> dict[str, Any]:
        """One score as a row of ``SCHEMA``."""
        region = self.region(question.finding)
        return {
            "question": question.key, "collection": self.piece.collection, "film_id": self.piece.film_id,
            "film": self.radiograph.digest, "patient": self.piece.patient, "finding": question.finding,
            "classifier": self.piece.classifier, "classifier_digest": self.classifier.digest, "kind": question.kind,
            "method": question.method, "parameters": question.parameters,
            "parameters_digest": question.parameters_digest, "seed": question.seed, "reading": self.piece.reading,
            "metric": score.metric, "value": _known(score.value), "chance": _known(score.chance),
            "direction": score.direction, "seconds": seconds, "evaluations": evaluations,
            "logit": float(self.logits[self.classifier.column(question.finding)]),
            "area": None if region is None else region.share, "versions": versions(),
        }  # fmt: skip


def _undefined(metric: str) -> Score:
    """The score of a map that does not exist on this film, such as another reader's where there is none."""
    return Score(metric, float("nan"), direction=metrics()[metric].direction)


def _known(number: float) -> float | None:
    return None if np.isnan(number) else float(number)


def packed(values: np.ndarray) -> bytes:
    """(S, S) map as .npz of float16, scaled so that nothing overflows; ``scale`` brings the raw units back."""
    scale = float(np.abs(values).max()) or 1.0
    file = io.BytesIO()
    np.savez_compressed(file, values=(values / scale).astype(np.float16), scale=np.float32(scale))
    return file.getvalue()
