"""How often intervals of 95 % hold the truth, by simulation: ``python -m evaluation.statistics.coverage``.

Scores are made like those of this field: alike within a patient, of one to three films each; bell-shaped, yes or no,
overlaps of which a third are 0, and skewed. With ``--scores`` they are a run's own: its patients are drawn from, and
the truth is their mean.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from evaluation.markdown import markdown_table
from evaluation.runs.store import Store
from evaluation.runs.tables import values
from evaluation.scores import get_metric
from evaluation.statistics.intervals import mean_interval

Draw = Callable[[np.random.Generator, np.ndarray], np.ndarray]
"""From a generator and each film's patient (N,) to scores (N,)."""
Study = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]
"""From a generator and a number of patients to scores (N,) and each film's patient (N,)."""
METRICS = ("pointing_game", "pixel_auprc", "relevance_mass_accuracy", "area_matched_iou")


def _bell(rng: np.random.Generator, patient: np.ndarray) -> np.ndarray:
    return rng.normal(size=patient.max() + 1)[patient] + rng.normal(size=len(patient))


def _yes_or_no(rng: np.random.Generator, patient: np.ndarray) -> np.ndarray:
    return (rng.random(len(patient)) < rng.beta(1, 2, patient.max() + 1)[patient]).astype(float)


def _overlap(rng: np.random.Generator, patient: np.ndarray) -> np.ndarray:
    share = rng.beta(1, 2, patient.max() + 1)[patient]
    return np.where(rng.random(len(patient)) < 1 / 3, 0, rng.beta(1 + 4 * share, 5 - 4 * share))


def _skewed(rng: np.random.Generator, patient: np.ndarray) -> np.ndarray:
    return np.exp(0.7 * rng.normal(size=patient.max() + 1)[patient] + 0.5 * rng.normal(size=len(patient)))


def _made(draw: Draw) -> Study:
    def study(rng: np.random.Generator, patients: int) -> tuple[np.ndarray, np.ndarray]:
        patient = np.repeat(np.arange(patients), rng.choice([1, 1, 1, 1, 2, 3], size=patients))
        return draw(rng, patient), patient

    return study


KINDS: dict[str, tuple[Study, float]] = {
    "bell-shaped": (_made(_bell), 0.0),
    "yes or no, a third yes": (_made(_yes_or_no), 1 / 3),
    "overlap, a third 0": (_made(_overlap), 2 / 3 * 7 / 18),
    "skewed (lognormal)": (_made(_skewed), float(np.exp((0.7**2 + 0.5**2) / 2))),
}
"""Kinds of scores with their true means."""


def of_a_run(folder: Path) -> dict[str, tuple[Study, float]]:
    """The scores of a run's methods as kinds: studies draw from its patients, whose mean over films is the truth."""
    store = Store(folder)
    found = {}
    for metric in METRICS:
        table = values(store, metric).query("kind == 'method'").dropna(subset=["value"])
        for method, rows in table.groupby("method"):
            people = [films.value.to_numpy() for _, films in rows.groupby("patient")]
            found[f"{folder.name}: {get_metric(metric).title} of {method}"] = (_drawn(people), float(rows.value.mean()))
    return found


def _drawn(people: list[np.ndarray]) -> Study:
    def study(rng: np.random.Generator, patients: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = [people[i] for i in rng.integers(len(people), size=patients)]
        return np.concatenate(chosen), np.repeat(np.arange(patients), [len(films) for films in chosen])

    return study


def coverage(study: Study, truth: float, patients: int, repeats: int, rng: np.random.Generator) -> float:
    """Share of ``repeats`` made studies of so many patients whose interval of the mean holds the truth."""
    held = 0
    for _ in range(repeats):
        scores, patient = study(rng, patients)
        found = mean_interval(scores, patient, rng, draws=500)
        held += found.low <= truth <= found.high
    return held / repeats


def main(argv: Sequence[str] | None = None) -> int:
    """Print the coverage for each kind of score at 10, 20 and 50 patients as a table in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.statistics.coverage", description=__doc__)
    parser.add_argument("--repeats", type=int, default=2000, help="made studies for each figure (default 2000)")
    parser.add_argument("--scores", type=Path, nargs="*", help="folders of runs whose scores are drawn from instead")
    given = parser.parse_args(argv)
    repeats, sizes = given.repeats, (10, 20, 50)
    kinds = {k: v for folder in given.scores for k, v in of_a_run(folder).items()} if given.scores else KINDS
    rows = []
    for words, (study, truth) in kinds.items():
        found = (coverage(study, truth, n, repeats, np.random.default_rng(n)) for n in sizes)
        rows.append([words, *(f"{one:.3f}" for one in found)])
    sys.stdout.write(markdown_table(["scores", *(f"{n} patients" for n in sizes)], rows) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
