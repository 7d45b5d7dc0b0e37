"""Uncertainty: the bootstrap draws patients, never films, for films of one patient are alike.

Intervals are expanded percentile intervals (Hesterberg 2015, arXiv:1411.5279): percentiles of the draws (Efron 1979,
doi:10.1214/aos/1176344552) as far out as Student's t and the n - 1 in a variance ask, without which they are too
narrow for few patients. ``python -m evaluation.statistics.coverage`` simulates how often they hold the truth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

DRAWS = 2000
TAIL = 0.025
"""Chance, on each side, that an interval leaves the truth out."""
FEWEST = 10
"""Patients below which there is no interval: its ends are NaN."""
_CHUNK = 250


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
        number = len(set(groups[chosen].tolist()))
        rng.bit_generator.state = state
        counts = bootstrap_counts(groups[chosen], draws, rng)
        values = np.stack([np.asarray(columns[place], dtype=np.float64)[chosen] for place in places], axis=1)
        means = counts @ values / counts.sum(axis=1)[:, None]
        limits = np.full((2, len(places)), math.nan) if number < FEWEST else np.quantile(means, tails(number), axis=0)
        for place, mean, low, high in zip(places, values.mean(axis=0), *limits):
            found[place] = Interval(float(mean), float(low), float(high), len(values), number)
    return found


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
