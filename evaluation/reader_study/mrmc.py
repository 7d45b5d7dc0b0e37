"""Several readers, several cases: how well readers do under each arm, with intervals for both populations.

The model is that of Obuchowski and Rockette 1995 (doi:10.1080/03610919508813243) with the degrees of freedom of Hillis
2007 (doi:10.1002/sim.2532): readers and cases are both drawn at random. Covariances between readers and arms come from
what each case adds to a figure, so that designs in which readers or arms share only some of their cases need no other
formula: cases that two figures do not share add nothing to their covariance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import scipy

TAIL = 0.975
"""Quantile at which an interval of 95 % ends."""


@dataclass(frozen=True, eq=False)
class Performance:
    """A figure of each reader under each arm, and what each case adds to it.

    Attributes:
        values: (A, R) the figures, NaN where a reader has too few cases under an arm.
        influence: (A, R, N) what each case adds to a figure's sampling error, 0 for cases that were not read: the
            covariance of two figures is the sum of the products over cases.
        cases: (A,) how many cases were read under an arm. low, high: bounds of the figure.
    """

    values: np.ndarray
    influence: np.ndarray
    cases: np.ndarray
    low: float = 0.0
    high: float = 1.0

    def of(self, arms: list[int]) -> Performance:
        """That of some arms, by their places."""
        return Performance(self.values[arms], self.influence[arms], self.cases[arms], self.low, self.high)


def _read(outcomes: np.ndarray) -> np.ndarray:
    """(A,) cases of (A, R, N) outcomes that anybody read under an arm."""
    return (~np.isnan(outcomes)).any(axis=1).sum(axis=1)


@dataclass(frozen=True)
class ArmFigure:
    """A figure of one arm, averaged over readers, with its interval of 95 %; ``readers`` says over how many."""

    value: float
    low: float
    high: float
    error: float
    df: float
    readers: int


@dataclass(frozen=True)
class ArmDifference:
    """The figure of one arm less that of another (their places), with its interval and two-sided p."""

    first: int
    second: int
    value: float
    low: float
    high: float
    error: float
    df: float
    p: float


@dataclass(frozen=True)
class MrmcResult:
    """What several readers of several cases show.

    Attributes:
        arms: one figure an arm. differences: all pairs of arms.
        f, df, p: of the test that all arms do alike; NaN with fewer than 2 arms or readers.
        variance, cov1, cov2, cov3: mean error variance, and mean covariances of the same reader under two arms, of two
            readers under the same arm, and of two readers under two arms.
    """

    arms: tuple[ArmFigure, ...]
    differences: tuple[ArmDifference, ...]
    f: float
    df: float
    p: float
    variance: float
    cov1: float
    cov2: float
    cov3: float


def auroc(ratings: np.ndarray, truth: np.ndarray) -> Performance:
    """Area under the ROC curve (ties count half), with the structural components of DeLong et al. 1988.

    Args:
        ratings: (A, R, N) the higher, the more likely; NaN where a case was not read. truth: (N,) bool.
    """
    arms, readers, cases = ratings.shape
    values, influence = np.full((arms, readers), np.nan), np.zeros((arms, readers, cases))
    for place in np.ndindex(arms, readers):
        read = ~np.isnan(ratings[place])
        positive, negative = np.flatnonzero(read & truth), np.flatnonzero(read & ~truth)
        if len(positive) < 2 or len(negative) < 2:
            continue
        apart = ratings[place][positive][:, None] - ratings[place][negative][None]
        beaten = (apart > 0) + 0.5 * (apart == 0)
        values[place] = beaten.mean()
        for chosen, component in ((positive, beaten.mean(axis=1)), (negative, beaten.mean(axis=0))):
            influence[place][chosen] = _centred(component)
    return Performance(values, influence, _read(ratings))


def mean(outcomes: np.ndarray, low: float = 0.0, high: float = 1.0) -> Performance:
    """The mean over cases, as of right and wrong answers.

    Args:
        outcomes: (A, R, N), NaN where a case was not read, or has no outcome. low, high: bounds of the mean.
    """
    values, influence = np.full(outcomes.shape[:2], np.nan), np.zeros(outcomes.shape)
    for place in np.ndindex(values.shape):
        read = np.flatnonzero(~np.isnan(outcomes[place]))
        if len(read) >= 2:
            values[place] = outcomes[place][read].mean()
            influence[place][read] = _centred(outcomes[place][read])
    return Performance(values, influence, _read(outcomes), low, high)


def jackknifed_auroc(ratings: np.ndarray, truth: np.ndarray) -> Performance:
    """As :func:`auroc`, with the jackknife's covariances, which other programs use by default; all cases must be read.

    Args:
        ratings: (A, R, N) without NaN. truth: (N,) bool.
    """
    cases = len(truth)
    full = auroc(ratings, truth).values
    left_out = np.stack(
        [auroc(np.delete(ratings, case, axis=2), np.delete(truth, case)).values for case in range(cases)], axis=2
    )
    influence = math.sqrt((cases - 1) / cases) * (left_out.mean(axis=2, keepdims=True) - left_out)
    return Performance(full, influence, _read(ratings))


def _centred(component: np.ndarray) -> np.ndarray:
    count = len(component)
    return (component - component.mean()) / math.sqrt(count * (count - 1))


def analyse(performance: Performance) -> MrmcResult:
    """Compare arms over readers and cases; readers who lack a figure under any arm are left out."""
    complete = ~np.isnan(performance.values).any(axis=0)
    values, influence = performance.values[:, complete], performance.influence[:, complete]
    arms, readers = values.shape
    bounds = performance.low, performance.high
    if readers < 2 or not arms:
        return _undefined(values, readers)
    covariance = np.einsum("arn,bsn->arbs", influence, influence)
    variance, cov1, cov2, cov3 = _components(covariance)
    grand, by_arm, by_reader = values.mean(), values.mean(axis=1), values.mean(axis=0)
    rest = values - by_arm[:, None] - by_reader[None] + grand
    f = df = p = math.nan
    differences: list[ArmDifference] = []
    if arms >= 2:
        interaction = float((rest**2).sum()) / ((arms - 1) * (readers - 1))
        error = interaction + readers * max(cov2 - cov3, 0.0)
        df = _degrees(error, interaction, (arms - 1) * (readers - 1))
        between = readers * float(((by_arm - grand) ** 2).sum()) / (arms - 1)
        f = between / error if error > 0 else math.nan
        p = float(_survival(f, arms - 1, df))
        spread = math.sqrt(2 / readers * error)
        differences = [
            _difference(i, k, float(by_arm[i] - by_arm[k]), spread, df) for i, k in combinations(range(arms), 2)
        ]
    figures = tuple(_single(values[arm], covariance[arm, :, arm], bounds) for arm in range(arms))
    return MrmcResult(figures, tuple(differences), f, df, p, variance, cov1, cov2, cov3)


def _components(covariance: np.ndarray) -> tuple[float, float, float, float]:
    """Var, Cov1, Cov2, Cov3 of an (A, R, A, R) covariance; 0 where there is no such pair."""
    arms, readers = covariance.shape[:2]
    arm, reader, other_arm, other_reader = np.ogrid[:arms, :readers, :arms, :readers]
    same_arm, same_reader = arm == other_arm, reader == other_reader
    kinds = (same_arm & same_reader, ~same_arm & same_reader, same_arm & ~same_reader, ~same_arm & ~same_reader)
    found = [float(covariance[kind].mean()) if kind.any() else 0.0 for kind in kinds]
    return found[0], found[1], found[2], found[3]


def _degrees(error: float, square: float, plain: int) -> float:
    """Hillis' degrees of freedom; infinite where readers do not differ, so that cases alone matter."""
    return math.inf if square <= 0 else error**2 / (square**2 / plain)


def _single(values: np.ndarray, covariance: np.ndarray, bounds: tuple[float, float]) -> ArmFigure:
    """One arm by itself: (R,) figures and their (R, R) covariance."""
    readers = len(values)
    square = float(values.var(ddof=1))
    cov2 = float((covariance.sum() - np.trace(covariance)) / (readers * (readers - 1)))
    total = square + readers * max(cov2, 0.0)
    error, df = math.sqrt(total / readers), _degrees(total, square, readers - 1)
    value, reach = float(values.mean()), _quantile(df) * error
    return ArmFigure(value, max(value - reach, bounds[0]), min(value + reach, bounds[1]), error, df, readers)


def _difference(first: int, second: int, value: float, error: float, df: float) -> ArmDifference:
    reach = _quantile(df) * error
    p = float(_survival((value / error) ** 2, 1, df)) if error > 0 else math.nan
    return ArmDifference(first, second, value, value - reach, value + reach, error, df, p)


def _survival(f: float, numerator: int, df: float) -> float:
    if math.isnan(f):
        return math.nan
    return scipy.stats.chi2.sf(numerator * f, numerator) if math.isinf(df) else scipy.stats.f.sf(f, numerator, df)


def _quantile(df: float) -> float:
    return float(scipy.stats.norm.ppf(TAIL) if math.isinf(df) else scipy.stats.t.ppf(TAIL, df))


def _undefined(values: np.ndarray, readers: int) -> MrmcResult:
    """With one reader there are figures and no intervals, with none nothing."""
    nan = math.nan
    means = values.mean(axis=1) if readers else np.full(len(values), nan)
    figures = tuple(ArmFigure(float(value), nan, nan, nan, nan, readers) for value in means)
    differences = tuple(
        ArmDifference(i, k, float(means[i] - means[k]), nan, nan, nan, nan, nan)
        for i, k in combinations(range(len(means)), 2)
    )
    return MrmcResult(figures, differences, nan, nan, nan, nan, nan, nan, nan)
