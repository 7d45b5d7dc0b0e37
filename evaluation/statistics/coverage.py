"""How often intervals of 95 % hold the truth, by simulation: ``python -m evaluation.statistics.coverage``.

Scores are made like those of this field: alike within a patient, of one to three films each; bell-shaped, yes or no,
overlaps of which a third are 0, and skewed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

import numpy as np

from evaluation.statistics.intervals import mean_interval

Draw = Callable[[np.random.Generator, np.ndarray], np.ndarray]
"""From a generator and each film's patient (N,) to scores (N,)."""


def _bell(rng: np.random.Generator, patient: np.ndarray) -> np.ndarray:
    return rng.normal(size=patient.max() + 1)[patient] + rng.normal(size=len(patient))


def _yes_or_no(rng: np.random.Generator, patient: np.ndarray) -> np.ndarray:
    return (rng.random(len(patient)) < rng.beta(1, 2, patient.max() + 1)[patient]).astype(float)


def _overlap(rng: np.random.Generator, patient: np.ndarray) -> np.ndarray:
    share = rng.beta(1, 2, patient.max() + 1)[patient]
    return np.where(rng.random(len(patient)) < 1 / 3, 0, rng.beta(1 + 4 * share, 5 - 4 * share))


def _skewed(rng: np.random.Generator, patient: np.ndarray) -> np.ndarray:
    return np.exp(0.7 * rng.normal(size=patient.max() + 1)[patient] + 0.5 * rng.normal(size=len(patient)))


KINDS: dict[str, tuple[Draw, float]] = {
    "bell-shaped": (_bell, 0.0),
    "yes or no, a third yes": (_yes_or_no, 1 / 3),
    "overlap, a third 0": (_overlap, 2 / 3 * 7 / 18),
    "skewed (lognormal)": (_skewed, float(np.exp((0.7**2 + 0.5**2) / 2))),
}
"""Kinds of scores with their true means."""


def coverage(draw: Draw, truth: float, patients: int, repeats: int, rng: np.random.Generator) -> float:
    """Share of ``repeats`` made studies of so many patients whose interval of the mean holds the truth."""
    held = 0
    for _ in range(repeats):
        patient = np.repeat(np.arange(patients), rng.choice([1, 1, 1, 1, 2, 3], size=patients))
        found = mean_interval(draw(rng, patient), patient, rng, draws=500)
        held += found.low <= truth <= found.high
    return held / repeats


def main(argv: Sequence[str] | None = None) -> int:
    """Print the coverage for each kind of score at 10, 20 and 50 patients as a table in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.statistics.coverage", description=__doc__)
    parser.add_argument("--repeats", type=int, default=2000, help="made studies for each figure (default 2000)")
    repeats = parser.parse_args(argv).repeats
    sizes = (10, 20, 50)
    sys.stdout.write("| scores | " + " | ".join(f"{n} patients" for n in sizes) + " |\n|---" + "|---" * 3 + "|\n")
    for words, (draw, truth) in KINDS.items():
        found = [coverage(draw, truth, n, repeats, np.random.default_rng(n)) for n in sizes]
        sys.stdout.write(f"| {words} | " + " | ".join(f"{one:.3f}" for one in found) + " |\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
