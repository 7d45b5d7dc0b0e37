"""Labels and patients of a user's films: from ``films.csv``, or from the data set's own table of labels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from radiographs.annotation_readers.matching import match
from radiographs.annotation_readers.rows import Row, header_of, plain_header, read_rows
from radiographs.annotation_readers.table import path_key
from radiographs.errors import AnnotationError
from radiographs.findings import NO_FINDING, canonical, spellings

LABELS = "films.csv"
_COLUMNS = {
    "image": ("image", "film", "file", "filename", "file_name", "path", "image_id", "image_index"),
    "labels": ("labels", "label", "findings", "finding labels"),
    "patient": ("patient", "patient_id"),
}
_OUTLINED = ({"x", "y"}, {"xmin", "ymin"}, {"left", "top"}, {"bbox"}, {"encodedpixels"}, {"finding"}, {"classname"})
"""Columns by which a table is one of outlines, which are read elsewhere."""
_PRESENT, _ABSENT = frozenset({"1", "1.0", "true", "yes"}), frozenset({"0", "0.0", "false", "no"})
_UNCERTAIN = frozenset({"-1", "-1.0"})
_FINDING = "finding "
"""Begins the names of columns that are each of one finding."""
SEVERAL = "more than one film has this name; name its folder"
_TABLES = (".csv", ".csv.gz", ".csv.zip")


@dataclass(frozen=True)
class FilmLabels:
    """What a table says of one film: findings that are present, how many it calls uncertain, the patient ("": none)."""

    present: tuple[str, ...]
    uncertain: int = 0
    patient: str = ""


def is_label_table(path: Path) -> bool:
    """Whether a table names findings of whole films: ``films.csv``, or one whose columns are those of CheXpert
    (``Path``, and findings), VinDr-CXR (``image_id``, and findings), NIH (``Image Index``, ``Finding Labels``)
    or PadChest (``ImageID``, ``Labels``).
    """
    if path.name == LABELS:
        return True
    if not path.name.lower().endswith(_TABLES):
        return False
    try:
        columns = set(header_of(path))
    except AnnotationError:
        return False
    said = {plain_header(name) for names in (_COLUMNS["labels"], *spellings().values()) for name in names}
    named = columns & said and columns & set(map(plain_header, _COLUMNS["image"]))
    return bool(named) and not any(outlined <= columns for outlined in _OUTLINED)


def read_labels(
    folder: Path, ids: Mapping[str, str]
) -> tuple[dict[str, tuple[str, ...]], dict[str, str], dict[str, list[str]]]:
    """What the folder's tables of labels say, ``films.csv`` first.

    A finding is present where a line of the film says so; what is uncertain (CheXpert's -1) is not, and is counted.

    Args:
        folder: the user's folder. ids: path of each film in it -> film id.

    Returns:
        Findings by film id; given patients by film id; by table, what of it cannot be used.
    """
    paths = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    labels: dict[str, tuple[str, ...]] = {}
    patients: dict[str, str] = {}
    problems: dict[str, list[str]] = {}
    for path in sorted(filter(is_label_table, paths), key=lambda path: (path.name != LABELS, path.name)):
        try:
            by_name = read_label_table(path)
        except AnnotationError as error:
            problems[path.name] = [str(error)]
            continue
        found = match(by_name, ids)
        problems[path.name] = [f"{image}: {SEVERAL}" for image in found.ambiguous]
        if by_name and not found.names:
            problems[path.name].append("none of the films that it names is in the folder")
        known = {ids[film]: by_name[name] for film, name in found.names.items()}
        if unsure := sum(one.uncertain for one in known.values()):
            problems[path.name].append(f"{unsure:,} labels are uncertain (-1) and taken as not present")
        labels = {film: one.present for film, one in known.items()} | labels
        patients = {film: one.patient for film, one in known.items() if one.patient} | patients
    return labels, patients, problems


def read_label_table(path: Path) -> dict[str, FilmLabels]:
    """What a table of labels says of each film, by the film's path in it; several lines of a film are joined.

    Raises:
        AnnotationError: the file cannot be read, or a finding's column holds something else than a label.
    """
    spelled = {f"{_FINDING}{name}": names for name, names in spellings().items()}
    found: dict[str, FilmLabels] = {}
    for row in read_rows(path, _COLUMNS | spelled, ("labels", "patient", *spelled)):
        if row.text("image"):
            key = path_key(row.text("image"))
            before = found.get(key, FilmLabels(()))
            said = {column: _certain(row, column) for column in row.cells if column.startswith(_FINDING)}
            present = [column.removeprefix(_FINDING) for column, certain in said.items() if certain]
            found[key] = FilmLabels(
                tuple(dict.fromkeys((*before.present, *_listed(row.text("labels")), *present))),
                before.uncertain + sum(certain is None for certain in said.values()),
                before.patient or row.text("patient"),
            )
    return found


def _listed(text: str) -> Iterator[str]:
    """Findings in one cell: separated by "|" or ";", or PadChest's list in quotes."""
    names = re.findall(r"'([^']*)'", text) if text.startswith("[") else text.replace(";", "|").split("|")
    return (canonical(name) for name in names if name.strip() and canonical(name) != NO_FINDING)


def _certain(row: Row, column: str) -> bool | None:
    """Whether a finding's own column says that it is present; None where it is uncertain."""
    cell = row.text(column).casefold()
    if cell in _UNCERTAIN:
        return None
    if cell in _PRESENT or cell in _ABSENT or row.is_empty(column):
        return cell in _PRESENT
    expected = "expected 1, 0, -1 (uncertain) or nothing"
    raise row.fail(f"{column.removeprefix(_FINDING)}: {expected}, found {row.text(column)[:40]!r}")
