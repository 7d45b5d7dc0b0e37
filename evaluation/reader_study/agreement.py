"""How far readers agree with one another: weighted kappa, intraclass correlation, Krippendorff's alpha.

Kappa is scikit-learn's. The libraries of the other two (krippendorff, pingouin) are under the GPL, which this project's
licence does not allow it to depend on; the tests hold ours against the first.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import Literal

import numpy as np

Level = Literal["nominal", "ordinal", "interval"]


def krippendorff_alpha(answers: np.ndarray, level: Level) -> float:
    """Krippendorff's alpha: 1 where all agree, 0 by chance; readers need not have read the same cases.

    Krippendorff 2011, Computing Krippendorff's Alpha-Reliability (repository.upenn.edu/asc_papers/43).

    Args:
        answers: (R, N) of readers and cases, NaN where a reader gave none. level: how far two answers lie apart.

    Returns:
        The alpha; NaN where no case has two answers, or all answers are the same.
    """
    values = np.unique(answers[~np.isnan(answers)])
    counts = (answers[:, :, None] == values).sum(axis=0).astype(float)
    counts = counts[counts.sum(axis=1) >= 2]
    paired = counts.sum(axis=1)
    if len(values) < 2 or not len(counts):
        return math.nan
    coincidences = np.einsum("uc,uk,u->ck", counts, counts, 1 / (paired - 1)) - np.diag(
        (counts / (paired - 1)[:, None]).sum(axis=0)
    )
    totals = coincidences.sum(axis=0)
    apart = _apart(values, totals, level)
    expected = float((np.outer(totals, totals) * apart).sum()) / (totals.sum() - 1)
    return math.nan if expected == 0 else 1 - float((coincidences * apart).sum()) / expected


def _apart(values: np.ndarray, totals: np.ndarray, level: Level) -> np.ndarray:
    if level == "nominal":
        return (values[:, None] != values[None]).astype(float)
    if level == "interval":
        return (values[:, None] - values[None]) ** 2
    ranks = np.cumsum(totals) - totals / 2
    return (ranks[:, None] - ranks[None]) ** 2


def intraclass_correlation(answers: np.ndarray) -> float:
    """ICC(2,1), absolute agreement of single readers drawn at random (Shrout and Fleiss 1979).

    doi:10.1037/0033-2909.86.2.420.

    Args:
        answers: (R, N); cases that a reader did not answer are left out.

    Returns:
        The correlation; NaN with fewer than 2 readers or cases, or without any spread.
    """
    complete = answers[:, ~np.isnan(answers).any(axis=0)]
    readers, cases = complete.shape
    if readers < 2 or cases < 2:
        return math.nan
    grand = complete.mean()
    by_case, by_reader = complete.mean(axis=0), complete.mean(axis=1)
    between = readers * float(((by_case - grand) ** 2).sum()) / (cases - 1)
    judges = cases * float(((by_reader - grand) ** 2).sum()) / (readers - 1)
    rest = float(((complete - by_case[None] - by_reader[:, None] + grand) ** 2).sum()) / ((readers - 1) * (cases - 1))
    whole = between + (readers - 1) * rest + readers * (judges - rest) / cases
    return math.nan if whole == 0 else (between - rest) / whole


def weighted_kappa(answers: np.ndarray) -> float:
    """Cohen's kappa with quadratic weights, averaged over all pairs of readers who answered the same cases.

    Args:
        answers: (R, N) whole numbers, NaN where a reader gave none.

    Returns:
        The mean; NaN where no pair has two common cases and any spread.
    """
    # Slow to import, and only the report asks for it.
    from sklearn.metrics import cohen_kappa_score

    found = []
    for first, second in combinations(answers, 2):
        both = ~np.isnan(first) & ~np.isnan(second)
        if both.sum() >= 2 and len(np.unique(np.concatenate([first[both], second[both]]))) > 1:
            found.append(
                float(cohen_kappa_score(first[both].astype(int), second[both].astype(int), weights="quadratic"))
            )
    return float(np.nanmean(found)) if found and not np.isnan(found).all() else math.nan
