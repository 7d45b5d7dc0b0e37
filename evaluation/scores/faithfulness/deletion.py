"""Deletion and insertion: how the logit moves as pixels go, or come, in the order in which a map ranks them.

Petsiuk, Das and Saenko 2018, arXiv 1806.07421. The curves are of logits, as the explanations are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from evaluation.scores.base import Case, Metric
from evaluation.scores.registry import register
from xai_methods.method import BATCH, Progress
from xai_methods.perturbation.masking import make_regions

Model = Callable[[torch.Tensor], np.ndarray]
"""(N, 1, S, S) films in the classifier's range to the (N,) float64 logits of one finding."""
Kind = Literal["insertion", "deletion"]
STEPS = 16
"""Steps in which all pixels go or come."""
MOVES = 1
"""Times a map is moved over the film at random to see what chance gives on this film."""
_HIDES = {
    "black": ("black", "Black makes shapes of its own that no film has."),
    "mean": ("the film's mean grey", "Grey makes shapes of its own, though softer ones than black."),
    "blur": (
        "the blurred film",
        "A blur of a sixteenth of the side leaves large findings, such as a large heart, there.",
    ),
}


@dataclass(frozen=True, eq=False)
class Curve:
    """A logit along the way from one film to another.

    Attributes:
        shares: (K + 1,) share of the pixels exchanged, from 0 to 1. logits: (K + 1,) the logit there.
    """

    shares: np.ndarray
    logits: np.ndarray

    def area(self) -> float:
        """Mean height by the trapezoid rule."""
        return float(np.trapezoid(self.logits, self.shares))


def ranks(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Place of each pixel when the highest value comes first: (S, S) int64, 0 ... S * S - 1.

    Equal values are ordered by a smooth random field: a flat region then goes in lumps, not as salt and pepper, which
    would disturb a network more than any order of the regions.
    """
    lumps = gaussian_filter(rng.standard_normal(values.shape), values.shape[0] / 32)
    order = np.lexsort((lumps.ravel(), -values.astype(np.float64).ravel()))
    places = np.empty(values.size, dtype=np.int64)
    places[order] = np.arange(values.size)
    return places.reshape(values.shape)


def moved(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same (S, S) map elsewhere: rolled around both borders by a quarter to three quarters of its side.

    Its values and its smoothness stay as they are and only their place is lost, so it says what a map of this kind
    gets by chance; independent random pixels would disturb the film in quite another way.
    """
    height, width = values.shape
    down = int(rng.integers(height // 4, height - height // 4 + 1))
    right = int(rng.integers(width // 4, width - width // 4 + 1))
    return np.roll(values, (down, right), axis=(0, 1))


def exchange_curve(
    model: Model,
    start: torch.Tensor,
    end: torch.Tensor,
    places: np.ndarray,
    steps: int = STEPS,
    report: Progress = lambda share: None,
) -> Curve:
    """Exchange the pixels of one film for those of another and follow the logit.

    Deletion goes from the film to what hides it, insertion the other way.

    Args:
        model: the logit. start, end: (1, 1, S, S) films in the classifier's range.
        places: (S, S) in which order pixels go, as :func:`ranks` gives it.
        steps: K, equal steps. report: told the share done after each batch.

    Raises:
        ValueError: there is less than one step.
    """
    if steps < 1:
        raise ValueError(f"a curve has at least one step, got {steps}")
    order = torch.as_tensor(places, device=start.device)
    gone = torch.linspace(0, places.size, steps + 1).round().to(torch.int64).to(start.device)
    logits = []
    for part in gone.split(BATCH):
        logits.append(model(torch.where(order < part[:, None, None, None], end, start)))
        report(min(len(logits) * BATCH / len(gone), 1.0))
    return Curve(gone.cpu().numpy() / places.size, np.concatenate(logits))


def hidden_film(case: Case, hide: str) -> torch.Tensor:
    """(1, 1, S, S) in the classifier's range: what stands where the film is hidden ("black", "mean", "blur")."""
    whole = np.zeros((case.classifier.side, case.classifier.side), dtype=np.int32)
    return make_regions(case.classifier, case.film, whole, hide).hidden[None, None]


def _areas(case: Case, kind: Kind, hide: str) -> tuple[float, float]:
    """Area under the curve of the map, and the mean area of the same map moved; NaN where the map is flat."""
    values = case.values
    if np.ptp(values) == 0:
        return math.nan, math.nan

    def measure() -> tuple[float, float]:
        rng = np.random.default_rng(case.seed)
        hidden = hidden_film(case, hide)
        start, end = (case.film, hidden) if kind == "deletion" else (hidden, case.film)
        found = []
        for number in range(1 + MOVES):
            shown = values if number == 0 else moved(values, rng)
            curve = exchange_curve(case.logits, start, end, ranks(shown, rng), report=case.part(number, 1 + MOVES))
            found.append(curve.area())
        return found[0], float(np.mean(found[1:]))

    return case.cached(f"{kind}-{hide}", measure)


def _register_curve(kind: Kind, hide: str, words: str, caveat: str) -> None:
    comes = kind == "insertion"
    register(
        Metric(
            name=f"{kind}_{hide}",
            title=f"{kind.capitalize()} ({hide})",
            meaning=f"Mean logit while the map's strongest pixels come back first, starting from {words}."
            if comes
            else f"Mean logit while the map's strongest pixels are replaced first by {words}.",
            formula=f"∫₀¹ f(hidden film with the top share t of pixels shown) dt, trapezoid rule, {STEPS} steps"
            if comes
            else f"∫₀¹ f(x with the top share t of pixels replaced) dt, trapezoid rule, {STEPS} steps",
            compute=lambda case: _areas(case, kind, hide)[0],
            expected=lambda case: _areas(case, kind, hide)[1],
            source="Petsiuk et al. 2018, arXiv:1806.07421",
            caveat="Of logits, where the paper takes probabilities: read it against chance, which is the same map "
            f"moved over the same film. {caveat}",
            element="model transparency",
            direction="higher" if comes else "lower",
            needs=frozenset({"model"}),
            low=-math.inf,
            high=math.inf,
            unit="logits",
            scorecard=hide == "blur",
            slow=True,
        )
    )


for _hide, (_words, _caveat) in _HIDES.items():
    for _kind in get_args(Kind):
        _register_curve(_kind, _hide, _words, _caveat)
