"""Where experts usually outline a finding: mean annotations on a 64x64 grid of the film, one patient left out.

``assets/priors/nih_boxes.npz`` holds the public NIH box list as fractions of the film; the means are computed
from it, so that leaving one patient out is exact. ``python -m evaluation.baselines.location_prior`` writes it anew.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from radiographs.annotation import union_mask
from radiographs.annotation_readers.bundled import bundled_table
from radiographs.arrays import read_arrays, write_arrays
from radiographs.collection import Collection, FilmEntry
from radiographs.findings import canonical, is_named
from radiographs.places import asset

GRID = 64
"""Cells a side of a mean annotation."""
FEWEST = 5
"""Other patients a collection must have outlined for its own average to be used."""
NIH_SIDE = 1024
"""Side in pixels of the films on which NIH's boxes are given."""
NIH_NAMES = {"Infiltrate": "Infiltration"}
"""Findings that the box list names otherwise than NIH's labels do."""


@dataclass(frozen=True)
class AverageMask:
    """A mean annotation: (GRID, GRID) float64 ``shares`` in [0, 1], over ``films`` films of ``source``."""

    shares: np.ndarray
    films: int
    source: str

    def on(self, shape: tuple[int, int]) -> np.ndarray:
        """Carry it to a film of ``shape`` (H, W), bilinearly: float32."""
        grid = torch.tensor(self.shares, dtype=torch.float32)[None, None]
        return F.interpolate(grid, shape, mode="bilinear", align_corners=False)[0, 0].numpy()


def coverage(mask: np.ndarray, grid: int = GRID) -> np.ndarray:
    """Share of each cell of a grid that an (H, W) mask, bool or of weights, covers: (grid, grid) float32."""
    film = torch.tensor(mask, dtype=torch.float32)[None, None]
    return F.interpolate(film, (grid, grid), mode="area")[0, 0].numpy()


def box_coverage(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """Share of each cell of the grid that a box covers; its corners are fractions of the film: (GRID, GRID)."""
    cells = np.arange(GRID)
    columns = np.clip(np.minimum(cells + 1, x1 * GRID) - np.maximum(cells, x0 * GRID), 0, 1)
    rows = np.clip(np.minimum(cells + 1, y1 * GRID) - np.maximum(cells, y0 * GRID), 0, 1)
    return np.outer(rows, columns)


@cache
def _nih_coverages(finding: str) -> tuple[np.ndarray, np.ndarray]:
    """Patient numbers (n,) and coverages (n, GRID, GRID) of the NIH films on which ``finding`` was boxed."""
    table, _ = read_arrays(asset("priors", "nih_boxes.npz"))
    chosen = table["finding"] == finding
    patients, films, boxes = table["patient"][chosen], table["film"][chosen], table["box"][chosen]
    names, first = np.unique(films, return_index=True)
    sums = np.zeros((len(names), GRID, GRID))
    for film, box in zip(films, boxes.astype(float)):
        sums[np.searchsorted(names, film)] += box_coverage(*box)
    return patients[first], np.minimum(sums, 1)


def nih_average(finding: str, leave_out: int | None = None) -> AverageMask | None:
    """Average box of ``finding`` over the public NIH box list, or None where NIH boxed no such finding.

    Args:
        finding: one of NIH's eight boxed findings, by any spelling. leave_out: number of the patient whose films do
            not count.
    """
    patients, coverages = _nih_coverages(canonical(finding))
    others = coverages if leave_out is None else coverages[patients != leave_out]
    return AverageMask(others.mean(axis=0), len(others), "NIH boxes") if len(others) else None


@lru_cache(maxsize=32)
def _collection_coverages(collection: Collection, finding: str, films: tuple[str, ...]) -> np.ndarray:
    """Coverages (n, GRID, GRID) float32 of the outlines of ``finding`` on the named films."""
    masks = [union_mask(collection.annotations(film), finding) for film in films]
    empty = np.zeros((1, 1), dtype=bool)
    return np.stack([coverage(empty if mask is None else mask) for mask in masks])


def collection_average(collection: Collection, finding: str, leave_out: str) -> AverageMask | None:
    """Average outline of ``finding`` in a collection, without the patient ``leave_out``.

    Returns:
        The average, or None where fewer than ``FEWEST`` other patients have an outline.
    """
    entries = [entry for entry in collection.entries() if is_named(finding, entry.annotated)]
    others = np.array([patient_of(entry) != leave_out for entry in entries], dtype=bool)
    if len({patient_of(entry) for entry, other in zip(entries, others) if other}) < FEWEST:
        return None
    coverages = _collection_coverages(collection, finding, tuple(entry.film_id for entry in entries))
    return AverageMask(coverages[others].mean(axis=0, dtype=np.float64), int(others.sum()), collection.card.title)


def patient_of(entry: FilmEntry) -> str:
    """The pseudonym by which a film is grouped; the film itself where the collection names no patient."""
    return entry.patient or entry.film_id


def average_mask(
    finding: str, collection: Collection | None = None, entry: FilmEntry | None = None
) -> AverageMask | None:
    """The mean annotation of ``finding`` for one film, its own patient left out.

    The collection's own outlines serve where enough other patients have one, else NIH's published boxes.

    Returns:
        The average, or None where nobody has outlined this finding often enough.
    """
    if collection is not None and entry is not None and collection.name != "nih-boxes":
        own = collection_average(collection, finding, patient_of(entry))
        if own is not None:
            return own
    patient = entry.patient if entry is not None else ""
    number = patient.removeprefix("nih-")
    return nih_average(finding, int(number) if patient.startswith("nih-") and number.isdigit() else None)


def write_nih_table(out: Path) -> int:
    """Write the NIH box list of the installed torchxrayvision package as an .npz table; returns its number of boxes."""
    with gzip.open(bundled_table("nih-boxes"), "rt", encoding="utf-8", newline="") as file:
        lines = sorted(list(csv.reader(file))[1:])
    numbers = {image: number for number, image in enumerate(sorted({line[0] for line in lines}))}
    rows = []
    for image, label, *numerals in lines:
        x, y, width, height = map(float, numerals[:4])
        corners = np.array([x, y, x + width, y + height]) / NIH_SIDE
        rows.append((NIH_NAMES.get(label, label), int(image[:8]), numbers[image], corners))
    finding, patient, film, box = zip(*rows)
    columns = {
        "finding": np.array(finding),
        "patient": np.array(patient, np.int32),
        "film": np.array(film, np.int16),
        "box": np.array(box, np.float32),
    }
    write_arrays(out, columns)
    return len(rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Write the table from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.baselines.location_prior", description="Write the table of NIH boxes."
    )
    parser.add_argument("--out", type=Path, default=asset("priors", "nih_boxes.npz"), help="where to write it")
    count = write_nih_table(parser.parse_args(argv).out)
    sys.stdout.write(f"{count} boxes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
