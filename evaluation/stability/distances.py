"""How far each finding is from its decision threshold, by the linear picture."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from classifiers import ChestClassifier
from evaluation.stability.probe import GREY_LEVELS, Probe
from evaluation.stability.sensitivity import Sensitivity

EVEN = 0.5
"""Probability at which a finding is called where the card has no operating point."""


@dataclass(frozen=True)
class Distance:
    """The smallest change of the film that would carry one finding over its threshold, to first order.

    Attributes:
        finding: its name. probability, threshold: the model's, and where it is called; both 0 to 1.
        margin: logit minus the threshold's logit; above 0 the finding is called.
        l2: root mean square in grey levels a pixel of the smallest change in L2; NaN where the row is 0.
        linf: grey levels of the smallest change that is equally large everywhere (L∞); NaN where the row is 0.
    """

    finding: str
    probability: float
    threshold: float
    margin: float
    l2: float
    linf: float

    @property
    def called(self) -> bool:
        """Whether the model calls the finding present."""
        return self.margin > 0


def threshold_of(figures: Mapping[str, Any], finding: str) -> float:
    """Probability at which ``finding`` is called: ``figures["findings"][finding]["operating_point"]``, else 0.5.

    Raises:
        ValueError: the card's operating point does not lie between 0 and 1.
    """
    given = figures.get("findings", {}).get(finding, {}).get("operating_point", EVEN)
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 < given < 1:
        raise ValueError(
            f"the card's operating point for {finding} must lie between 0 and 1, got {given!r}; correct the card"
        )
    return float(given)


def thresholds(classifier: ChestClassifier) -> np.ndarray:
    """(C,) probabilities at which the findings are called."""
    return np.array([threshold_of(classifier.card.figures, finding) for finding in classifier.findings])


def logit_of(probability: np.ndarray | float) -> np.ndarray:
    """Inverse of the sigmoid."""
    share = np.asarray(probability, dtype=np.float64)
    return np.log(share) - np.log1p(-share)


def sigmoid(logits: np.ndarray | float) -> np.ndarray:
    """1 / (1 + exp(-logits)) in double precision, without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(logits, dtype=np.float64)))


def distances(probe: Probe, sensitivity: Sensitivity) -> tuple[Distance, ...]:
    """First-order distances to the thresholds: |margin| over the dual norm of the finding's row.

    The smallest L2 change is |margin| / ‖row‖₂ along the row; the smallest L∞ change is |margin| / ‖row‖₁ along its
    signs (Moosavi-Dezfooli et al. 2016, DeepFool, arXiv 1511.04599).
    """
    called_at = thresholds(probe.classifier)
    margins = sensitivity.logits - logit_of(called_at)
    found = []
    for column, finding in enumerate(sensitivity.findings):
        size, l2, l1 = abs(margins[column]), sensitivity.l2[column], sensitivity.l1[column]
        found.append(
            Distance(
                finding,
                float(sigmoid(sensitivity.logits[column])),
                float(called_at[column]),
                float(margins[column]),
                float(probe.rms_levels(size / l2)) if l2 > 0 else math.nan,
                float(GREY_LEVELS * size / l1) if l1 > 0 else math.nan,
            )
        )
    return tuple(found)
