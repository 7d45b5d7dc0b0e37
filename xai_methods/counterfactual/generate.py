"""The one question people ask of counterfactual films: this film, from absent to present."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from classifiers import ChestClassifier
from radiographs import Radiograph
from radiographs.nearness import near
from xai_methods.counterfactual import exaggeration, latent, xrv_autoencoder
from xai_methods.counterfactual.series import LEVELS, Limits, Series
from xai_methods.method import Progress

EXPLAINERS: dict[str, Callable[..., Series]] = {
    exaggeration.NAME: exaggeration.exaggerated,
    latent.NAME: latent.shifted,
    xrv_autoencoder.NAME: xrv_autoencoder.shifted_by_xrv,
}


def exaggerate(
    classifier: ChestClassifier,
    radiograph: Radiograph,
    finding: str,
    levels: Sequence[float] | np.ndarray = LEVELS,
    *,
    method: str = exaggeration.NAME,
    limits: Limits | None = None,
    report: Progress = lambda share: None,
) -> Series:
    """Exaggerate ``finding`` on ``radiograph`` from absent to present, all steps in one batch.

    Args:
        classifier: the explained one. radiograph: the film. finding: one of the classifier's.
        levels: posteriors to reach, ascending, between 0 and 1. method: a key of :data:`EXPLAINERS`.
        limits: what the reconstruction may cost before the series is refused; the explainer's own where None.
        report: called with the share done; what it raises stops the work.

    Returns:
        The series, with ``refusal`` set where it explains nothing.

    Raises:
        UnknownFindingError: the classifier does not know the finding.
        LookupError: there is no such explainer, or it does not serve this classifier or finding.
        ValueError: the levels are wrong.
    """
    if method not in EXPLAINERS:
        raise LookupError(f"no explainer is called {method!r}; {near(method, EXPLAINERS)}")
    film = unit_film(classifier, classifier.prepare(radiograph))
    return EXPLAINERS[method](classifier, film, finding, levels, limits, report)


def unit_film(classifier: ChestClassifier, film: torch.Tensor) -> torch.Tensor:
    """Bring a (1, 1, S, S) input from the classifier's range to [0, 1]."""
    low, high = classifier.preprocessing.low, classifier.preprocessing.high
    return ((film - low) / (high - low)).clamp(0, 1)
