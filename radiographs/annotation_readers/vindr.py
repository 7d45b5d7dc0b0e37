"""VinDr-CXR's table of boxes (Nguyen et al., Scientific Data 2022), from PhysioNet or from the Kaggle challenge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from radiographs.annotation_readers.rows import Row, read_rows
from radiographs.annotation_readers.table import AnnotationTable, Outline, Pair, collect, film_key
from radiographs.film_readers.orientation import Shape
from radiographs.findings import NO_FINDING, canonical

_COLUMNS = {
    "image_id": ("image_id",),
    "class_name": ("class_name",),
    "rad_id": ("rad_id",),
    "x_min": ("x_min",),
    "y_min": ("y_min",),
    "x_max": ("x_max",),
    "y_max": ("y_max",),
}


def read_vindr(path: Path, frames: Mapping[str, Shape] | None = None) -> AnnotationTable:
    """Read VinDr-CXR's boxes: corners in pixels of the DICOM film, each film read by three radiologists in training.

    Rows of the class "No finding" have no box; their films are in the table with nothing outlined by that reader.

    Args:
        path: ``annotations_train.csv``, ``annotations_test.csv`` (consensus, no ``rad_id``) or Kaggle's ``train.csv``.
        frames: film -> (H, W) of its DICOM, for films that were resized since; None: the films have their own size.

    Raises:
        AnnotationError: the file, or none of its lines, can be used.
    """
    sizes = {film_key(image): size for image, size in (frames or {}).items()}
    rows = read_rows(path, _COLUMNS, optional=("rad_id",))
    return collect(path.name, rows, lambda row: _outlines(row, sizes))


def _outlines(row: Row, sizes: Mapping[str, Shape]) -> Iterator[Pair]:
    image, finding = row.name("image_id"), canonical(row.name("class_name"))
    if finding == NO_FINDING or row.is_empty("x_min", "y_min", "x_max", "y_max"):
        yield image, None
        return
    left, top = row.number("x_min"), row.number("y_min")
    frame = sizes.get(film_key(image))
    box = row.box(left, top, row.number("x_max") - left, row.number("y_max") - top, frame)
    reader = f"radiologist {row.text('rad_id')} (VinDr)" if row.text("rad_id") else "consensus (VinDr)"
    yield image, Outline(finding, reader, box, frame, row.where)
