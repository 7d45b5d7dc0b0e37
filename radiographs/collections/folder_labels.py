"""Labels and patients of a user's films: from ``films.csv``, or from the data set's own table of labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
_OUTLINED = frozenset(
    {"x", "y", "xmin", "ymin", "left", "top", "width", "height", "bbox", "encodedpixels", "finding", "classname"}
)
"""Columns of tables of outlines, which are read elsewhere."""
SEVERAL = "more than one film has this name; name its folder"
_TABLES = (".csv", ".csv.gz", ".csv.zip")


def is_label_table(path: Path) -> bool:
    """Whether a table names findings of whole films: ``films.csv``, or one whose columns are those of CheXpert
    (``Path``, and findings), VinDr-CXR (``image_id``, and findings) or NIH (``Image Index``, ``Finding Labels``).
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
    return bool(columns & set(map(plain_header, _COLUMNS["image"])) and columns & said) and not columns & _OUTLINED


def read_labels(
    folder: Path, ids: Mapping[str, str]
) -> tuple[dict[str, tuple[str, ...]], dict[str, str], dict[str, list[str]]]:
    """What the folder's tables of labels say, ``films.csv`` first.

    A finding is named where its column says 1 in a line of the film; CheXpert's -1 (uncertain) and blanks name none.

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
            problems[path.name] = [str(error).removeprefix(f"{path.name}: ")]
            continue
        found = match(by_name, ids)
        problems[path.name] = [
            f"{image}: more than one film has this name; name its folder" for image in found.ambiguous
        ]
        if by_name and not found.names:
            problems[path.name].append("none of the films that it names is in the folder")
        for film, name in found.names.items():
            named, patient = by_name[name]
            labels.setdefault(ids[film], named)
            if patient:
                patients.setdefault(ids[film], patient)
    return labels, patients, problems


def read_label_table(path: Path) -> dict[str, tuple[tuple[str, ...], str]]:
    """Findings and patient ("" where not said) of each film that a table of labels names, by the film's path in it.

    Raises:
        AnnotationError: the file cannot be read.
    """
    spelled = {f"finding {name}": names for name, names in spellings().items()}
    found: dict[str, tuple[tuple[str, ...], str]] = {}
    for row in read_rows(path, _COLUMNS | spelled, ("labels", "patient", *spelled)):
        if row.text("image"):
            before, patient = found.get(path_key(row.text("image")), ((), ""))
            labels = tuple(dict.fromkeys((*before, *_named(row))))
            found[path_key(row.text("image"))] = labels, patient or row.text("patient")
    return found


def _named(row: Row) -> Iterator[str]:
    for name in row.text("labels").replace(";", "|").split("|"):
        if name.strip() and canonical(name) != NO_FINDING:
            yield canonical(name)
    for column, cell in row.cells.items():
        if column.startswith("finding ") and cell.casefold() in ("1", "1.0", "true", "yes"):
            yield column.removeprefix("finding ")
