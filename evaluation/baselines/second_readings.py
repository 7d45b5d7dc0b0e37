"""How far two readers of one film agree: ``python -m evaluation.baselines.second_readings --help``.

NIH's boxes (Wang et al. 2017, arXiv 1705.02315), ChestX-Det's polygons (Lian et al. 2021, arXiv 2104.10326) and RSNA's
boxes (Shih et al. 2019, doi 10.1148/ryai.2019180041) lie on films of ChestX-ray14; the films themselves are not needed.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import combinations
from pathlib import Path

import numpy as np

from radiographs.annotation_readers import AnnotationTable, bundled_table, read_nih_boxes, read_rsna
from radiographs.fetching.chest_det_files import chest_det_readings
from radiographs.files import write_text
from radiographs.findings import canonical
from radiographs.places import data_folder

SIDE = 512
"""Side in pixels of the square film on which outlines are compared."""
READERS = {"nih": "NIH's boxes", "chestx-det": "ChestX-Det's polygons", "rsna": "RSNA's boxes"}
_ONE_NAME = {"Diffuse Nodule": "Nodule"}
Masks = Callable[[str], Mapping[str, np.ndarray]]
"""From a film's name to the joined outline of each finding, (SIDE, SIDE) bool."""


@dataclass(frozen=True)
class Agreement:
    """Two readings of one film for one finding.

    Attributes:
        readers: both by name, joined by a plus. finding: what both outlined. patient: pseudonym.
        iou, dice: of the joined outlines. first_in_second, second_in_first: the pointing game's score of one outline as
            a map against the other, ties averaged: the share of its area that lies inside.
    """

    readers: str
    finding: str
    patient: str
    iou: float
    dice: float
    first_in_second: float
    second_in_first: float


def overlap(first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    """IoU, Dice, and the share of each (H, W) bool mask inside the other; neither is empty."""
    both, sizes = float((first & second).sum()), (float(first.sum()), float(second.sum()))
    return {
        "iou": both / (sum(sizes) - both),
        "dice": 2 * both / sum(sizes),
        "first_in_second": both / sizes[0],
        "second_in_first": both / sizes[1],
    }


def masks_of(table: AnnotationTable, names: Mapping[str, str] | None = None) -> tuple[frozenset[str], Masks]:
    """The films that a table has, by name without suffix, and how to draw what is outlined on one.

    Args:
        names: the table's names of films by those of the release; None where they are the same.
    """
    known = names if names is not None else {Path(name).stem: name for name in table.images()}

    def draw(film: str) -> dict[str, np.ndarray]:
        found: dict[str, np.ndarray] = {}
        for one in table.annotations(known[film], (SIDE, SIDE)):
            finding = _ONE_NAME.get(one.finding, canonical(one.finding))
            found[finding] = found[finding] | one.mask if finding in found else one.mask
        return {finding: mask for finding, mask in found.items() if mask.any()}

    return frozenset(known), draw


def readings() -> dict[str, tuple[frozenset[str], Masks]]:
    """What is at hand of ``READERS``; RSNA's boxes are joined by ``XAI_LIGHTBOX_DATA``/rsna_nih/rsna_to_nih.csv."""
    found = {"nih": masks_of(read_nih_boxes(bundled_table("nih-boxes"))), "chestx-det": masks_of(chest_det_readings())}
    data = data_folder()
    joined = data / "rsna_nih" / "rsna_to_nih.csv" if data is not None else None
    if joined is not None and joined.is_file():
        rsna = read_rsna(bundled_table("rsna"))
        with joined.open(encoding="utf-8", newline="") as file:
            names = {Path(row["image"]).stem: row["rsna_id"] for row in csv.DictReader(file) if row["rsna_id"] in rsna}
        found["rsna"] = masks_of(rsna, names)
    return found


def agreements(found: Mapping[str, tuple[frozenset[str], Masks]]) -> Iterable[Agreement]:
    """Each pair of readers on each film and finding that both outlined."""
    for one, other in combinations(found, 2):
        (films, first), (further, second) = found[one], found[other]
        for film in sorted(films & further):
            drawn, again = first(film), second(film)
            for finding in sorted(set(drawn) & set(again)):
                patient = f"nih-{int(film.split('_')[0])}"
                yield Agreement(f"{one}+{other}", finding, patient, **overlap(drawn[finding], again[finding]))


def main(argv: Sequence[str] | None = None) -> int:
    """Write the agreements, one row a film and finding."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.baselines.second_readings", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the CSV file to write")
    given = parser.parse_args(argv)
    names = [field.name for field in fields(Agreement)]
    lines = [",".join(names)]
    for row in agreements(readings()):
        lines.append(",".join(f"{v:.4f}" if isinstance(v, float) else str(v) for v in asdict(row).values()))
    write_text(given.out, "\n".join(lines) + "\n")
    sys.stdout.write(f"{len(lines) - 1} pairs of readings\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
