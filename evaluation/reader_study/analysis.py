"""What a closed study shows: arms with intervals, differences, agreement, and whether readers like right maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy

from evaluation.reader_study import mrmc
from evaluation.reader_study.agreement import Level, intraclass_correlation, krippendorff_alpha, weighted_kappa
from evaluation.reader_study.endpoints import ENDPOINTS, Endpoint, cube
from evaluation.reader_study.readings import readings
from evaluation.reader_study.store import StudyStore
from evaluation.reader_study.study_file import NO_MAP, Study
from evaluation.scores import get_metric
from evaluation.statistics.paired_tests import holm

DRAWS = 1000
FEWEST = 10
"""Cases below which the tie between usefulness and scores has no interval."""
_LEVELS: dict[str, Level] = {"said_present": "nominal", "confidence": "interval", "usefulness": "ordinal"}
_QUESTIONS = {"said_present": "Finding present", "confidence": "Confidence", "usefulness": "Usefulness"}


@dataclass(frozen=True, eq=False)
class StudyResult:
    """What a study shows, as tables.

    Attributes:
        study: the study. key: arm by letter. readings: one row an answer.
        readers: one row a reader: answers, checks missed, whether they count. arms: endpoint, arm, value, interval,
            readers, cases. differences: endpoint, two arms, difference (ratio for seconds), interval, p, p after Holm.
        agreement: question, arm, kappa, intraclass correlation, alpha. liking: metric, maps, cases, rank correlation of
            usefulness with the metric (above 0: the better the map, the more it is liked), interval.
    """

    study: Study
    key: dict[str, str]
    readings: pd.DataFrame
    readers: pd.DataFrame
    arms: pd.DataFrame
    differences: pd.DataFrame
    agreement: pd.DataFrame
    liking: pd.DataFrame

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables by the names of their files."""
        names = ("arms", "differences", "agreement", "liking", "readers", "readings")
        return {name: getattr(self, name) for name in names}


def analyse_study(store: StudyStore) -> StudyResult:
    """Analyse a closed study.

    Raises:
        StudyError: it is still open, or a file of it is damaged.
    """
    table = readings(store)
    study = store.study
    readers = _readers(store, table)
    counted = readers.loc[readers["counts"], "reader"].tolist()
    cases = table[(table["part"] == "case") & table["reader"].isin(counted)].reset_index(drop=True)
    names = [arm.name for arm in study.arms]
    arms, differences = compared(cases, names, counted)
    return StudyResult(
        study, store.key(), table, readers, arms, differences, _agreement(cases, names, counted), _liking(cases, study)
    )


def _readers(store: StudyStore, table: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for reader in store.readers:
        own = table[table["reader"] == reader]
        missed = int((~own.loc[own["part"] == "check", "correct"].astype(bool)).sum())
        answered = int((own["part"] == "case").sum())
        whole = sum(trial.part == "case" for trial in store.trials(reader))
        rows.append((reader, answered, whole, missed, answered > 0 and missed <= store.study.failed_checks))
    return pd.DataFrame(rows, columns=["reader", "cases answered", "of", "checks missed", "counts"])


def compared(
    cases: pd.DataFrame, arms: Sequence[str], readers: Sequence[int], endpoints: Sequence[Endpoint] = ENDPOINTS
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every endpoint by arm, and between arms, over readers and cases; see :class:`StudyResult` for the columns.

    Args:
        cases: readings, as :func:`evaluation.reader_study.readings.readings` gives them, without practice and checks.
    """
    figures, pairs = [], []
    for endpoint in endpoints:
        performance = endpoint.of(cases, arms, readers)
        # An arm without a map has no usefulness: arms that nobody has a figure for stand aside.
        there = [place for place in range(len(arms)) if not np.isnan(performance.values[place]).all()]
        result = mrmc.analyse(performance.of(there))
        outer = np.exp if endpoint.logarithmic else float
        for place, figure in zip(there, result.arms):
            ends = (float(outer(value)) for value in (figure.value, figure.low, figure.high))
            figures.append((endpoint.name, arms[place], *ends, figure.readers, int(performance.cases[place])))
        corrected = holm(np.array([pair.p for pair in result.differences]))
        for pair, p in zip(result.differences, corrected):
            ends = (float(outer(value)) for value in (pair.value, pair.low, pair.high))
            pairs.append((endpoint.name, arms[there[pair.first]], arms[there[pair.second]], *ends, pair.p, float(p)))
    return (
        pd.DataFrame(figures, columns=["endpoint", "arm", "value", "low", "high", "readers", "cases"]),
        pd.DataFrame(pairs, columns=["endpoint", "first", "second", "difference", "low", "high", "p", "p_holm"]),
    )


def _agreement(cases: pd.DataFrame, arms: Sequence[str], readers: Sequence[int]) -> pd.DataFrame:
    rows = []
    for column, level in _LEVELS.items():
        by_arm = cube(cases.assign(**{column: cases[column].astype(float)}), column, arms, readers)
        for arm, answers in zip(arms, by_arm):
            if np.isnan(answers).all():
                continue
            kappa = math.nan if level == "interval" else weighted_kappa(answers)
            correlation = math.nan if level == "nominal" else intraclass_correlation(answers)
            rows.append((_QUESTIONS[column], arm, kappa, correlation, krippendorff_alpha(answers, level)))
    return pd.DataFrame(rows, columns=["question", "arm", "weighted kappa", "ICC(2,1)", "Krippendorff's alpha"])


def _liking(cases: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Do readers like the maps that are right: usefulness against what was measured of the same maps."""
    shown = [arm.name for arm in study.arms if arm.kind != NO_MAP]
    metrics = list(cases.columns[cases.columns.get_loc("late") + 1 :])
    maps = cases[cases["arm"].isin(shown)].groupby(["case", "arm"], as_index=False)[["usefulness", *metrics]].mean()
    rng = np.random.default_rng(0)
    rows = []
    for name in metrics:
        metric = get_metric(name)
        known = maps[maps["usefulness"].notna() & maps[name].notna()]
        sign = -1 if metric.direction == "lower" else 1
        found = rank_correlation(known["usefulness"].to_numpy(), sign * known[name].to_numpy(), known["case"], rng)
        rows.append((metric.title, len(known), known["case"].nunique(), *found))
    return pd.DataFrame(rows, columns=["metric", "maps", "cases", "rank correlation", "low", "high"])


def rank_correlation(
    first: np.ndarray, second: np.ndarray, cases: Sequence[int] | pd.Series, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Spearman's correlation with its bootstrap interval over cases; NaN where it is undefined.

    Args:
        first, second: (N,) of maps. cases: (N,) the case of each map.
    """
    groups = [np.flatnonzero(np.asarray(cases) == case) for case in np.unique(np.asarray(cases))]
    value = _spearman(first, second)
    if len(groups) < FEWEST or math.isnan(value):
        return value, math.nan, math.nan
    draws = []
    for _ in range(DRAWS):
        chosen = np.concatenate([groups[place] for place in rng.integers(len(groups), size=len(groups))])
        draws.append(_spearman(first[chosen], second[chosen]))
    low, high = np.nanquantile(draws, (0.025, 0.975))
    return value, float(low), float(high)


def _spearman(first: np.ndarray, second: np.ndarray) -> float:
    ranks = [scipy.stats.rankdata(values) for values in (first, second)]
    if len(first) < 3 or any(np.ptp(rank) == 0 for rank in ranks):
        return math.nan
    return float(np.corrcoef(*ranks)[0, 1])
