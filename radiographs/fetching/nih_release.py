"""The public release of ChestX-ray14 (Wang et al., CVPR 2017): its table of films, and where films of it may lie."""

from __future__ import annotations

import csv
import gzip
import os
from functools import cache
from pathlib import Path

from PIL import Image

from radiographs.annotation_readers import bundled_table
from radiographs.collection import FilmEntry, Part
from radiographs.errors import AnnotationError, CollectionError
from radiographs.places import data_folder, home_folder
from radiographs.reading import read_radiograph

RELEASE_VARIABLE = "XAI_LIGHTBOX_NIH"
_SUFFIXES = (".jpg", ".png")


def table_path(name: str) -> Path:
    """Where one of NIH's tables lies (see :func:`radiographs.annotation_readers.bundled_table`).

    Raises:
        CollectionError: the package that carries it is not installed.
    """
    try:
        return bundled_table(name)
    except AnnotationError as error:
        raise CollectionError(f"NIH's tables are not available: {error}; run: pip install torchxrayvision") from error


@cache
def published_lines(film_ids: frozenset[str]) -> dict[str, FilmEntry]:
    """What NIH published of some films: labels, patient, view, age and sex; by film id, in the order of the ids.

    Raises:
        CollectionError: the package with NIH's tables is not installed.
    """
    lines = {}
    with gzip.open(table_path("nih-films"), "rt", encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
        wanted = (line for line in file if line.partition(".")[0] in film_ids)
        for row in csv.DictReader(wanted, fieldnames=header):
            film_id = Path(row["Image Index"]).stem
            found = row["Finding Labels"].split("|")
            lines[film_id] = FilmEntry(
                film_id=film_id,
                labels=() if found == ["No Finding"] else tuple(found),
                patient=f"nih-{row['Patient ID']}",
                view=row["View Position"] or None,
                age=int(row["Patient Age"]),
                sex=row["Patient Gender"] or None,
            )
    return dict(sorted(lines.items()))


@cache
def recorded_split(path: Path, parts: tuple[str, ...] = ()) -> dict[str, Part]:
    """Patient pseudonym -> side of the recorded split.

    Args:
        path: the split table (patient_id, part, split). parts: which of its parts count; none for all.
    """
    sides: dict[str, Part] = {"train": "train", "val": "val", "test": "test"}
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if not parts or row["part"] in parts]
    return {f"nih-{row['patient_id']}": sides[row["split"]] for row in rows}


def film_folders() -> list[Path]:
    """Folders in which films of the release may lie; the first that has a film wins."""
    folders = []
    data = data_folder()
    if data is not None:
        folders.append(data / "nih_boxes" / "images")
    folders.append(home_folder() / "nih-boxes" / "images")
    release = os.environ.get(RELEASE_VARIABLE)
    if release:
        top = Path(release).expanduser()
        below = sorted(p for p in top.iterdir() if p.is_dir()) if top.is_dir() else []
        for folder in (top, *below):
            folders += [folder, folder / "images"]
    return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]


def find_film(film_id: str, folders: list[Path]) -> Path | None:
    """The file of a film in the first folder that has it."""
    for folder in folders:
        for suffix in _SUFFIXES:
            path = folder / (film_id + suffix)
            if path.is_file():
                return path
    return None


def image_shape(path: Path) -> tuple[int, int]:
    """(H, W) from the file's header: averaging all boxes of a finding need not decode every film."""
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except Exception:  # Pillow's errors differ by version; the reader says in words what is wrong
        return read_radiograph(path).shape
