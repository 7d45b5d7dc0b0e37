"""One film from absent to present, with what the classifier says of each step and how far to trust it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import skimage.metrics

LEVELS = (0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95)
"""Target posteriors where nobody says otherwise: the centres of ten bins."""


class CounterfactualRefusedError(RuntimeError):
    """No counterfactual is given for this film. The message says why, with the figures."""


@dataclass(frozen=True)
class Cost:
    """What it costs to draw the film with the explainer's own means.

    Attributes:
        answer: change of the explained posterior between the film and its reconstruction, 0 to 1.
        likeness: structural similarity of film and reconstruction, 1 where they are the same (Wang et al. 2004,
            doi 10.1109/TIP.2003.819861). difference: mean absolute difference in film units.
    """

    answer: float
    likeness: float
    difference: float


@dataclass(frozen=True)
class Limits:
    """How much a reconstruction may cost before a counterfactual is refused."""

    answer: float
    likeness: float

    def refusal(self, cost: Cost) -> str | None:
        """Why the counterfactual is refused, in a sentence; None where it is not."""
        if not cost.answer <= self.answer:
            return (
                f"The reconstruction of this film changes the classifier's answer too much ({cost.answer:.2f}, at most "
                f"{self.answer:.2f} is allowed, as if half of all films had the finding), so what changes along the "
                "series says little about the film."
            )
        if not cost.likeness >= self.likeness:
            return (
                f"The reconstruction looks unlike the film: structural similarity {cost.likeness:.2f} "
                f"(at least {self.likeness:.2f} is needed). Films unlike those the explainer learned from do so."
            )
        return None


@dataclass(frozen=True, eq=False)
class Series:
    """A film exaggerated from absent to present.

    Attributes:
        method: registered name of the explainer. finding: what is exaggerated.
        levels: (L,) target posteriors, ascending. reached: (L,) posteriors that the classifier gives.
        films: (L, S, S) float32 in [0, 1] on the classifier's input grid. film: (S, S), the film as it is.
        own: the posterior of the film as it is, on the same scale as ``levels``.
        findings: of the classifier. probabilities: (L, C) sigmoids of all its logits at each level;
            own_probabilities: (C,) of the film as it is.
        reconstruction: (S, S), the film drawn with the explainer's own means. cost: what that changed.
        refusal: why the series explains nothing, or None.
        evaluations: forward passes of single films (a backward pass counts as one more).
    """

    method: str
    finding: str
    levels: np.ndarray
    reached: np.ndarray
    films: np.ndarray
    film: np.ndarray
    own: float
    findings: tuple[str, ...]
    probabilities: np.ndarray
    own_probabilities: np.ndarray
    reconstruction: np.ndarray
    cost: Cost
    refusal: str | None
    evaluations: int

    @property
    def difference(self) -> np.ndarray:
        """(S, S) float32: the film at the highest level less the film at the lowest, in film units."""
        return self.films[-1] - self.films[0]

    @property
    def flips(self) -> bool:
        """True where the decision at one half differs between the two ends."""
        return bool(self.reached[0] < 0.5 <= self.reached[-1])


def checked_levels(levels: Sequence[float] | np.ndarray) -> np.ndarray:
    """Return posteriors as a (L,) float32 array.

    Raises:
        ValueError: fewer than two, more than 64, not ascending or not inside (0, 1).
    """
    target = np.asarray(levels, dtype=np.float32)
    if target.ndim != 1 or not 2 <= len(target) <= 64:
        raise ValueError(f"levels: 2 to 64 posteriors are needed, got {target.size}")
    if not (np.diff(target) > 0).all() or target[0] <= 0 or target[-1] >= 1:
        raise ValueError("levels: posteriors ascend and lie between 0 and 1, both left out")
    return target


def cost_of(film: np.ndarray, again: np.ndarray, answer: float) -> Cost:
    """Compare a (S, S) film in [0, 1] with its reconstruction, whose posterior differs by ``answer``."""
    likeness = skimage.metrics.structural_similarity(film.astype(np.float64), again.astype(np.float64), data_range=1.0)
    return Cost(abs(float(answer)), float(likeness), float(np.abs(film - again).mean()))


def shifts_for(tried: np.ndarray, posteriors: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Shifts that reach the target posteriors, as far as the search saw them rise.

    From no shift outwards, only the stretch along which the posterior goes on rising (or falling) counts; beyond it the
    film has left what the explainer knows. Between two shifts tried, the answer is taken to be straight.

    Args:
        tried: (M,) shifts, ascending, 0 among them. posteriors: (M,) reached at each. target: (L,) to reach.

    Returns:
        (L,) float32 shifts; the farthest of the rising stretch where a posterior is out of reach.
    """
    middle = int(np.flatnonzero(tried == 0)[0])
    last = middle
    while last + 1 < len(tried) and posteriors[last + 1] > posteriors[last]:
        last += 1
    first = middle
    while first > 0 and posteriors[first - 1] < posteriors[first]:
        first -= 1
    return np.interp(target, posteriors[first : last + 1], tried[first : last + 1]).astype(np.float32)
