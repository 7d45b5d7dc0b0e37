"""What lies beside the films of a user's folder: masks, boxes, COCO outlines, labels and patients."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from radiographs.annotation_readers import AnnotationTable, film_key, read_box_csv, read_coco, read_mask_folder
from radiographs.errors import AnnotationError
from radiographs.findings import NO_FINDING, canonical

Problems = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class FilmNotes:
    """What a folder's tables say of its films, by the films' names without suffix.

    Attributes:
        outlines: one table a source. labels: findings said to be present. patients: pseudonyms.
        ambiguous: names that more than one film has; nothing is known of those.
    """

    outlines: tuple[AnnotationTable, ...]
    labels: Mapping[str, tuple[str, ...]]
    patients: Mapping[str, str]
    ambiguous: frozenset[str]


def read_outlines(folder: Path, films: Sequence[Path]) -> tuple[tuple[AnnotationTable, ...], Problems]:
    """Read ``masks/``, ``boxes.csv`` and ``annotations.json`` of a folder, those that are there.

    Returns:
        The tables that can be used, and (name, reason) of each source or mask that cannot.
    """
    readers: dict[str, Callable[[Path], AnnotationTable]] = {
        "masks": lambda path: read_mask_folder(path, [film.name for film in films]),
        "boxes.csv": read_box_csv,
        "annotations.json": read_coco,
    }
    tables: list[AnnotationTable] = []
    problems: list[tuple[str, str]] = []
    for name, reader in readers.items():
        path = folder / name
        if not path.exists():
            continue
        try:
            table = reader(path)
        except AnnotationError as error:
            problems.append((name, str(error)))
            continue
        tables.append(table)
        problems += [(f"{name}/{mask}", "the mask belongs to no film of the folder") for mask in table.unmatched]
        stems = {film_key(film.name) for film in films}
        unknown = [image for image in table.images() if image not in stems]
        problems += [(name, f"{image}: the folder has no such film") for image in unknown]
    return tuple(tables), tuple(problems)


def read_film_notes(
    folder: Path, films: Mapping[str, Path], outlines: tuple[AnnotationTable, ...]
) -> tuple[FilmNotes, Problems]:
    """Read ``films.csv`` (image, labels, patient) where it is there.

    A patient's pseudonym is "patient-" and the first id of their films: nothing of the given name is in it.

    Args:
        folder: the user's folder. films: film id -> file. outlines: what ``read_outlines`` gave.
    """
    times = Counter(film_key(path.name) for path in films.values())
    ambiguous = frozenset(stem for stem, count in times.items() if count > 1)
    problems = [(stem, "more than one film has this name, so outlines and labels are left out") for stem in ambiguous]
    labels: dict[str, tuple[str, ...]] = {}
    given: dict[str, str] = {}
    path = folder / "films.csv"
    if path.is_file():
        try:
            for row in _rows(path):
                stem = film_key(row["image"])
                labels[stem] = _findings(row.get("labels", ""))
                if row.get("patient"):
                    given[stem] = row["patient"]
        except AnnotationError as error:
            problems.append((path.name, str(error)))
    first: dict[str, str] = {}
    by_stem = sorted((film_id, film_key(film.name)) for film_id, film in films.items())
    for film_id, stem in by_stem:
        if stem in given:
            first.setdefault(given[stem], film_id)
    patients = {stem: f"patient-{first[given[stem]]}" for _, stem in by_stem if stem in given}
    return FilmNotes(outlines, labels, patients, ambiguous), tuple(problems)


def _rows(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV with lower-case headers and no outer spaces."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            header = [(name or "").strip().lower() for name in table.fieldnames or []]
            if "image" not in header:
                raise AnnotationError(f"{path.name} has no column image; expected image, labels, patient")
            table.fieldnames = header
            return [{key: (value or "").strip() for key, value in row.items() if key} for row in table]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise AnnotationError(f"{path.name} cannot be read as a CSV in UTF-8") from error


def _findings(text: str) -> tuple[str, ...]:
    names = [canonical(name) for name in text.replace(";", "|").split("|") if name.strip()]
    return tuple(name for name in dict.fromkeys(names) if name != NO_FINDING)
