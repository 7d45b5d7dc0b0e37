"""What a reader study measures of each arm, and how a table of readings becomes arms by readers by cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from evaluation.reader_study import mrmc
from evaluation.reader_study.mrmc import Performance


@dataclass(frozen=True)
class Endpoint:
    """One measure of reading.

    Attributes:
        name: in tables for programs. title: for people. meaning: in a sentence.
        of: the performance of readings, of arms by readers by cases. better: which way, "" where neither is.
        logarithmic: whether it was averaged as logarithms: arms are then geometric means, differences are ratios.
    """

    name: str
    title: str
    meaning: str
    of: Callable[[pd.DataFrame, Sequence[str], Sequence[int]], Performance]
    better: str = "higher"
    logarithmic: bool = False


def cube(table: pd.DataFrame, column: str, arms: Sequence[str], readers: Sequence[int]) -> np.ndarray:
    """(A, R, N) of one column, NaN where a reader did not read a case under an arm."""
    made = np.full((len(arms), len(readers), int(table["case"].max()) + 1 if len(table) else 0), np.nan)
    arm = table["arm"].map({name: place for place, name in enumerate(arms)})
    reader = table["reader"].map({name: place for place, name in enumerate(readers)})
    known = arm.notna() & reader.notna()
    made[arm[known].astype(int), reader[known].astype(int), table["case"][known]] = table[column][known].astype(float)
    return made


def _mean(
    table: pd.DataFrame,
    arms: Sequence[str],
    readers: Sequence[int],
    *,
    column: str,
    where: Callable[[pd.DataFrame], pd.Series] | None = None,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Performance:
    chosen = table if where is None else table[where(table)]
    return mrmc.mean(cube(chosen, column, arms, readers), *bounds)


def _auroc(table: pd.DataFrame, arms: Sequence[str], readers: Sequence[int]) -> Performance:
    truth = np.zeros(int(table["case"].max()) + 1 if len(table) else 0, dtype=bool)
    truth[table["case"]] = table["present"].astype(bool)
    return mrmc.auroc(cube(table, "rating", arms, readers), truth)


def _log_seconds(table: pd.DataFrame, arms: Sequence[str], readers: Sequence[int]) -> Performance:
    timed = table[~table["interrupted"].astype(bool)]
    timed = timed.assign(log=np.log(timed["seconds"].astype(float).clip(lower=0.1)))
    return mrmc.mean(cube(timed, "log", arms, readers), -np.inf, np.inf)


def _true(name: str, value: bool = True) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda table: table[name].astype(bool) == value


ENDPOINTS = (
    Endpoint("accuracy", "Accuracy", "Share of cases called rightly.", partial(_mean, column="correct")),
    Endpoint("auroc", "AUROC", "How often a case with the finding is rated above one without it.", _auroc),
    Endpoint(
        "sensitivity", "Sensitivity", "Share of cases with the finding that were called.",
        partial(_mean, column="correct", where=_true("present")),
    ),
    Endpoint(
        "specificity", "Specificity", "Share of cases without the finding that were not called.",
        partial(_mean, column="correct", where=_true("present", False)),
    ),
    Endpoint(
        "hit", "Pointing into the outline", "Share of outlined findings into which readers pointed, or whose outline "
        "holds the middle of their region; a place that was not given misses.",
        partial(_mean, column="hit", where=lambda table: table["hit"].notna()),
    ),
    Endpoint(
        "overlap", "Overlap with the outline", "Intersection over union of readers' regions and experts' outlines.",
        partial(_mean, column="overlap", where=lambda table: table["overlap"].notna()),
    ),
    Endpoint(
        "accuracy_model_wrong", "Accuracy where the model is wrong",
        "Over-reliance shows here: a map that talks readers into a wrong call lowers it.",
        partial(_mean, column="correct", where=_true("model_wrong")),
    ),
    Endpoint(
        "accuracy_model_right", "Accuracy where the model is right", "Under-reliance shows here.",
        partial(_mean, column="correct", where=_true("model_wrong", False)),
    ),
    Endpoint(
        "seconds", "Seconds a case", "Geometric mean; interrupted cases left out.", _log_seconds, "lower", True
    ),
    Endpoint(
        "usefulness", "Usefulness", "What readers gave the map, 1 to 5.",
        partial(_mean, column="usefulness", where=lambda table: table["usefulness"].notna(), bounds=(1.0, 5.0)),
    ),
    Endpoint(
        "misled", "Would have misled", "Share of maps of which readers say that they would have misled them.",
        partial(_mean, column="misled", where=lambda table: table["misled"].notna()), "lower",
    ),
)  # fmt: skip
