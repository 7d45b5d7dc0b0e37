"""Uncertainty and comparisons: the bootstrap draws patients, never films, for films of one patient are alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import stats

DRAWS = 2000
_CHUNK = 250


@dataclass(frozen=True)
class Interval:
    """A figure with its percentile interval; ``films`` and ``patients`` say on how many it rests."""

    value: float
    low: float
    high: float
    films: int
    patients: int


@dataclass(frozen=True)
class PairTest:
    """Wilcoxon's signed-rank test of two methods on the same films.

    Attributes:
        first, second: the methods. difference: median of first minus second. n: films on which both have a score.
        p: two-sided. p_holm: corrected for all pairs of the table (Holm 1979).
    """

    first: str
    second: str
    difference: float
    n: int
    p: float
    p_holm: float


def bootstrap_counts(patients: Sequence[str] | np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    """How often each film is drawn when patients are drawn with replacement: (draws, N) int64."""
    _, patient = np.unique(np.asarray(patients), return_inverse=True)
    number = int(patient.max()) + 1
    return rng.multinomial(number, np.full(number, 1 / number), size=draws)[:, patient]


def mean_interval(
    values: np.ndarray,
    patients: Sequence[str] | np.ndarray,
    rng: np.random.Generator,
    *,
    draws: int = DRAWS,
    level: float = 0.95,
) -> Interval:
    """Mean over films with its percentile bootstrap interval over patients (Efron 1979, doi:10.1214/aos/1176344552).

    Args:
        values: (N,) one number a film; NaN is left out. patients: (N,) pseudonyms. rng: source of the draws.
    """
    values = np.asarray(values, dtype=np.float64)
    kept = ~np.isnan(values)
    values, groups = values[kept], np.asarray(patients)[kept]
    if len(values) == 0:
        return Interval(math.nan, math.nan, math.nan, 0, 0)
    counts = bootstrap_counts(groups, draws, rng)
    return _interval(float(values.mean()), counts @ values / counts.sum(axis=1), groups, level)


def auroc_interval(
    scores: np.ndarray,
    labels: np.ndarray,
    patients: Sequence[str] | np.ndarray,
    rng: np.random.Generator,
    *,
    draws: int = DRAWS,
    level: float = 0.95,
) -> Interval:
    """Area under the ROC curve (ties count half) with its percentile bootstrap interval over patients.

    Args:
        scores: (N,) the higher, the more likely. labels: (N,) bool. patients: (N,) pseudonyms.

    Returns:
        The interval; NaN where all labels are the same. Draws without both labels are left out.
    """
    labels, groups = np.asarray(labels, dtype=bool), np.asarray(patients)
    if labels.all() or not labels.any():
        return Interval(math.nan, math.nan, math.nan, len(labels), len(set(groups.tolist())))
    value = float(_weighted_auroc(np.asarray(scores), labels, np.ones((1, len(labels)), dtype=np.int64))[0])
    counts = bootstrap_counts(groups, draws, rng)
    parts = [_weighted_auroc(np.asarray(scores), labels, counts[i : i + _CHUNK]) for i in range(0, draws, _CHUNK)]
    return _interval(value, np.concatenate(parts), groups, level)


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


def _interval(value: float, drawn: np.ndarray, patients: np.ndarray, level: float) -> Interval:
    tail = 100 * (1 - level) / 2
    low, high = np.nanpercentile(drawn, [tail, 100 - tail])
    return Interval(value, float(low), float(high), len(patients), len(np.unique(patients)))


def friedman(table: np.ndarray) -> tuple[float, float, int]:
    """Test whether methods differ at all (Friedman 1937, doi:10.1080/01621459.1937.10503522).

    Args:
        table: (films, methods); films with a NaN are left out.

    Returns:
        Statistic, p value, number of films used; NaN with fewer than 3 methods or 2 films.
    """
    kept = table[~np.isnan(table).any(axis=1)]
    if kept.shape[1] < 3 or len(kept) < 2 or np.ptp(kept, axis=1).max() == 0:
        return math.nan, math.nan, len(kept)
    result = stats.friedmanchisquare(*kept.T)
    return float(result.statistic), float(result.pvalue), len(kept)


def holm(p_values: np.ndarray) -> np.ndarray:
    """Correct (N,) p values for N tests (Holm 1979); NaN stays NaN and does not count as a test."""
    corrected = np.full(len(p_values), np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested])]
    steps = p_values[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(order) else steps
    return corrected


def wilcoxon_holm(table: np.ndarray, names: Sequence[str]) -> list[PairTest]:
    """Compare all pairs of methods on the same films (Wilcoxon 1945, doi:10.2307/3001968), Holm-corrected.

    Args:
        table: (films, methods); NaN is left out pair by pair. names: of the methods.
    """
    pairs = []
    for i, k in combinations(range(len(names)), 2):
        difference = table[:, i] - table[:, k]
        difference = difference[~np.isnan(difference)]
        p = math.nan
        if len(difference):
            p = float(stats.wilcoxon(difference).pvalue) if np.any(difference) else 1.0
        pairs.append(
            (names[i], names[k], float(np.median(difference)) if len(difference) else math.nan, len(difference), p)
        )
    corrected = holm(np.array([pair[4] for pair in pairs]))
    return [PairTest(*pair, float(p)) for pair, p in zip(pairs, corrected)]
