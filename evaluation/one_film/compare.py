"""Explanations of one film side by side, each scored: what the page, the report and the command line show."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from classifiers import ChestClassifier
from evaluation.baselines.model_independent import score_baselines
from evaluation.scores import Polarity, Region, Score, chance_scores, score_map
from evaluation.validity.gate import Verdict, gate
from radiographs import Radiograph
from radiographs.collection import Collection, FilmEntry
from xai_methods import Cancelled, Explanation, Parameters, get_method

_log = logging.getLogger(__name__)

Report = Callable[[str, str, float], None]
"""Called with the finding, the method and the share of its work that is done."""


@dataclass(frozen=True, eq=False)
class MethodResult:
    """What one method said of one finding.

    Attributes:
        finding, method, title: which finding, the method's registered name, and its name for people.
        explanation: the map on the classifier's input grid, or None where the method failed.
        on_film: (H, W) float32, the map in the film's own pixels, raw units; None where the method failed.
        scores: by metric; empty where nobody outlined the finding, or the method failed.
        error: None, or why the method failed, in a sentence.
    """

    finding: str
    method: str
    title: str
    explanation: Explanation | None = None
    on_film: np.ndarray | None = None
    scores: dict[str, Score] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True, eq=False)
class FindingResult:
    """All that is said of one finding.

    Attributes:
        finding: its name. logit, probability: what the classifier says of the film.
        mask: (H, W) bool, what experts outlined, or None. verdict: whether scores of this pair mean anything.
        methods: by method, in the order asked for. baselines: by baseline, then metric; empty without a mask.
        chance: by metric; empty without a mask.
    """

    finding: str
    logit: float
    probability: float
    mask: np.ndarray | None
    verdict: Verdict
    methods: dict[str, MethodResult]
    baselines: dict[str, dict[str, Score]]
    chance: dict[str, Score]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Explanations of one film side by side: by finding, with what is needed to do it again."""

    radiograph: Radiograph
    classifier: str
    classifier_digest: str
    seed: int
    polarity: Polarity
    findings: dict[str, FindingResult]


def score_explanation(
    classifier: ChestClassifier,
    radiograph: Radiograph,
    explanation: Explanation,
    mask: np.ndarray | Region | None,
    polarity: Polarity = "positive",
) -> MethodResult:
    """Carry one explanation into the film's own pixels and score it there.

    Args:
        mask: (H, W) bool in the film's own pixels, or None where nobody outlined the finding.

    Raises:
        ValueError: the mask has another shape than the film.
    """
    on_film = classifier.to_film(explanation, radiograph)
    scores = {} if mask is None else score_map(on_film, _region(mask, radiograph), polarity=polarity)
    title = get_method(explanation.method).title
    return MethodResult(explanation.finding, explanation.method, title, explanation, on_film, scores)


def _region(mask: np.ndarray | Region, radiograph: Radiograph) -> Region:
    return mask if isinstance(mask, Region) else Region(mask, radiograph.pixel_spacing_mm)


def compare_steps(
    classifier: ChestClassifier,
    radiograph: Radiograph,
    findings: Sequence[str],
    methods: Mapping[str, Parameters | None],
    mask_by_finding: Mapping[str, np.ndarray] | None = None,
    *,
    seed: int = 0,
    polarity: Polarity = "positive",
    report: Report | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[MethodResult]:
    """Explain each finding with each method and yield each result as it is done; fast methods come first.

    A method that fails yields a result with the reason; the others go on. For the arguments see :func:`compare`.

    Raises:
        UnknownFindingError: the classifier does not know a finding. LookupError: there is no such method.
        ValueError: a mask has another shape than the film. Cancelled: ``cancelled`` said so.
    """
    regions = {finding: _region(mask, radiograph) for finding, mask in (mask_by_finding or {}).items()}
    for finding in findings:
        classifier.column(finding)
        _check_shape(finding, regions.get(finding), radiograph)
    chosen = [(get_method(name), parameters) for name, parameters in methods.items()]
    chosen.sort(key=lambda pair: pair[0].speed != "fast")
    for method, parameters in chosen:
        for finding in findings:

            def progress(share: float, finding: str = finding, name: str = method.name) -> None:
                if report is not None:
                    report(finding, name, share)

            try:
                explanation = method.explain(
                    classifier, radiograph, finding,
                    parameters=parameters, seed=seed, progress=progress, cancelled=cancelled,
                )  # fmt: skip
            except Cancelled:
                raise
            except Exception as error:
                _log.exception("%s failed", method.name)
                reason = f"{method.title} failed: {error or type(error).__name__}"
                yield MethodResult(finding, method.name, method.title, error=reason)
                continue
            yield score_explanation(classifier, radiograph, explanation, regions.get(finding), polarity)


def _check_shape(finding: str, region: Region | None, radiograph: Radiograph) -> None:
    if region is not None and region.mask.shape != radiograph.shape:
        raise ValueError(f"the mask of {finding} has shape {region.mask.shape}, the film {radiograph.shape}")


def compare(
    classifier: ChestClassifier,
    radiograph: Radiograph,
    findings: Sequence[str],
    methods: Mapping[str, Parameters | None],
    mask_by_finding: Mapping[str, np.ndarray] | None = None,
    *,
    seed: int = 0,
    polarity: Polarity = "positive",
    collection: Collection | None = None,
    entry: FilmEntry | None = None,
    report: Report | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Comparison:
    """Explain each finding with each method, score every map, and set the baselines beside them.

    Args:
        classifier, radiograph: the model and the film. findings: names the classifier knows.
        methods: registered method name to its parameters (None: its defaults).
        mask_by_finding: (H, W) bool masks in the film's own pixels, for those findings that somebody outlined.
        seed: of every method. polarity: which part of a signed map is scored.
        collection, entry: where the film is from; leaves its patient out of the average mask.
        report: told of each method's progress. cancelled: asked often; True stops the work.

    Raises:
        UnknownFindingError, LookupError, ValueError, Cancelled: as :func:`compare_steps`.
    """
    masks = dict(mask_by_finding or {})
    steps = compare_steps(
        classifier, radiograph, findings, methods, masks,
        seed=seed, polarity=polarity, report=report, cancelled=cancelled,
    )  # fmt: skip
    done = {(result.finding, result.method): result for result in steps}
    logits = classifier.logits(radiograph)
    results = {}
    for finding in findings:
        by_method = {name: done[finding, name] for name in methods}
        logit = float(logits[classifier.column(finding)])
        results[finding] = finding_result(
            classifier, radiograph, finding, logit, by_method, masks.get(finding), collection, entry
        )
    return Comparison(radiograph, classifier.name, classifier.digest, seed, polarity, results)


def finding_result(
    classifier: ChestClassifier,
    radiograph: Radiograph,
    finding: str,
    logit: float,
    methods: dict[str, MethodResult],
    mask: np.ndarray | None,
    collection: Collection | None = None,
    entry: FilmEntry | None = None,
) -> FindingResult:
    """Set the results of methods beside the baselines, chance and the validity gate's verdict."""
    region = None if mask is None else _region(mask, radiograph)
    probability = float(1 / (1 + np.exp(-np.float64(logit))))
    verdict = gate(classifier.card.figures, finding, collection.name if collection else None)
    baselines = {} if region is None else score_baselines(radiograph, region, finding, collection, entry)
    chance = {} if region is None else chance_scores(region)
    return FindingResult(finding, logit, probability, mask, verdict, methods, baselines, chance)
