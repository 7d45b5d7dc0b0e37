"""Probabilities that mean what they say, and a decision threshold for each finding.

Temperature scaling (Guo et al. 2017, arXiv 1706.04599) with an offset for each finding, because training draws rare
findings more often than they occur. Both go into the weights of the last layer: the logits of the shipped network are
the calibrated ones, and its explanations change by a factor alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import roc_curve
from torch import nn

FEW = 10
"""Fewer positive films than this on the validation side say nothing of a threshold of their own."""
BINS = 10


@dataclass(frozen=True)
class Calibration:
    """(logit + offset) / temperature is the calibrated logit; one temperature, an offset for each of C findings."""

    temperature: float
    offsets: np.ndarray

    def __call__(self, logits: np.ndarray) -> np.ndarray:
        """Calibrated logits (N, C)."""
        return (logits + self.offsets) / self.temperature

    def into(self, head: nn.Linear) -> None:
        """Change the last layer so that its output is the calibrated logit."""
        with torch.no_grad():
            head.weight.div_(self.temperature)
            head.bias.add_(torch.tensor(self.offsets, dtype=head.bias.dtype)).div_(self.temperature)


def fitted(logits: np.ndarray, labels: np.ndarray, spread: float = 1.0) -> Calibration:
    """The most likely calibration of (N, C) logits with labels of 0 and 1.

    Offsets are drawn to their common mean as by a normal prior of standard deviation ``spread``, so that a finding
    with three positive films is not calibrated to these three.
    """
    z, y = torch.tensor(logits, dtype=torch.float64), torch.tensor(labels, dtype=torch.float64)
    log_temperature = torch.zeros((), dtype=torch.float64, requires_grad=True)
    offsets = torch.zeros(z.shape[1], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([log_temperature, offsets], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        cross = F.binary_cross_entropy_with_logits((z + offsets) / log_temperature.exp(), y, reduction="sum")
        value = cross + ((offsets - offsets.mean()) ** 2).sum() / (2 * spread**2)
        value.backward()
        return value

    optimiser.step(loss)
    return Calibration(float(log_temperature.detach().exp()), offsets.detach().numpy())


def operating_points(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(C,) probabilities at which findings are called: where sensitivity plus specificity is largest (Youden 1950).

    A finding with fewer than ten positive films takes its own share of positive films, which calibrated
    probabilities exceed where the film speaks for the finding.
    """
    points = np.empty(logits.shape[1])
    for c, (z, y) in enumerate(zip(logits.T, labels.T)):
        if FEW <= y.sum() <= len(y) - FEW:
            false_alarms, hits, cuts = roc_curve(y, z, drop_intermediate=False)
            best = 1 + int(np.argmax((hits - false_alarms)[1:]))
            below = z[z < cuts[best]].max(initial=cuts[best] - 1)
            points[c] = 1 / (1 + np.exp(-(cuts[best] + below) / 2))
        else:
            points[c] = np.clip(y.mean(), 0.005, 0.5)
    return points


def reliability(logits: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Expected calibration error over all films and findings, and ten bins of as many answers each.

    Returns:
        ``ece`` and ``bins``: each with ``said`` (mean probability), ``seen`` (share of positive labels), ``answers``.
    """
    said, seen = (1 / (1 + np.exp(-logits.astype(np.float64)))).ravel(), labels.ravel()
    bins = [
        {"said": float(said[rows].mean()), "seen": float(seen[rows].mean()), "answers": len(rows)}
        for rows in np.array_split(np.argsort(said, kind="stable"), BINS)
    ]
    error = sum(b["answers"] * abs(b["said"] - b["seen"]) for b in bins) / len(said)
    return {"ece": float(error), "bins": bins}


def at_points(logits: np.ndarray, labels: np.ndarray, points: np.ndarray) -> list[dict[str, float]]:
    """By finding: its operating point, and sensitivity and specificity there (NaN is left out)."""
    called = 1 / (1 + np.exp(-logits.astype(np.float64))) >= points
    rows = []
    for c, point in enumerate(points):
        positive = labels[:, c] > 0
        row = {"operating_point": float(point)}
        if positive.any():
            row["sensitivity"] = float(called[positive, c].mean())
        if not positive.all():
            row["specificity"] = float(1 - called[~positive, c].mean())
        rows.append(row)
    return rows
