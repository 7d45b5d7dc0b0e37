"""One film between absent and present of two findings at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from classifiers import ChestClassifier
from radiographs import Radiograph
from xai_methods.counterfactual import exaggeration
from xai_methods.counterfactual.generate import EXPLAINERS, exaggerate
from xai_methods.counterfactual.latent import posterior_of
from xai_methods.counterfactual.series import Series
from xai_methods.method import Progress

LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Target posteriors of each finding where nobody says otherwise."""


@dataclass(frozen=True, eq=False)
class Plane:
    """A film redrawn for each pair of levels of two findings.

    Attributes:
        method: registered name of the explainer. findings: the two, first axis first.
        levels: (L,) target posteriors of either. films: (L, L, S, S) float32 in [0, 1] on the classifier's grid.
        reached: (L, L, 2) posteriors of the two findings. film: (S, S), the film as it is. own: its two posteriors.
        classifier_findings: of the classifier. probabilities: (L, L, C) sigmoids of all its logits;
            own_probabilities: (C,) of the film as it is.
        refusal: why the plane explains nothing, or None. evaluations: forward passes of single films.
    """

    method: str
    findings: tuple[str, str]
    levels: np.ndarray
    films: np.ndarray
    reached: np.ndarray
    film: np.ndarray
    own: tuple[float, float]
    classifier_findings: tuple[str, ...]
    probabilities: np.ndarray
    own_probabilities: np.ndarray
    refusal: str | None
    evaluations: int


def exaggerate_two(
    classifier: ChestClassifier,
    radiograph: Radiograph,
    findings: tuple[str, str],
    levels: Sequence[float] | np.ndarray = LEVELS,
    *,
    method: str = exaggeration.NAME,
    report: Progress = lambda share: None,
) -> Plane:
    """Exaggerate one finding, and on each film so made the other.

    The second may undo a part of the first; ``reached`` tells what became of both.

    Args:
        classifier: the explained one. radiograph: the film. findings: two different ones that the explainer serves.
        levels: posteriors to reach, ascending, between 0 and 1. method: a key of ``EXPLAINERS``.
        report: called with the share done; what it raises stops the work.

    Raises:
        UnknownFindingError: the classifier does not know a finding.
        LookupError: there is no such explainer, or it does not serve this classifier or finding.
        ValueError: the levels are wrong, or the two findings are one.
    """
    one, other = findings
    if one == other:
        raise ValueError(f"findings: two different ones are needed, got {one} twice")
    parts = len(levels) + 1
    first = exaggerate(classifier, radiograph, one, levels, method=method, report=lambda share: report(share / parts))
    device = next(classifier.parameters()).device
    rows: list[Series] = []
    for place, film in enumerate(first.films, start=1):

        def told(share: float, place: int = place) -> None:
            report((place + share) / parts)

        rows.append(EXPLAINERS[method](classifier, _input(film, device), other, levels, None, told))
    probabilities = np.stack([row.probabilities for row in rows])
    nearest = rows[int(np.abs(first.reached - first.own).argmin())]
    return Plane(
        method=method,
        findings=findings,
        levels=first.levels,
        films=np.stack([row.films for row in rows]),
        reached=np.stack([_posteriors(classifier, finding, probabilities) for finding in findings], axis=-1),
        film=first.film,
        own=(first.own, float(_posteriors(classifier, other, first.own_probabilities))),
        classifier_findings=classifier.findings,
        probabilities=probabilities,
        own_probabilities=first.own_probabilities,
        refusal=first.refusal or nearest.refusal,
        evaluations=first.evaluations + sum(row.evaluations for row in rows),
    )


def _input(film: np.ndarray, device: torch.device) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(film))[None, None].to(device)


def _posteriors(classifier: ChestClassifier, finding: str, probabilities: np.ndarray) -> np.ndarray:
    """Balanced posteriors of a finding from (..., C) sigmoids of all logits."""
    own = torch.from_numpy(probabilities[..., classifier.column(finding)].astype(np.float64))
    return posterior_of(classifier, finding).of(torch.logit(own, eps=1e-9)).numpy()
