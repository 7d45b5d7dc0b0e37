"""How many readers and cases a study needs to find an effect, by simulation under its own design.

Ratings are drawn as Roe and Metz do, with the variances of Hillis 2018, table 2 (doi:10.1002/sim.7616), structure HL:
ratings of one case are much alike, readers differ little. Studies differ from that: a plan is a guess, a pilot says
more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from evaluation.reader_study import design, mrmc
from evaluation.reader_study.study_file import Study

CASE, CASE_ARM, CASE_READER, REST = 0.3, 0.3, 0.2, 0.2
READER = READER_ARM = 0.0082
POWER, LEVEL = 0.8, 0.05
BASE = 0.75
"""AUROC of readers without a map, where nobody says otherwise."""
SIMULATIONS = 200


@dataclass(frozen=True)
class Power:
    """How often studies of so many readers and cases find the effect, and its standard error."""

    readers: int
    cases: int
    power: float
    error: float


def separation(area: float) -> float:
    """How far present cases' ratings lie above absent ones', in standard deviations, for an AUROC between 0 and 1."""
    return math.sqrt(2) * NormalDist().inv_cdf(area)


def simulated_ratings(truth: np.ndarray, areas: Sequence[float], readers: int, rng: np.random.Generator) -> np.ndarray:
    """Ratings of every case by every reader under every arm: (A, R, N).

    Args:
        truth: (N,) bool. areas: (A,) AUROC of each arm, between 0 and 1.
    """
    arms, cases = len(areas), len(truth)
    apart = np.array([separation(area) for area in areas])[:, None]
    skill = rng.normal(0, math.sqrt(READER), (1, readers)) + rng.normal(0, math.sqrt(READER_ARM), (arms, readers))
    # The reader's own effects are effects of present against absent cases, half on either.
    side = np.where(truth, 0.5, -0.5)[None, None]
    return (
        (apart + skill)[:, :, None] * side
        + rng.normal(0, math.sqrt(CASE), (1, 1, cases))
        + rng.normal(0, math.sqrt(CASE_ARM), (arms, 1, cases))
        + rng.normal(0, math.sqrt(CASE_READER), (1, readers, cases))
        + rng.normal(0, math.sqrt(REST), (arms, readers, cases))
    )


def read_cases(study: Study, truth: np.ndarray, readers: int, rng: np.random.Generator) -> np.ndarray:
    """Which reader reads which case under which arm, by the study's design: (A, R, N) bool."""
    read = np.zeros((len(study.arms), readers, len(truth)), dtype=bool)
    if study.design == "crossover":
        return ~read
    secret = rng.bytes(32)
    dealt = design.blocks(truth, len(study.arms), secret)
    for reader in range(readers):
        start = design.first_arm(reader + 1, len(study.arms), secret)
        read[(dealt + start) % len(study.arms), reader, np.arange(len(truth))] = True
    return read


def power(
    study: Study, readers: int, cases: int, share: float, *, base: float = BASE, simulations: int = SIMULATIONS,
    seed: int = 0,
) -> Power:  # fmt: skip
    """How often the first two arms are told apart where the second's AUROC is ``study.effect`` above the first's.

    Args:
        share: of cases that have the finding. base: AUROC of all other arms.
    """
    rng = np.random.default_rng(seed)
    truth = np.arange(cases) < round(share * cases)
    areas = [base] * len(study.arms)
    areas[1] = min(base + study.effect, 0.995)
    found = 0
    for _ in range(simulations):
        ratings = simulated_ratings(truth, areas, readers, rng)
        ratings[~read_cases(study, truth, readers, rng)] = np.nan
        first = mrmc.analyse(mrmc.auroc(ratings, truth)).differences[0]
        found += first.p < LEVEL
    rate = found / simulations
    return Power(readers, cases, rate, math.sqrt(rate * (1 - rate) / simulations))


def table_of_power(
    study: Study, share: float, told: Callable[[float], None] = lambda share: None, **options: float
) -> list[Power]:
    """Power for several numbers of readers (whole groups of the Latin square) and cases."""
    arms, own = len(study.arms), len(study.cases)
    groups = [arms * max(1, round(wanted / arms)) for wanted in (4, 8, 16)]
    counts = sorted({own, 2 * own, 4 * own, max(own, 40), max(own, 120)})
    todo = [(readers, cases) for readers in dict.fromkeys(groups) for cases in counts if cases <= 240]
    found = []
    for place, (readers, cases) in enumerate(todo):
        found.append(power(study, readers, cases, share, **options))  # type: ignore[arg-type]
        told((place + 1) / len(todo))
    return found


def in_words(study: Study, table: Sequence[Power]) -> str:
    """How many readers and cases are enough, in a sentence."""
    enough = [one for one in table if one.power >= POWER]
    effect = f"a gain of {study.effect:g} in AUROC"
    if not enough:
        most = max(table, key=lambda one: one.power)
        return (
            f"None of these finds {effect} in {POWER:.0%} of studies; {most.readers} readers of {most.cases} cases "
            f"do in {most.power:.0%}. Look for a larger effect, a crossover, or more of both."
        )
    least = min(enough, key=lambda one: (one.readers * one.cases, one.readers))
    return (
        f"{least.readers} readers of {least.cases} cases find {effect} in {least.power:.0%} of studies "
        f"(two-sided, p < {LEVEL:g}); the study has {len(study.cases)} cases."
    )
