"""The average normal film, which may stand where a film is hidden.

``assets/average_film/average_film.png`` is the mean of NIH training films without a finding; ``python -m
xai_methods.average_film --help`` writes it anew.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
import zipfile
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from radiographs.places import asset

SIDE = 64
"""Side in pixels of the stored average."""


@lru_cache(maxsize=8)
def average_film(side: int) -> np.ndarray:
    """The average normal frontal film, resized bilinearly: (side, side) float64 in [0, 1], read-only."""
    with Image.open(asset("average_film", "average_film.png")) as image:
        grey = torch.tensor(np.asarray(image.convert("L"), dtype=np.float64) / 255)
    film = F.interpolate(grey[None, None], (side, side), mode="bilinear", antialias=True, align_corners=False)
    resized = film[0, 0].numpy()
    resized.setflags(write=False)
    return resized


def write_average(table: Path, archive: Path, out: Path) -> int:
    """Write the mean of the films that ``table`` calls "No Finding" as an 8-bit PNG; returns their number.

    Args:
        table: CSV with the columns image, findings and archive. archive: zip of the films. out: the PNG.

    Raises:
        ValueError: the table names no such film.
    """
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    normal = [row["image"] for row in rows if row["findings"] == "No Finding" and row["archive"] == archive.name]
    total, count = np.zeros((SIDE, SIDE)), 0
    for film in _films(archive, normal):
        total += film
        count += 1
    if not count:
        raise ValueError(f"{table.name} names no film without a finding in {archive.name}")
    out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.rint(total / count * 255).astype(np.uint8)).save(out, optimize=True)
    return count


def _films(archive: Path, names: list[str]) -> Iterator[np.ndarray]:
    """(SIDE, SIDE) floats in [0, 1] of each named film of the archive, by the mean over areas."""
    with zipfile.ZipFile(archive) as opened:
        for name in names:
            with Image.open(io.BytesIO(opened.read(name))) as image:
                small = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
                yield np.asarray(small, dtype=np.float64) / 255


def main(argv: Sequence[str] | None = None) -> int:
    """Write the average from the command line."""
    parser = argparse.ArgumentParser(prog="python -m xai_methods.average_film", description="Write the average film.")
    parser.add_argument("--table", type=Path, required=True, help="CSV with the columns image, findings, archive")
    parser.add_argument("--archive", type=Path, required=True, help="zip of the films")
    parser.add_argument("--out", type=Path, default=asset("average_film", "average_film.png"), help="where to write it")
    given = parser.parse_args(argv)
    sys.stdout.write(f"{write_average(given.table, given.archive, given.out)} films\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
