"""Uncertainty: the bootstrap draws patients, never films, for films of one patient are alike.

Intervals of means are bootstrap-t intervals (Efron and Tibshirani 1993, An Introduction to the Bootstrap, 12.5): each
draw's distance from the mean is measured in its own standard error, which heeds skew. Where a draw has no spread (few
patients, scores of 0 or 1) and for AUROC, they are expanded percentiles (Hesterberg 2015, arXiv:1411.5279): as far out
as Student's t and the n - 1 in a variance ask. ``python -m evaluation.statistics.coverage`` simulates how often they
hold the truth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy

DRAWS = 2000
TAIL = 0.025
"""Chance, on each side, that an interval leaves the truth out."""
FEWEST = 10
"""Patients below which there is no interval: its ends are NaN."""
_CHUNK = 250
_NO_SPREAD = 0.02
"""Share of the sample's standard error below which a draw's own counts as none: divided by less, a few small numbers
among zeros would push an end beyond all that was seen."""


@dataclass(frozen=True)
class Interval:
    """A figure with its interval of 95 %; ``films`` and ``patients`` say on how many it rests.

    The ends are NaN below ``FEWEST`` patients.
    """

    value: float
    low: float
    high: float
    films: int
    patients: int

    def within(self, low: float, high: float) -> Interval:
        """The interval cut to what the figure can be."""
        return replace(self, low=min(max(self.low, low), high), high=max(min(self.high, high), low))


def tails(patients: int) -> tuple[float, float]:
    """Quantiles of the bootstrap's draws at which an interval of 95 % ends, for so many patients."""
    reach = math.sqrt(patients / (patients - 1)) * float(scipy.stats.t.ppf(TAIL, patients - 1))
    low = float(scipy.stats.norm.cdf(reach))
    return low, 1 - low


def bootstrap_counts(patients: Sequence[str] | np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    """How often each film is drawn when patients are drawn with replacement: (draws, N) int64."""
    _, patient = np.unique(np.asarray(patients), return_inverse=True)
    number = int(patient.max()) + 1
    return rng.multinomial(number, np.full(number, 1 / number), size=draws)[:, patient]


def mean_interval(
    values: np.ndarray, patients: Sequence[str] | np.ndarray, rng: np.random.Generator, *, draws: int = DRAWS
) -> Interval:
    """Mean over films with its bootstrap interval over patients.

    Args:
        values: (N,) one number a film; NaN is left out. patients: (N,) pseudonyms. rng: source of the draws.
    """
    return mean_intervals([values], patients, rng, draws=draws)[0]


def mean_intervals(
    columns: Sequence[np.ndarray],
    patients: Sequence[str] | np.ndarray,
    rng: np.random.Generator,
    *,
    draws: int = DRAWS,
) -> list[Interval]:
    """The :func:`mean_interval` of each of several columns, each as if it alone had been given ``rng``.

    Columns that have numbers on the same films share their draws, which makes many maps as quick as one.
    """
    groups = np.asarray(patients)
    found = [Interval(math.nan, math.nan, math.nan, 0, 0)] * len(columns)
    by_films: dict[bytes, list[int]] = {}
    for place, column in enumerate(columns):
        by_films.setdefault((~np.isnan(column)).tobytes(), []).append(place)
    state = rng.bit_generator.state
    for films, places in by_films.items():
        chosen = np.frombuffer(films, dtype=bool)
        if not chosen.any():
            continue
        _, patient = np.unique(groups[chosen], return_inverse=True)
        values = np.stack([np.asarray(columns[place], dtype=np.float64)[chosen] for place in places], axis=1)
        number = int(patient.max()) + 1
        limits = np.full((2, len(places)), math.nan)
        if number >= FEWEST:
            rng.bit_generator.state = state
            sums = np.stack([np.bincount(patient, column, number) for column in values.T], axis=1)
            limits = _limits(sums, np.bincount(patient, minlength=number).astype(np.float64), draws, rng)
        for place, mean, low, high in zip(places, values.mean(axis=0), *limits):
            found[place] = Interval(float(mean), float(low), float(high), len(values), number)
    return found


def _limits(sums: np.ndarray, sizes: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Ends of the intervals of means over films: (2, columns).

    Args:
        sums: (patients, columns) of each patient's films. sizes: (patients,) films.
    """
    number = len(sizes)
    counts = rng.multinomial(number, np.full(number, 1 / number), size=draws).astype(np.float64)
    (mean,), (error,) = _studied(np.ones((1, number)), sums, sizes)
    means, errors = _studied(counts, sums, sizes)
    spread = errors > _NO_SPREAD * error
    ends = np.quantile(means, tails(number), axis=0)
    studentised = (spread & (error > 0)).all(axis=0)
    distances = (means - mean)[:, studentised] / errors[:, studentised]
    ends[:, studentised] = mean[studentised] - error[studentised] * np.quantile(distances, (1 - TAIL, TAIL), axis=0)
    return ends


def _studied(counts: np.ndarray, sums: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over films and its standard error, linearised over patients, of each draw: (draws, columns) both."""
    films, number = (counts @ sizes)[:, None], len(sizes)
    means = counts @ sums / films
    squares = (
        counts @ sums**2 - 2 * means * (counts @ (sums * sizes[:, None])) + means**2 * (counts @ sizes**2)[:, None]
    )
    return means, np.sqrt(np.maximum(squares, 0) * number / (number - 1)) / films


def auroc_interval(
    scores: np.ndarray,
    labels: np.ndarray,
    patients: Sequence[str] | np.ndarray,
    rng: np.random.Generator,
    *,
    draws: int = DRAWS,
) -> Interval:
    """Area under the ROC curve (ties count half) with its bootstrap interval over patients.

    Args:
        scores: (N,) the higher, the more likely. labels: (N,) bool. patients: (N,) pseudonyms.

    Returns:
        The interval; NaN where all labels are the same, its ends also below ``FEWEST`` patients with either label.
        Draws without both labels are left out.
    """
    scores, labels, groups = np.asarray(scores), np.asarray(labels, dtype=bool), np.asarray(patients)
    number = len(set(groups.tolist()))
    if labels.all() or not labels.any():
        return Interval(math.nan, math.nan, math.nan, len(labels), number)
    value = float(_weighted_auroc(scores, labels, np.ones((1, len(labels)), dtype=np.int64))[0])
    fewer = min(len(set(groups[labels].tolist())), len(set(groups[~labels].tolist())))
    if fewer < FEWEST:
        return Interval(value, math.nan, math.nan, len(labels), number)
    counts = bootstrap_counts(groups, draws, rng)
    drawn = [_weighted_auroc(scores, labels, counts[i : i + _CHUNK]) for i in range(0, draws, _CHUNK)]
    low, high = np.nanquantile(np.concatenate(drawn), tails(fewer))
    return Interval(value, float(low), float(high), len(labels), number)


def _weighted_auroc(scores: np.ndarray, labels: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """AUROC of each row of ``counts`` (draws, N): (draws,), NaN where a draw has one label only."""
    order = np.argsort(scores, kind="stable")
    ranked = scores[order]
    starts = np.flatnonzero(np.concatenate(([True], ranked[1:] != ranked[:-1])))
    positive = np.add.reduceat(counts[:, order] * labels[order], starts, axis=1)
    negative = np.add.reduceat(counts[:, order] * ~labels[order], starts, axis=1)
    beaten = np.cumsum(negative, axis=1) - 0.5 * negative
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    return np.where(pairs > 0, (positive * beaten).sum(axis=1) / np.maximum(pairs, 1), np.nan)
