"""One film under one classifier: explain, carry the map to the film, score it.

The Compare page, the reports, the command line and benchmark runs all take their scores from here, so that one
question has one number.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from classifiers import ChestClassifier
from evaluation.baselines.model_independent import READER, baseline_maps, baseline_titles, other_reader
from evaluation.scores import Case, Polarity, Region, Score, chance_scores, get_metric, localisation_metrics, score_map
from radiographs import Annotation, Radiograph
from radiographs.annotation import union_mask
from radiographs.collection import Collection, FilmEntry
from radiographs.findings import is_named
from xai_methods import Cancelled, Explanation, Parameters, get_method, methods
from xai_methods.method import Progress

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class ScoringContext:
    """One film under one classifier, with what all its maps are scored with.

    Attributes:
        classifier, radiograph: the model and the film.
        annotations: what readers outlined on it, under any name for a finding.
        collection, entry: where the film is from; leaves its patient out of the average mask.
        others: further classifiers, for agreement between models.
        polarity: which part of a signed map is set against an outline.
        reference_hidden: whether what experts outlined was left out because a person does not want to see it yet.
        shared: what metrics of this film store for each other, such as its anatomy.

    Raises:
        ValueError: an outline has another shape than the film.
    """

    classifier: ChestClassifier
    radiograph: Radiograph
    annotations: Sequence[Annotation] = ()
    collection: Collection | None = None
    entry: FilmEntry | None = None
    others: tuple[ChestClassifier, ...] = ()
    polarity: Polarity = "positive"
    reference_hidden: bool = False
    shared: dict[str, object] = field(default_factory=dict, repr=False)
    _regions: dict[str, Region | None] = field(default_factory=dict, init=False, repr=False)
    _baselines: dict[str, dict[str, np.ndarray]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for one in self.annotations:
            if one.mask.shape != self.radiograph.shape:
                raise ValueError(
                    f"the outline of {one.finding} has shape {one.mask.shape}, the film {self.radiograph.shape}"
                )

    @cached_property
    def logits(self) -> np.ndarray:
        """(C,) float32: what the classifier says of the film."""
        return self.classifier.logits(self.radiograph)

    @cached_property
    def further_readings(self) -> list[Annotation]:
        """What readers of other collections outlined on the film; no part of the outline that maps are scored by."""
        if self.collection is None or self.entry is None or self.reference_hidden:
            return []
        return self.collection.further_readings(self.entry.film_id)

    def region(self, finding: str) -> Region | None:
        """What readers outlined for ``finding``, under any name for it, joined; None where nobody outlined a pixel."""
        if finding not in self._regions:
            mask = union_mask(list(self.annotations), finding)
            region = None if mask is None else Region(mask, self.radiograph.pixel_spacing_mm)
            self._regions[finding] = region if region is not None and region.area else None
        return self._regions[finding]

    def readers(self, finding: str) -> tuple[str, ...]:
        """Who drew the outline that maps of ``finding`` are scored by, sorted."""
        return tuple(sorted({a.reader for a in self.annotations if is_named(finding, [a.finding])}))

    def default_metrics(self, finding: str) -> tuple[str, ...]:
        """The metrics of those who name none: all that set a map against an outline, where there is one."""
        return tuple(localisation_metrics()) if self.region(finding) is not None else ()

    def case(self, explanation: Explanation, on_film: np.ndarray | None = None) -> Case:
        """The case of one explanation; its map is carried to the film unless it is given there, (H, W)."""
        return Case(
            classifier=self.classifier, radiograph=self.radiograph, explanation=explanation,
            on_film=self.classifier.to_film(explanation, self.radiograph) if on_film is None else on_film,
            region=self.region(explanation.finding),
            polarity=self.polarity, seed=explanation.seed, shared=self.shared, others=self.others,
        )  # fmt: skip

    def baseline_scores(self, finding: str, name: str, metrics: Sequence[str] | None = None) -> dict[str, Score]:
        """Scores of the baseline ``name`` against the outline of ``finding``, as methods are scored.

        Args:
            metrics: their names, those of :func:`evaluation.scores.localisation_metrics`; all by default.

        Returns:
            Metric name to score; empty where nobody outlined the finding, or the film has no such map.
        """
        region = self.region(finding)
        if region is None:
            return {}
        if name == READER:
            found = other_reader([*self.annotations, *self.further_readings], finding)
            return {metric: score for metric, score in found.items() if metrics is None or metric in metrics}
        if finding not in self._baselines:
            self._baselines[finding] = baseline_maps(self.radiograph, finding, self.collection, self.entry)
        values = self._baselines[finding].get(name)
        return {} if values is None else score_map(values, region, polarity=self.polarity, names=metrics)

    def all_baseline_scores(self, finding: str) -> dict[str, dict[str, Score]]:
        """The scores of all baselines that the film has for ``finding``: baseline name to metric name to score."""
        found = {name: self.baseline_scores(finding, name) for name in baseline_titles()}
        return {name: scores for name, scores in found.items() if scores}

    def chance(self, finding: str) -> dict[str, Score]:
        """The chance level of every localisation metric; empty where nobody outlined the finding."""
        region = self.region(finding)
        return {} if region is None else chance_scores(region)


@dataclass(frozen=True, eq=False)
class MethodResult:
    """What one method said of one finding.

    Attributes:
        finding, method, title: which finding, the method's registered name, and its name for people.
        explanation: the map on the classifier's input grid, or None where the method failed.
        on_film: (H, W) float32, the map in the film's own pixels, raw units; None where the method failed.
        scores: by metric, NaN where undefined. failures: by metric, why it has no score, in a sentence.
        error: None, or why the method failed, in a sentence.
    """

    finding: str
    method: str
    title: str
    explanation: Explanation | None = None
    on_film: np.ndarray | None = None
    scores: dict[str, Score] = field(default_factory=dict)
    error: str | None = None
    failures: dict[str, str] = field(default_factory=dict)


def evaluate_film(
    context: ScoringContext,
    findings: Sequence[str],
    methods: Mapping[str, Parameters | None],
    *,
    metrics: Sequence[str] | None = None,
    seed: int = 0,
    progress: Callable[[str, str, float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[MethodResult]:
    """Explain each finding with each method and yield each scored map as it is done; fast methods come first.

    A method or metric that fails gives a result that says why; the others go on.

    Args:
        context: the film, the classifier, and what maps are scored with. findings: names the classifier knows.
        methods: registered method name to its parameters (None: its defaults).
        metrics: their names; by default :meth:`ScoringContext.default_metrics`.
        seed: of every method, and of what metrics draw.
        progress: told the finding, the method and the share of its work that is done; it may raise ``Cancelled``.
        cancelled: looked at often; True stops the work.

    Raises:
        UnknownFindingError: the classifier does not know a finding. LookupError: there is no such method or metric.
        Cancelled: ``cancelled`` said so.
    """
    for finding in findings:
        context.classifier.column(finding)
    for method in sorted(map(get_method, methods), key=lambda method: method.speed != "fast"):
        for finding in findings:

            def told(share: float, finding: str = finding, name: str = method.name) -> None:
                if progress is not None:
                    progress(finding, name, share)

            yield evaluate_method(
                context, finding, method.name, methods[method.name],
                metrics=metrics, seed=seed, progress=told, cancelled=cancelled,
            )  # fmt: skip


def evaluate_method(
    context: ScoringContext,
    finding: str,
    name: str,
    parameters: Parameters | None = None,
    *,
    metrics: Sequence[str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> MethodResult:
    """Explain one finding with one method and score the map; for the arguments see :func:`evaluate_film`.

    Raises:
        LookupError: there is no such method or metric. Cancelled: ``cancelled`` said so.
    """
    method = get_method(name)
    names = context.default_metrics(finding) if metrics is None else tuple(metrics)
    steps = 1 + sum(get_metric(name).slow for name in names)
    try:
        explanation = method.explain(
            context.classifier, context.radiograph, finding,
            parameters=parameters, seed=seed, progress=part_of(progress, 0, 1, steps), cancelled=cancelled,
        )  # fmt: skip
    except Cancelled:
        raise
    except Exception as error:
        return MethodResult(finding, name, method.title, error=f"{method.title} failed: {_reason(name, error)}")
    return evaluate_explanation(context, explanation, names, part_of(progress, 1, steps - 1, steps), cancelled)


def evaluate_explanation(
    context: ScoringContext,
    explanation: Explanation,
    metrics: Sequence[str] | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    on_film: np.ndarray | None = None,
) -> MethodResult:
    """Carry an explanation, however it was come by, into the film's own pixels and score it there.

    Args:
        context: of the film that was explained. metrics, progress, cancelled: see :func:`evaluate_film`.
        on_film: (H, W) the map in the film's own pixels, where it was made there.

    Raises:
        LookupError: there is no such metric. Cancelled: ``cancelled`` said so.
    """
    names = context.default_metrics(explanation.finding) if metrics is None else metrics
    chosen = {name: get_metric(name) for name in names}
    slow = [name for name, metric in chosen.items() if metric.slow]
    case = context.case(explanation, on_film)
    scores, failures = {}, {}
    for name, metric in chosen.items():
        share = part_of(progress, slow.index(name), 1, len(slow)) if metric.slow else _silent

        def report(done: float, share: Progress = share) -> None:
            if cancelled is not None and cancelled():
                raise Cancelled
            share(done)

        case.report = report
        try:
            report(0.0)
            scores[name] = metric(case)
            report(1.0)
        except Cancelled:
            raise
        except Exception as error:
            failures[name] = _reason(name, error)
    known = methods().get(explanation.method)
    title = explanation.method if known is None else known.title
    return MethodResult(
        explanation.finding, explanation.method, title, explanation, case.on_film, scores, failures=failures
    )


def _silent(share: float) -> None:
    """Progress that nobody is told."""


def part_of(progress: Progress | None, start: int, length: int, whole: int) -> Progress:
    """Progress of ``length`` of ``whole`` equal parts of the work, the first of which is number ``start``.

    Metrics may tell a smaller share after a larger one; people are told the largest so far.
    """
    if progress is None:
        return _silent
    reached = 0.0

    def told(share: float) -> None:
        nonlocal reached
        reached = max(reached, min(share, 1.0))
        progress((start + length * reached) / whole)

    return told


def _reason(name: str, error: Exception) -> str:
    """Why a method or metric failed, in a sentence; the log names no film."""
    _log.warning("%s failed: %s", name, type(error).__name__, exc_info=_log.isEnabledFor(logging.DEBUG))
    return " ".join(str(error).split()) or type(error).__name__
