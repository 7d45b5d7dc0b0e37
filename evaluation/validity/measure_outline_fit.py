"""Measure how well misplaced outlines are told from those of radiologists: see ``--help``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from evaluation.baselines.anatomy_prior import organ_of
from evaluation.validity.outline_fit import MOST, least_on_average, measure_fit, outline_doubts
from radiographs import Annotation, Radiograph
from radiographs.collection import Collection
from radiographs.collections.chestx_det import ChestXDet
from radiographs.collections.nih_boxes import NihBoxes
from radiographs.collections.radiologist_masks import RadiologistMasks

SEED = 20261130
FILMS = 150
DRAWS = 400
FEW = 5


def _shifted(mask: np.ndarray) -> np.ndarray:
    """Moved right and down by 15 % of the film, as where a film was cropped after it was outlined."""
    rows, columns = (round(0.15 * side) for side in mask.shape)
    moved = np.zeros_like(mask)
    moved[rows:, columns:] = mask[: mask.shape[0] - rows, : mask.shape[1] - columns]
    return moved


def _halved(mask: np.ndarray) -> np.ndarray:
    """At half the coordinates, as where the table is of a film of half the size."""
    small = np.zeros_like(mask)
    small[: -(-mask.shape[0] // 2), : -(-mask.shape[1] // 2)] = mask[::2, ::2]
    return small


def _doubled(mask: np.ndarray) -> np.ndarray:
    """At twice the coordinates; what falls off the film is gone."""
    quarter = mask[: -(-mask.shape[0] // 2), : -(-mask.shape[1] // 2)]
    return np.kron(quarter, np.ones((2, 2), dtype=bool))[: mask.shape[0], : mask.shape[1]]


WRONG: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "as drawn": lambda mask: mask,
    "half the coordinates": _halved,
    "twice the coordinates": _doubled,
    "moved by 15 %": _shifted,
    "rows and columns exchanged": lambda mask: mask.T if mask.shape[0] == mask.shape[1] else mask,
    "upside down": lambda mask: mask[::-1],
    "mirrored": lambda mask: mask[:, ::-1],
}


def _outlined(collection: Collection, rng: np.random.Generator) -> list[tuple[Radiograph, list[Annotation]]]:
    names = [entry.film_id for entry in collection.entries() if any(map(organ_of, entry.annotated))]
    chosen = rng.choice(names, min(FILMS, len(names)), replace=False)
    return [(collection.read(str(name)), collection.annotations(str(name))) for name in chosen]


def measure(collection: Collection) -> pd.DataFrame:
    """For each way of :data:`WRONG`: mean share in the chest, films doubted, and collections of 5 and 24 doubted."""
    rng = np.random.default_rng(SEED)
    films = _outlined(collection, rng)
    rows = []
    for name, change in WRONG.items():
        changed = [(film, [replace(a, mask=change(a.mask)) for a in drawn]) for film, drawn in films]
        alone = [measure_fit([one]) for one in changed]
        inside = np.array([fit.inside for fit in alone if fit.films])
        doubted = np.mean([bool(outline_doubts(*one)) for one in changed])
        row = {"collection": collection.name, "outlines": name, "films": len(inside), "inside": inside.mean()}
        row["films doubted"] = doubted
        for number in (FEW, MOST):
            means = [rng.choice(inside, number, replace=number > len(inside)).mean() for _ in range(DRAWS)]
            row[f"collections of {number} doubted"] = np.mean(np.array(means) < least_on_average(number))
        rows.append(row)
    return pd.DataFrame(rows)


def main() -> None:
    """Print the figures on the collections that radiologists outlined."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    tables = [measure(collection) for collection in (NihBoxes(), ChestXDet(), RadiologistMasks())]
    sys.stdout.write(pd.concat(tables).to_string(index=False, float_format="{:.3f}".format) + "\n")


if __name__ == "__main__":
    main()
