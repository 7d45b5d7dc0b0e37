"""All that the stability page says of one film and one model."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from classifiers import ChestClassifier
from evaluation.stability.availability import Availability, availability
from evaluation.stability.distances import Distance, distances, logit_of, sigmoid
from evaluation.stability.linearity import Line, follow, slider_steps, to_thresholds
from evaluation.stability.perturbations import Perturbed, first_flip, perturb_all
from evaluation.stability.probe import Probe
from evaluation.stability.sensitivity import Sensitivity, measure
from radiographs import Radiograph
from xai_methods.method import Progress


@dataclass(frozen=True, eq=False)
class Stability:
    """How far one film can move before the answer does.

    Attributes:
        film, classifier: digests. name: the model's registered name. side: S of the input grid.
        prepared: (S, S) float32, the film as the model sees it, in shares of the grey range.
        sensitivity: the Jacobian in numbers. availability: whether it can be believed.
        distances: by finding, to the threshold, to first order.
        own: by finding, the line along its own row towards the threshold; None where the row is 0.
        strongest: the line along the most sensitive direction, on both sides.
        perturbed: what realistic changes did. seconds: wall time. passes: forward passes of single films.
    """

    film: str
    classifier: str
    name: str
    side: int
    prepared: np.ndarray
    sensitivity: Sensitivity
    availability: Availability
    distances: tuple[Distance, ...]
    own: tuple[Line | None, ...]
    strongest: Line
    perturbed: tuple[Perturbed, ...]
    seconds: float
    passes: int

    @property
    def findings(self) -> tuple[str, ...]:
        """Names of the C findings."""
        return self.sensitivity.findings

    @property
    def called_at(self) -> np.ndarray:
        """(C,) logits at which the findings are called."""
        return logit_of(np.array([d.threshold for d in self.distances]))

    def radius(self, column: int) -> float:
        """How far the linear picture of one finding holds along its own row, in grey levels, root mean square."""
        line = self.own[column]
        return float("nan") if line is None else line.radius(column)

    def probabilities(self) -> np.ndarray:
        """(T, C) probabilities along the most sensitive direction, at ``strongest.steps``."""
        return sigmoid(self.sensitivity.logits + self.strongest.true)

    def moved_film(self, step: float) -> np.ndarray:
        """(S, S): the film moved by ``step`` grey levels, root mean square, along the most sensitive direction."""
        return np.clip(self.prepared + step * self.side / 255 * self.sensitivity.right[0], 0, 1)

    def first_flips(self) -> dict[str, Perturbed | None]:
        """By finding, the mildest realistic change that changes its call; None where none does."""
        return {finding: first_flip(self.perturbed, column) for column, finding in enumerate(self.findings)}


def study(
    classifier: ChestClassifier,
    radiograph: Radiograph,
    *,
    seed: int = 0,
    report: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Stability:
    """Measure how stably a model answers at one film.

    Args:
        classifier: the model, which stays as it is. radiograph: the film.
        seed: of the random direction and of the noise.
        report: called with the share done, 0 to 1. cancelled: looked at often; True stops the work.

    Raises:
        Cancelled: ``cancelled`` said so.
        ValueError: the card's operating point is wrong, or the model gives answers alone, without gradients.
    """
    if not classifier.differentiable:
        raise ValueError(f"Stability needs gradients, and {classifier.name} gives answers alone.")
    started = time.perf_counter()
    probe = Probe.of(classifier, radiograph, cancelled=cancelled)
    told = report or (lambda share: None)
    best = 0.0

    def part(low: float, high: float) -> None:
        def tell(share: float) -> None:
            nonlocal best
            # Several rounds of one part each start anew; the bar never goes back.
            best = max(best, low + (high - low) * share)
            told(best)

        probe.report = tell

    part(0.0, 0.25)
    sensitivity = measure(probe)
    part(0.25, 0.45)
    available = availability(probe, sensitivity, seed)
    part(0.45, 0.7)
    reach = distances(probe, sensitivity)
    own = to_thresholds(probe, sensitivity, reach)
    part(0.7, 0.82)
    strongest = follow(probe, sensitivity, sensitivity.right[0], slider_steps())
    part(0.82, 1.0)
    called_at = logit_of(np.array([d.threshold for d in reach]))
    perturbed = perturb_all(probe, radiograph, sensitivity, called_at, seed)
    return Stability(
        radiograph.digest, classifier.digest, classifier.name, probe.side, probe.film.astype(np.float32),
        sensitivity, available, reach, own, strongest, perturbed, time.perf_counter() - started, probe.passes,
    )  # fmt: skip
