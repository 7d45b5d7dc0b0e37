"""How well a classifier detects planted findings: ``python -m evaluation.validity.planted --help``.

Every normal film of a person on the test side gets each finding once; the 48 films of the collection ``known-truth``
are another draw from the same films.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from classifiers import ChestClassifier
from evaluation.statistics.intervals import auroc_interval, mean_interval
from evaluation.validity.blur_test import BlurDrops, blur_drops
from evaluation.validity.measured import record
from radiographs import Radiograph
from radiographs.places import asset
from radiographs.planting import FINDINGS, find_lungs, load, normal_films, plant
from xai_methods.method import Progress

SEED = 48
FRESH = "planted-test"
"""Name under which the figures stand in the model's card."""


def measure_planted(
    classifier: ChestClassifier, films: int | None = None, progress: Progress | None = None
) -> dict[str, dict[str, Any]]:
    """Measure detection of, and attention to, findings planted into films of persons not trained on.

    Args:
        films: how many of the test films to take, evenly spread; None takes all.

    Returns:
        By finding: ``auroc`` with its 95 % interval over persons (films with the finding against the same films without
        any), ``positives``, ``films``, and ``mirror_share``: share of films on which blurring the planted region lowers
        the logit more than blurring its mirror image, over ``mirror_films`` films whose mirror image hardly overlaps,
        with ``mirror_share_low`` and ``mirror_share_high``.
    """
    chosen = [film for film in normal_films() if film.part == "test"]
    if films is not None:
        chosen = [chosen[i] for i in np.linspace(0, len(chosen) - 1, min(films, len(chosen))).astype(int)]
    rng = np.random.default_rng(SEED)
    normal: list[np.ndarray] = []
    planted: dict[str, list[float]] = {finding: [] for finding in FINDINGS}
    drops: dict[str, list[BlurDrops | None]] = {finding: [] for finding in FINDINGS}
    for number, film in enumerate(chosen):
        bare = load(film)
        lungs = find_lungs(bare)
        normal.append(classifier.logits(bare))
        for finding in FINDINGS:
            logit, drop = _one(classifier, bare, lungs, finding, rng)
            planted[finding].append(logit)
            drops[finding].append(drop)
        if progress is not None:
            progress((number + 1) / len(chosen))
    persons = [film.patient for film in chosen]
    return {f: _figures(classifier, f, np.array(normal), planted[f], drops[f], persons) for f in FINDINGS}


def _one(
    classifier: ChestClassifier, bare: Radiograph, lungs: np.ndarray, finding: str, rng: np.random.Generator
) -> tuple[float, BlurDrops | None]:
    film, mask = plant(bare, finding, lungs, rng)
    logit = float(classifier.logits(film)[classifier.column(finding)])
    return logit, blur_drops(classifier, film, mask, finding, rng)


def _figures(
    classifier: ChestClassifier,
    finding: str,
    normal: np.ndarray,
    planted: Sequence[float],
    drops: Sequence[BlurDrops | None],
    persons: Sequence[str],
) -> dict[str, Any]:
    scores = np.concatenate([planted, normal[:, classifier.column(finding)]])
    labels = np.arange(len(scores)) < len(planted)
    found = auroc_interval(scores, labels, [*persons, *persons], np.random.default_rng(SEED))
    more = np.array([np.nan if d is None or d.mirrored is None else d.region > d.mirrored for d in drops], dtype=float)
    share = mean_interval(more, persons, np.random.default_rng(SEED))
    return {
        "auroc": found.value,
        "auroc_low": found.low,
        "auroc_high": found.high,
        "positives": len(planted),
        "films": len(scores),
        "mirror_share": share.value,
        "mirror_share_low": share.low,
        "mirror_share_high": share.high,
        "mirror_films": share.films,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Measure a registered model, from the command line."""
    from classifiers.registry import load_classifier

    parser = argparse.ArgumentParser(prog="python -m evaluation.validity.planted", description=__doc__)
    parser.add_argument("--model", default="known-truth")
    parser.add_argument("--films", type=int, help="test films to take; all by default")
    parser.add_argument("--write", action="store_true", help="record the figures in the model's card")
    arguments = parser.parse_args(argv)
    figures = measure_planted(load_classifier(arguments.model), arguments.films)
    if arguments.write:
        record(asset("models", f"{arguments.model}.json"), FRESH, figures)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
