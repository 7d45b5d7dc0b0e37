"""Deletion and insertion: how the logit moves as pixels go, or come, in the order in which a map ranks them.

Petsiuk, Das and Saenko 2018, arXiv 1806.07421. The curves are of logits, as the explanations are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from xai_methods.method import BATCH, Progress

Model = Callable[[torch.Tensor], np.ndarray]
"""(N, 1, S, S) films in the classifier's range to the (N,) float64 logits of one finding."""
STEPS = 16
"""Steps in which all pixels go or come."""


@dataclass(frozen=True, eq=False)
class Curve:
    """A logit along the way from one film to another.

    Attributes:
        shares: (K + 1,) share of the pixels exchanged, from 0 to 1. logits: (K + 1,) the logit there.
    """

    shares: np.ndarray
    logits: np.ndarray

    def area(self, scale: Literal["logit", "probability"] = "logit") -> float:
        """Mean height by the trapezoid rule: of the logit, or of its sigmoid as in the original paper."""
        heights = self.logits if scale == "logit" else 1 / (1 + np.exp(-self.logits))
        return float(np.trapezoid(heights, self.shares))


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
