"""Uncertainty and comparisons: the bootstrap draws patients, never films, for films of one patient are alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import scipy

DRAWS = 2000
_CHUNK = 250
Method = Literal["percentile", "bca"]
"""Of the bootstrap: the percentile interval (Efron 1979, doi:10.1214/aos/1176344552), or the bias-corrected and
accelerated one (Efron 1987, doi:10.1080/01621459.1987.10478410)."""


@dataclass(frozen=True)
class Interval:
    """A figure with its interval; ``films`` and ``patients`` say on how many it rests."""

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
        effect: matched-pairs rank-biserial correlation, see :func:`rank_biserial`.
    """

    first: str
    second: str
    difference: float
    n: int
    p: float
    p_holm: float
    effect: float = math.nan


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
    method: Method = "percentile",
) -> Interval:
    """Mean over films with its bootstrap interval over patients.

    Args:
        values: (N,) one number a film; NaN is left out. patients: (N,) pseudonyms. rng: source of the draws.
        level: share of such intervals that hold the true mean. method: of the bootstrap, see ``Method``.

    Returns:
        The interval; NaN limits for BCa where fewer than two patients have a number.
    """
    values = np.asarray(values, dtype=np.float64)
    kept = ~np.isnan(values)
    values, groups = values[kept], np.asarray(patients)[kept]
    if len(values) == 0:
        return Interval(math.nan, math.nan, math.nan, 0, 0)

    def means(counts: np.ndarray) -> np.ndarray:
        return counts @ values / counts.sum(axis=1)

    return _bootstrap(means, groups, rng, draws, level, method)


def auroc_interval(
    scores: np.ndarray,
    labels: np.ndarray,
    patients: Sequence[str] | np.ndarray,
    rng: np.random.Generator,
    *,
    draws: int = DRAWS,
    level: float = 0.95,
    method: Method = "percentile",
) -> Interval:
    """Area under the ROC curve (ties count half) with its bootstrap interval over patients.

    Args:
        scores: (N,) the higher, the more likely. labels: (N,) bool. patients: (N,) pseudonyms.

    Returns:
        The interval; NaN where all labels are the same. Draws without both labels are left out.
    """
    scores, labels, groups = np.asarray(scores), np.asarray(labels, dtype=bool), np.asarray(patients)
    if labels.all() or not labels.any():
        return Interval(math.nan, math.nan, math.nan, len(labels), len(set(groups.tolist())))
    return _bootstrap(lambda counts: _weighted_auroc(scores, labels, counts), groups, rng, draws, level, method)


def delong_interval(
    scores: np.ndarray, labels: np.ndarray, patients: Sequence[str] | np.ndarray, *, level: float = 0.95
) -> Interval:
    """Area under the ROC curve (ties count half) with DeLong's interval, no draws needed.

    DeLong et al. 1988, doi:10.2307/2531595; where a patient has several films, their sums are what varies (Obuchowski
    1997, doi:10.2307/2533958), which is DeLong's variance again where each has one. Normal limits, cut at 0 and 1.

    Args:
        scores: (N,) the higher, the more likely. labels: (N,) bool. patients: (N,) pseudonyms.

    Returns:
        The interval; NaN where all labels are the same, NaN limits where fewer than two patients have each label.
    """
    scores, labels = np.asarray(scores, dtype=np.float64), np.asarray(labels, dtype=bool)
    names, patient = np.unique(np.asarray(patients), return_inverse=True)
    positives, negatives = int(labels.sum()), int((~labels).sum())
    if positives == 0 or negatives == 0:
        return Interval(math.nan, math.nan, math.nan, len(labels), len(names))
    ranks = scipy.stats.rankdata(scores)
    beaten = np.empty(len(scores))
    beaten[labels] = (ranks[labels] - scipy.stats.rankdata(scores[labels])) / negatives
    beaten[~labels] = 1 - (ranks[~labels] - scipy.stats.rankdata(scores[~labels])) / positives
    value = float(beaten[labels].mean())
    sums = [np.bincount(patient[side], beaten[side] - value, len(names)) for side in (labels, ~labels)]
    have = [len(np.unique(patient[side])) for side in (labels, ~labels)]
    if min(have) < 2:
        return Interval(value, math.nan, math.nan, len(labels), len(names))
    variance = have[0] / (have[0] - 1) * (sums[0] @ sums[0]) / positives**2
    variance += have[1] / (have[1] - 1) * (sums[1] @ sums[1]) / negatives**2
    variance += 2 * len(names) / (len(names) - 1) * (sums[0] @ sums[1]) / (positives * negatives)
    half = float(scipy.stats.norm.ppf(0.5 + level / 2)) * math.sqrt(max(float(variance), 0.0))
    return Interval(value, max(value - half, 0.0), min(value + half, 1.0), len(labels), len(names))


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


def _bootstrap(
    figure: Callable[[np.ndarray], np.ndarray],
    patients: np.ndarray,
    rng: np.random.Generator,
    draws: int,
    level: float,
    method: Method,
) -> Interval:
    """Interval of a figure that is worked out for each row of counts (draws, N) of how often a film was drawn."""
    value = float(figure(np.ones((1, len(patients)), dtype=np.int64))[0])
    counts = bootstrap_counts(patients, draws, rng)
    drawn = _in_parts(figure, counts)
    drawn = drawn[~np.isnan(drawn)]
    names, patient = np.unique(patients, return_inverse=True)
    tails = np.array([0.5 - level / 2, 0.5 + level / 2])
    if method == "bca":
        without = (np.arange(len(names))[:, None] != patient[None]).astype(np.int64)
        left_out = _in_parts(figure, without) if len(names) > 1 else np.full(1, np.nan)
        tails = _bca_tails(tails, value, drawn, left_out[~np.isnan(left_out)])
    elif method != "percentile":
        raise ValueError(f"method: expected percentile or bca, got {method!r}")
    low, high = (math.nan, math.nan) if np.isnan(tails).any() else np.quantile(drawn, tails)
    return Interval(value, float(low), float(high), len(patients), len(names))


def _in_parts(figure: Callable[[np.ndarray], np.ndarray], counts: np.ndarray) -> np.ndarray:
    return np.concatenate([figure(counts[i : i + _CHUNK]) for i in range(0, len(counts), _CHUNK)])


def _bca_tails(tails: np.ndarray, value: float, drawn: np.ndarray, left_out: np.ndarray) -> np.ndarray:
    """Move the tails by the bias of the draws and by how the figure's spread changes with its size."""
    if len(left_out) < 2:
        return np.full(2, np.nan)
    away = left_out.mean() - left_out
    if not np.any(away):
        return tails
    acceleration = np.sum(away**3) / (6 * np.sum(away**2) ** 1.5)
    bias = scipy.stats.norm.ppf((np.mean(drawn < value) + np.mean(drawn <= value)) / 2)
    moved = bias + scipy.stats.norm.ppf(tails)
    return scipy.stats.norm.cdf(bias + moved / (1 - acceleration * moved))


def patient_means(table: np.ndarray, patients: Sequence[str] | np.ndarray) -> np.ndarray:
    """Average (films, methods) over the films of each patient, for tests that ask for independent rows.

    Returns:
        (patients, methods); a method's NaN is left out, and stays where it has no number for a patient.
    """
    names, patient = np.unique(np.asarray(patients), return_inverse=True)
    known = ~np.isnan(table)
    sums, counts = np.zeros((len(names), table.shape[1])), np.zeros((len(names), table.shape[1]))
    np.add.at(sums, patient, np.where(known, table, 0))
    np.add.at(counts, patient, known)
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


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
    result = scipy.stats.friedmanchisquare(*kept.T)
    return float(result.statistic), float(result.pvalue), len(kept)


def holm(p_values: np.ndarray) -> np.ndarray:
    """Correct (N,) p values for N tests (Holm 1979); NaN stays NaN and does not count as a test."""
    corrected = np.full(len(p_values), np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested])]
    steps = p_values[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(order) else steps
    return corrected


def rank_biserial(difference: np.ndarray) -> float:
    """Effect size of (N,) paired differences, from -1 to 1: share of rank sum above 0 less the share below.

    Kerby 2014, doi:10.2466/11.IT.3.1. Zeros are left out, as in Wilcoxon's test; 0 where all are zero, NaN for none.
    """
    if len(difference) == 0:
        return math.nan
    moved = difference[difference != 0]
    if len(moved) == 0:
        return 0.0
    ranks = scipy.stats.rankdata(np.abs(moved))
    return float((ranks @ np.sign(moved)) / ranks.sum())


def wilcoxon_holm(table: np.ndarray, names: Sequence[str]) -> list[PairTest]:
    """Compare all pairs of methods on the same films (Wilcoxon 1945, doi:10.2307/3001968), Holm-corrected.

    Args:
        table: (films, methods), or of patients' means; NaN is left out pair by pair. names: of the methods.
    """
    pairs = []
    for i, k in combinations(range(len(names)), 2):
        difference = table[:, i] - table[:, k]
        difference = difference[~np.isnan(difference)]
        p, median = math.nan, math.nan
        if len(difference):
            p = float(scipy.stats.wilcoxon(difference).pvalue) if np.any(difference) else 1.0
            median = float(np.median(difference))
        pairs.append((names[i], names[k], median, len(difference), p, rank_biserial(difference)))
    corrected = holm(np.array([pair[4] for pair in pairs]))
    return [PairTest(*pair[:5], float(p), pair[5]) for pair, p in zip(pairs, corrected)]
