"""A posterior that fills all ten bins: the classifier's logit, calibrated as if the finding were as frequent as not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
import torch


@dataclass(frozen=True)
class BalancedPosterior:
    """Platt's scaling with both classes weighing the same: posterior = sigmoid(slope * logit + intercept).

    A rare finding's own sigmoid hardly leaves the lowest bin. Here one half is where the finding is as likely as not if
    half of all films had it; that is the decision whose flip is wanted (Platt 1999).
    """

    slope: float
    intercept: float

    def of(self, logits: torch.Tensor) -> torch.Tensor:
        """Posteriors in (0, 1) of logits, any shape."""
        return torch.sigmoid(self.slope * logits + self.intercept)

    def probability(self, posteriors: np.ndarray) -> np.ndarray:
        """The model's own probabilities, sigmoids of its logits, at which the balanced posteriors are these."""
        return scipy.special.expit((scipy.special.logit(posteriors) - self.intercept) / self.slope)

    def scaled(self, logits: torch.Tensor) -> torch.Tensor:
        """Log-odds of the posterior."""
        return self.slope * logits + self.intercept


def fit_balanced(logits: np.ndarray, present: np.ndarray) -> BalancedPosterior:
    """Fit slope and intercept.

    Args:
        logits: (N,) of one finding. present: (N,) bool, whether the film has it.

    Raises:
        ValueError: all films have the finding, or none.
    """
    present = np.asarray(present, dtype=bool)
    if present.all() or not present.any():
        raise ValueError("calibration needs films with the finding and films without it")
    weights = np.where(present, 0.5 / present.sum(), 0.5 / (~present).sum())
    signs = np.where(present, 1.0, -1.0)
    scale = float(np.std(logits)) or 1.0

    def loss(ab: np.ndarray) -> float:
        margins = signs * (ab[0] * logits / scale + ab[1])
        # A weak pull towards a slope of one standard deviation keeps separable films from an endless slope.
        return float((weights * np.logaddexp(0, -margins)).sum() + 1e-3 * (ab[0] - 1) ** 2)

    slope, intercept = scipy.optimize.minimize(loss, np.array([1.0, 0.0]), method="BFGS").x
    return BalancedPosterior(float(slope / scale), float(intercept))


def matching(reference: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Slope and intercept that give ``other`` the mean and the spread of ``reference``, both (N,) logits."""
    slope = float(np.std(reference) / max(float(np.std(other)), 1e-6))
    return slope, float(np.mean(reference) - slope * np.mean(other))
