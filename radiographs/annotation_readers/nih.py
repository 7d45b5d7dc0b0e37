"""The box list of ChestX-ray14 (Wang et al., CVPR 2017): ``BBox_List_2017.csv``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from radiographs.annotation_readers.rows import Row, read_rows
from radiographs.annotation_readers.table import AnnotationTable, Outline, Pair, collect
from radiographs.findings import canonical

NIH_FRAME = (1024, 1024)
_COLUMNS = {
    "Image Index": ("Image Index",),
    "Finding Label": ("Finding Label",),
    "x": ("Bbox [x", "x"),
    "y": ("y",),
    "w": ("w",),
    "h": ("h]", "h"),
}


def read_nih_boxes(path: Path) -> AnnotationTable:
    """Read NIH's list of 984 boxes on 880 films, drawn by a board-certified radiologist on 1024 x 1024 pixels.

    Args:
        path: ``BBox_List_2017.csv``, plain or gzipped.

    Raises:
        AnnotationError: the file, or none of its lines, can be used.
    """
    return collect(path.name, read_rows(path, _COLUMNS), _outlines)


def _outlines(row: Row) -> Iterator[Pair]:
    box = row.box(row.number("x"), row.number("y"), row.number("w"), row.number("h"), NIH_FRAME)
    finding = canonical(row.name("Finding Label"))
    yield row.name("Image Index"), Outline(finding, "radiologist (NIH)", box, NIH_FRAME, row.where)
