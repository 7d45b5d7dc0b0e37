"""How far the linear picture holds: predicted against true change of the logits along straight lines."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from evaluation.stability.distances import Distance
from evaluation.stability.probe import Probe
from evaluation.stability.sensitivity import Sensitivity

TOLERANCE = 0.1
"""The linear picture holds where it is off by at most this share of the predicted change."""
SHARES = (0.125, 0.5, 1.0)
"""Steps on the way to a finding's threshold, as shares of the way."""
FARTHEST = 8.0
"""Grey levels, root mean square, beyond which no film is followed along one finding's row."""
REACH = 1.0
"""Grey levels, root mean square, of the largest step along the most sensitive direction."""
SLIDER = 11
"""Steps along the most sensitive direction, from minus to plus ``REACH``; odd, so that 0 is one of them."""


@dataclass(frozen=True, eq=False)
class Line:
    """The logits along one straight line through the film.

    Attributes:
        steps: (T,) root mean square in grey levels; negative on the other side of the film.
        predicted, true: (T, C) change of the logits by the Jacobian, and by the model.
    """

    steps: np.ndarray
    predicted: np.ndarray
    true: np.ndarray

    def error(self, column: int | None = None) -> np.ndarray:
        """(T,) size of true minus predicted over the size of predicted; of one finding, or of all together (L2).

        NaN where nothing is predicted to change.
        """
        predicted, gap = self.predicted, self.true - self.predicted
        if column is None:
            size, off = np.linalg.norm(predicted, axis=1), np.linalg.norm(gap, axis=1)
        else:
            size, off = np.abs(predicted[:, column]), np.abs(gap[:, column])
        return np.divide(off, size, out=np.full(len(size), np.nan), where=size > 0)

    def radius(self, column: int | None = None, tolerance: float = TOLERANCE) -> float:
        """How far the linear picture holds to ``tolerance``, on both sides where both were followed."""
        sides = [self.steps > 0, self.steps < 0]
        error = self.error(column)
        found = [radius_of(np.abs(self.steps[s]), error[s], tolerance) for s in sides if s.any()]
        return min(found) if found else math.nan


def radius_of(steps: np.ndarray, errors: np.ndarray, tolerance: float = TOLERANCE) -> float:
    """The largest step up to which every error is within ``tolerance``.

    Between the last step that holds and the first that does not, the error is taken to grow in a straight line, as
    it does from step 0, where it is 0.

    Args:
        steps: (T,) positive. errors: (T,) relative errors at the steps.

    Returns:
        In the steps' unit; infinite where the errors stay within the tolerance as far as was tried, NaN where an
        error is undefined.
    """
    if len(steps) == 0 or np.isnan(errors).any():
        return math.nan
    order = np.argsort(steps)
    near, error_near = 0.0, 0.0
    for step, error in zip(steps[order], errors[order]):
        if error > tolerance:
            return float(near + (step - near) * (tolerance - error_near) / (error - error_near))
        near, error_near = step, error
    return math.inf


def follow(probe: Probe, sensitivity: Sensitivity, direction: np.ndarray, steps: np.ndarray) -> Line:
    """Ask the model along one line.

    Args:
        direction: (S, S) of L2 norm 1. steps: (T,) root mean square in grey levels; 0 costs no pass.
    """
    changes = np.asarray(probe.norm_of(steps))[:, None, None] * direction.astype(np.float64)
    true = np.zeros((len(steps), len(sensitivity.findings)))
    moved = steps != 0
    true[moved] = probe.logits(probe.film + changes[moved]) - sensitivity.logits
    return Line(np.asarray(steps, dtype=np.float64), sensitivity.along(changes), true)


def to_thresholds(
    probe: Probe,
    sensitivity: Sensitivity,
    reaches: tuple[Distance, ...],
    only: Collection[int] | None = None,
    shares: tuple[float, ...] = SHARES,
) -> tuple[Line | None, ...]:
    """Follow each finding's own row towards its threshold; None where the row is 0, or the finding is not in ``only``.

    All lines go through the model together.

    Args:
        reaches: first-order distances; a line ends there, or at ``FARTHEST`` where that is nearer.
        only: columns of the findings to follow; None for all. shares: steps as shares of the way.
    """
    wanted = range(len(reaches)) if only is None else only
    known = [c for c, reach in enumerate(reaches) if c in wanted and not math.isnan(reach.l2) and reach.l2 > 0]
    if not known:
        return tuple(None for _ in reaches)
    steps = {c: min(reaches[c].l2, FARTHEST) * np.array(shares) for c in known}
    changes = {}
    for c in known:
        towards = -math.copysign(1, reaches[c].margin) / sensitivity.l2[c]
        unit = towards * sensitivity.rows[c].astype(np.float64)
        changes[c] = np.asarray(probe.norm_of(steps[c]))[:, None, None] * unit
    logits = probe.logits(probe.film + np.concatenate([changes[c] for c in known]))
    true = dict(zip(known, np.split(logits - sensitivity.logits, len(known))))
    return tuple(
        Line(steps[c], sensitivity.along(changes[c]), true[c]) if c in true else None for c in range(len(reaches))
    )


def slider_steps(reach: float = REACH, count: int = SLIDER) -> np.ndarray:
    """(count,) equal steps from minus to plus ``reach``, in grey levels, root mean square."""
    return np.linspace(-reach, reach, count)
