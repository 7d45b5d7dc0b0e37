"""A film exaggerated from absent to present, with the anatomy measured at each step and what it says in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from classifiers import ChestClassifier
from classifiers.anatomy import segment
from evaluation.baselines.anatomy_prior import film_anatomy
from radiographs import Radiograph
from radiographs.findings import display_name
from xai_methods.counterfactual import Plane, Series, exaggerate, exaggerate_two
from xai_methods.counterfactual.latent import posterior_of
from xai_methods.method import Progress

_SERIES_SHARE = 0.4
"""Share of the work that is the series; the rest is its anatomy."""
MISSED = 0.1
"""How far from its target the achieved probability lies where a step is said to miss it."""


@dataclass(frozen=True, eq=False)
class Exaggerated:
    """A series and its anatomy; all probabilities are the model's own, as the Compare page shows them.

    Attributes:
        series: films, probabilities and cost. targets: (L,) probabilities that its films should have.
        threshold: probability at which the decision flips: where the finding is as likely as not if half of all films
            had it. answer: change of the probability between the film and its reconstruction.
        ratios: (L,) cardiothoracic ratio at each level, NaN where unsure. own_ratio: of the film as it is.
        lungs: (L,) share of the film that is lung, NaN where unsure. own_lung: of the film as it is.
        inside: share of the change that lies in lungs or heart of the film as it is, NaN where unsure.
    """

    series: Series
    targets: np.ndarray
    threshold: float
    answer: float
    ratios: np.ndarray
    lungs: np.ndarray
    own_ratio: float
    own_lung: float
    inside: float

    @property
    def achieved(self) -> np.ndarray:
        """(L,) the model's probability of the finding on each film."""
        return self.series.probabilities[:, self._column]

    @property
    def own(self) -> float:
        """The model's probability of the finding on the film as it is."""
        return float(self.series.own_probabilities[self._column])

    @property
    def missed(self) -> np.ndarray:
        """(L,) bool: steps that miss their target."""
        return _missed(np.abs(self.achieved - self.targets))

    @property
    def _column(self) -> int:
        return self.series.findings.index(self.series.finding)


@dataclass(frozen=True, eq=False)
class ExaggeratedPlane:
    """Two findings exaggerated at once; all probabilities are the model's own.

    Attributes:
        plane: the films and their probabilities. targets: (2, L) probabilities that the films should have.
        ratios: (L, L) cardiothoracic ratios, NaN where unsure. own_ratio: of the film as it is.
    """

    plane: Plane
    targets: np.ndarray
    ratios: np.ndarray
    own_ratio: float

    @property
    def achieved(self) -> np.ndarray:
        """(L, L, 2) the model's probabilities of the two findings on each film."""
        return self.plane.probabilities[..., self._columns]

    @property
    def own(self) -> tuple[float, float]:
        """The model's probabilities of the two findings on the film as it is."""
        first, second = self.plane.own_probabilities[self._columns]
        return float(first), float(second)

    @property
    def off(self) -> np.ndarray:
        """(L, L, 2) how far what was achieved lies from the target."""
        targets = np.stack(np.meshgrid(*self.targets, indexing="ij"), axis=-1)
        return np.abs(self.achieved - targets)

    @property
    def missed(self) -> np.ndarray:
        """(L, L, 2) bool: films that miss the target of a finding."""
        return _missed(self.off)

    @property
    def _columns(self) -> list[int]:
        return [self.plane.classifier_findings.index(finding) for finding in self.plane.findings]


def _missed(off: np.ndarray) -> np.ndarray:
    # A miss by the limit itself counts, whatever its last digits.
    return off > MISSED - 1e-6


def exaggerated_film(
    classifier: ChestClassifier,
    radiograph: Radiograph,
    finding: str,
    method: str,
    progress: Progress = lambda share: None,
) -> Exaggerated:
    """Exaggerate ``finding`` on ``radiograph`` and measure the film as it is and each step.

    Raises:
        LookupError: the explainer does not serve this classifier or finding.
    """
    series = exaggerate(
        classifier, radiograph, finding, method=method, report=lambda share: progress(_SERIES_SHARE * share)
    )
    measured = []
    for place, film in enumerate([series.film, *series.films]):
        measured.append(_measured(film))
        progress(_SERIES_SHARE + (1 - _SERIES_SHARE) * (place + 1) / (len(series.films) + 1))
    (own_ratio, own_lung), ratios, lungs = measured[0], [r for r, _ in measured[1:]], [one for _, one in measured[1:]]
    posterior = posterior_of(classifier, finding)
    column = classifier.column(finding)
    answer = _probability(classifier, series.reconstruction, column) - float(series.own_probabilities[column])
    return Exaggerated(
        series, posterior.probability(series.levels), float(posterior.probability(np.array(0.5))), abs(answer),
        np.array(ratios), np.array(lungs), own_ratio, own_lung, _inside(series),
    )  # fmt: skip


def _probability(classifier: ChestClassifier, film: np.ndarray, column: int) -> float:
    """The model's probability on an (S, S) film in [0, 1] on its input grid."""
    low, high = classifier.preprocessing.low, classifier.preprocessing.high
    device = next(classifier.parameters()).device
    with torch.inference_mode():
        given = torch.from_numpy(film)[None, None].to(device) * (high - low) + low
        return float(torch.sigmoid(classifier(given)[0, column]))


def exaggerated_plane(
    classifier: ChestClassifier,
    radiograph: Radiograph,
    findings: tuple[str, str],
    method: str,
    progress: Progress = lambda share: None,
) -> ExaggeratedPlane:
    """Exaggerate two findings on ``radiograph`` at once and measure the heart on each film.

    Raises:
        LookupError: the explainer does not serve this classifier or a finding. ValueError: the findings are one.
    """
    plane = exaggerate_two(
        classifier, radiograph, findings, method=method, report=lambda share: progress(_SERIES_SHARE * share)
    )
    films = [plane.film, *plane.films.reshape(-1, *plane.film.shape)]
    ratios = []
    for place, film in enumerate(films):
        ratios.append(_measured(film)[0])
        progress(_SERIES_SHARE + (1 - _SERIES_SHARE) * (place + 1) / len(films))
    targets = np.stack([posterior_of(classifier, finding).probability(plane.levels) for finding in findings])
    return ExaggeratedPlane(plane, targets, np.array(ratios[1:]).reshape(plane.films.shape[:2]), ratios[0])


def _measured(film: np.ndarray) -> tuple[float, float]:
    anatomy = segment(Radiograph(film))
    if not anatomy.sure:
        return math.nan, math.nan
    return anatomy.cardiothoracic_ratio, float(anatomy.lungs.mean())


def _inside(series: Series) -> float:
    anatomy = film_anatomy(Radiograph(series.film))
    change = np.abs(series.difference)
    if not anatomy.sure or not change.any():
        return math.nan
    return float(change[anatomy.lungs | anatomy.heart].sum() / change.sum())


def in_words(made: Exaggerated) -> str:
    """What changed, where, by how much, in plain sentences; never what the film shows."""
    series = made.series
    name = display_name(series.finding).lower()
    missed = int(made.missed.sum())
    sentences = [
        f"With targets from {percent(made.targets[0])} to {percent(made.targets[-1])}, the model's probability of "
        f"{name} goes from {percent(made.achieved[0])} to {percent(made.achieved[-1])}; on the film as it is, it is "
        f"{percent(made.own)}.",
        f"{missed} of {len(made.targets)} steps miss their target by 10 points or more." if missed else "",
        f"The decision {'flips' if series.flips else 'does not flip'} (threshold {percent(made.threshold)}).",
        f"From end to end a pixel changes by {255 * np.abs(series.difference).mean():.1f} of 256 grey levels on average"
        + ("." if math.isnan(made.inside) else f", {made.inside:.0%} of it in lungs and heart."),
    ]
    first, last = _ends(made.ratios)
    if not math.isnan(first):
        sentences.append(
            f"The heart's width goes from {first:.2f} to {last:.2f} of the chest's, as our segmentation measures it."
        )
    moved = _others(series)
    if moved:
        most = max(moved, key=lambda finding: abs(moved[finding]))
        if abs(moved[most]) >= 0.1:
            sentences.append(
                f"Another finding moves with it: {display_name(most).lower()} by {100 * moved[most]:+.0f} points. "
                "The change is not of this finding alone."
            )
    return " ".join(sentence for sentence in sentences if sentence)


def percent(probability: float) -> str:
    """A probability for people: whole percent from 10 % on, else one decimal."""
    return f"{probability:.0%}" if probability >= 0.1 else f"{probability:.1%}"


def _ends(values: np.ndarray) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    return (float(known[0]), float(known[-1])) if len(known) >= 2 else (math.nan, math.nan)


def _others(series: Series) -> dict[str, float]:
    change = series.probabilities[-1] - series.probabilities[0]
    return {name: float(value) for name, value in zip(series.findings, change) if name != series.finding}


def plane_in_words(made: ExaggeratedPlane) -> str:
    """How far the two findings move alone and with each other, in plain sentences; never what the film shows."""
    names = [display_name(finding).lower() for finding in made.plane.findings]
    sentences = []
    for axis, name in enumerate(names):
        achieved = np.moveaxis(made.achieved[..., axis], axis, 0).mean(axis=1)
        across = np.moveaxis(made.achieved[..., 1 - axis], axis, 0).mean(axis=1)
        sentences.append(
            f"From {name} absent to present, on average over the other axis, the model's probability of it goes from "
            f"{percent(achieved[0])} to {percent(achieved[-1])}, and that of {names[1 - axis]} by "
            f"{100 * (across[-1] - across[0]):+.0f} points."
        )
    missed = int(made.missed.any(axis=-1).sum())
    sentences.append(
        f"What was achieved lies {100 * made.off.mean():.0f} points from its target, on average; {missed} of "
        f"{made.ratios.size} films miss a target by 10 points or more."
    )
    return " ".join(sentences)
