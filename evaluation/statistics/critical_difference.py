"""Mean ranks of methods over films, which of them differ, and the diagram that shows it (Demšar 2006)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import scipy
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluation.scores import Direction
from evaluation.statistics.paired_tests import PairTest, friedman, wilcoxon_holm

LEVEL = 0.05
"""Level of Wilcoxon's test, Holm-corrected, from which two methods are told apart."""


@dataclass(frozen=True)
class Ranking:
    """Methods by mean rank, the best (lowest) first.

    Attributes:
        names: of the methods. mean_ranks: 1 is best; equal scores share their ranks.
        n: films (or patients) on which every method has a score. friedman_p: of the test that all are alike.
        cliques: first and last place (from 0) of each longest run of methods of which no pair was told apart.
    """

    names: tuple[str, ...]
    mean_ranks: tuple[float, ...]
    n: int
    friedman_p: float
    cliques: tuple[tuple[int, int], ...]


def rank_methods(
    table: np.ndarray, names: Sequence[str], *, direction: Direction = "higher", pairs: Sequence[PairTest] | None = None
) -> Ranking:
    """Rank methods on each film and say which of them differ.

    Each pair is compared on its own films with Holm's correction, as Benavoli et al. 2016 (JMLR 17:1-10) advise: what
    the test says of a pair does not hang on the other methods, as Nemenyi's would.

    Args:
        table: (films, methods) scores of one metric, or patients' means of it (``patient_means``); films with a NaN
            are left out. names: of the methods. direction: which way the metric is better. pairs: the
            result of ``wilcoxon_holm`` on this table, without NaN, where it is computed already.

    Raises:
        ValueError: fewer than two methods, no complete film, or a direction without a better end.
    """
    if direction == "neither":
        raise ValueError("expected direction higher or lower, got neither")
    complete = np.asarray(table, dtype=np.float64)
    complete = complete[~np.isnan(complete).any(axis=1)]
    if complete.ndim != 2 or complete.shape[1] != len(names) or len(names) < 2 or len(complete) == 0:
        raise ValueError(f"expected at least two named methods and one film scored by all, got {np.shape(table)}")
    ranks = scipy.stats.rankdata(-complete if direction == "higher" else complete, axis=1).mean(axis=0)
    order = np.argsort(ranks, kind="stable")
    alike = _not_told_apart(wilcoxon_holm(complete, names) if pairs is None else pairs, names)
    return Ranking(
        tuple(names[i] for i in order), tuple(float(ranks[i]) for i in order), len(complete), friedman(complete)[1],
        _cliques(alike[np.ix_(order, order)]),
    )  # fmt: skip


def _not_told_apart(pairs: Sequence[PairTest], names: Sequence[str]) -> np.ndarray:
    """(methods, methods) bool: pairs that Wilcoxon's test, Holm-corrected, does not tell apart."""
    alike = np.ones((len(names), len(names)), dtype=bool)
    for (i, k), pair in zip(combinations(range(len(names)), 2), pairs, strict=True):
        alike[i, k] = alike[k, i] = not pair.p_holm < LEVEL
    return alike


def _cliques(alike: np.ndarray) -> tuple[tuple[int, int], ...]:
    """Longest runs of neighbours of which every pair is alike; runs of one method are no run."""
    runs: list[tuple[int, int]] = []
    for first in range(len(alike)):
        last = first
        while last + 1 < len(alike) and alike[first : last + 2, first : last + 2].all():
            last += 1
        if last > first and not (runs and runs[-1][1] >= last):
            runs.append((first, last))
    return tuple(runs)


def critical_difference_figure(ranking: Ranking, title: str = "") -> Figure:
    """Draw the diagram: mean ranks on a line, the best at the left, bars under methods that were not told apart."""
    count, runs = len(ranking.names), len(ranking.cliques)
    half = (count + 1) // 2
    height = 0.9 + 0.18 * runs + 0.28 * half
    figure = Figure(figsize=(8.0, height + 0.6), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlim(0.7, count + 0.3)
    axes.set_ylim(-(0.5 + 0.18 * runs + 0.28 * half), 0.55)
    axes.axis("off")
    axes.plot([1, count], [0, 0], color="black", linewidth=1)
    for tick in range(1, count + 1):
        axes.plot([tick, tick], [0, 0.07], color="black", linewidth=1)
        axes.text(tick, 0.12, str(tick), ha="center", va="bottom", fontsize=9)
    for row, (first, last) in enumerate(ranking.cliques):
        ends = [ranking.mean_ranks[first] - 0.03, ranking.mean_ranks[last] + 0.03]
        axes.plot(ends, [-0.14 - 0.18 * row] * 2, color="black", linewidth=4, solid_capstyle="butt")
    for place in range(count):
        _name(axes, ranking, place, half, runs)
    p = "p < 0.001" if ranking.friedman_p < 0.001 else f"p = {ranking.friedman_p:.3f}"
    told = "" if math.isnan(ranking.friedman_p) else f"Friedman: {p}. "
    test = f"Wilcoxon's signed-rank test, Holm-corrected, at {LEVEL:g}"
    words = f"{told}Bars join what {test} does not tell apart. n = {ranking.n}"
    figure.suptitle("\n".join(line for line in (title, words) if line), fontsize=9)
    return figure


def _name(axes: Axes, ranking: Ranking, place: int, half: int, runs: int) -> None:
    rank, left = ranking.mean_ranks[place], place < half
    row = place if left else len(ranking.names) - 1 - place
    depth = -(0.35 + 0.18 * runs + 0.28 * row)
    edge = 0.95 if left else len(ranking.names) + 0.05
    axes.plot([rank, rank, edge], [0, depth, depth], color="grey", linewidth=0.8)
    words = f"{ranking.names[place]} {rank:.2f}"
    axes.text(
        edge, depth, f"{words} " if left else f" {words}", ha="right" if left else "left", va="center", fontsize=9
    )
