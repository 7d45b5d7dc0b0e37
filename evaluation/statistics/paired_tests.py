"""Comparisons of methods on the same films: Friedman's and Wilcoxon's tests, Holm's correction, an effect size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import scipy

_ALL_SIGNS = 13
"""Differences up to which SciPy tries all signs."""


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


def patient_means(table: np.ndarray, patients: Sequence[str] | np.ndarray) -> np.ndarray:
    """Average (films, methods) over the films of each patient, for tests that need independent rows.

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
    complete = table[~np.isnan(table).any(axis=1)]
    if complete.shape[1] < 3 or len(complete) < 2 or np.ptp(complete, axis=1).max() == 0:
        return math.nan, math.nan, len(complete)
    result = scipy.stats.friedmanchisquare(*complete.T)
    return float(result.statistic), float(result.pvalue), len(complete)


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


def wilcoxon(difference: np.ndarray) -> float:
    """Two-sided p value of Wilcoxon's signed-rank test (1945, doi:10.2307/3001968); zeros are left out.

    The numbers are SciPy's; where it tries the signs of up to ``_ALL_SIGNS`` differences with ties or zeros one by one,
    they are counted here by the sum of ranks that they give, some thousand times faster.

    Args:
        difference: (N,) paired differences without NaN, not all 0.
    """
    size = np.abs(difference[difference != 0])
    if len(difference) > _ALL_SIGNS or len(np.unique(size)) == len(difference):
        return float(scipy.stats.wilcoxon(difference).pvalue)
    # Ranks of ties are halves, so sums of doubled ranks are whole: ways[s] of the signs give the sum s above zero.
    ranks = (2 * scipy.stats.rankdata(size)).astype(int)
    ways = np.ones(1)
    for rank in ranks:
        ways = np.pad(ways, (0, rank)) + np.pad(ways, (rank, 0))
    above = int(ranks @ (difference[difference != 0] > 0))
    return float(min(1.0, 2 * min(ways[: above + 1].sum(), ways[above:].sum()) / ways.sum()))


def wilcoxon_holm(table: np.ndarray, names: Sequence[str]) -> list[PairTest]:
    """Compare all pairs of methods on the same films by :func:`wilcoxon`, Holm-corrected.

    Args:
        table: (films, methods), or of patients' means; NaN is left out pair by pair. names: of the methods.
    """
    pairs = []
    for i, k in combinations(range(len(names)), 2):
        difference = table[:, i] - table[:, k]
        difference = difference[~np.isnan(difference)]
        p, median = math.nan, math.nan
        if len(difference):
            p = wilcoxon(difference) if np.any(difference) else 1.0
            median = float(np.median(difference))
        pairs.append((names[i], names[k], median, len(difference), p, rank_biserial(difference)))
    corrected = holm(np.array([pair[4] for pair in pairs]))
    return [PairTest(*pair[:5], float(p), pair[5]) for pair, p in zip(pairs, corrected)]
