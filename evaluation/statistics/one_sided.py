"""One-sided tests of patients' means, with intervals that say the same as p after Holm's correction, and power."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from evaluation.statistics.paired_tests import patient_means

LEVEL = 0.05
"""Of one-sided tests, for a family together."""


@dataclass(frozen=True)
class Gain:
    """A mean over patients, its standard error and the number of patients; ``p`` one-sided, for above 0."""

    mean: float
    error: float
    patients: int
    p: float

    def bounds(self, level: float) -> tuple[float, float]:
        """Interval of 1 - 2 ``level``: its lower end lies above 0 exactly where ``p`` lies below ``level``."""
        if self.patients < 2:
            return math.nan, math.nan
        reach = float(scipy.stats.t.isf(level, self.patients - 1)) * self.error
        return self.mean - reach, self.mean + reach

    def power(self, effect: float, level: float) -> float:
        """Chance that a true mean of ``effect`` is found at ``level`` with this spread and this many patients."""
        if self.patients < 2:
            return math.nan
        if self.error == 0:
            return 1.0
        degrees = self.patients - 1
        return float(scipy.stats.nct.sf(scipy.stats.t.isf(level, degrees), degrees, effect / self.error))


def gain(values: np.ndarray, patients: Sequence[str] | np.ndarray) -> Gain:
    """Test (N,) values, one a film, for a mean above 0 over patients (one-sided t test); NaN is left out."""
    means = patient_means(np.asarray(values, dtype=np.float64)[:, None], patients)[:, 0]
    means = means[~np.isnan(means)]
    if len(means) < 2:
        return Gain(float(means.mean()) if len(means) else math.nan, math.nan, len(means), math.nan)
    mean, error = float(means.mean()), float(means.std(ddof=1) / math.sqrt(len(means)))
    if error == 0:
        return Gain(mean, error, len(means), 0.0 if mean > 0 else 1.0)
    return Gain(mean, error, len(means), float(scipy.stats.t.sf(mean / error, len(means) - 1)))


def holm_levels(p_values: np.ndarray, level: float = LEVEL) -> np.ndarray:
    """The level at which Holm's procedure tests each of (N,) p values: p below it exactly where it is rejected.

    From the first that is not rejected on, all are held to that one's level. NaN is no test and stays NaN.
    """
    levels = np.full(len(p_values), np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    steps = level / np.arange(len(order), 0, -1)
    failed = np.flatnonzero(p_values[order] >= steps)
    if len(failed):
        steps[failed[0] :] = steps[failed[0]]
    levels[order] = steps
    return levels
