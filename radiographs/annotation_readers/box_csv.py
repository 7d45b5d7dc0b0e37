"""A plain table of boxes: image, finding, x, y, width, height, and who drew them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from radiographs.annotation_readers.rows import Row, read_rows
from radiographs.annotation_readers.table import AnnotationTable, Outline, Pair, collect
from radiographs.film_readers.orientation import Shape
from radiographs.findings import NO_FINDING, canonical

_COLUMNS = {
    "image": ("image", "film", "image_id", "file", "filename", "file_name"),
    "finding": ("finding", "label", "class", "class_name"),
    "x": ("x", "x_min", "left"),
    "y": ("y", "y_min", "top"),
    "width": ("width", "w"),
    "height": ("height", "h"),
    "reader": ("reader", "rad_id", "annotator"),
}


def read_box_csv(path: Path, frame: Shape | None = None, reader: str = "expert") -> AnnotationTable:
    """Read a CSV of boxes with the columns image, finding, x, y, width, height and, if it is there, reader.

    A line of "No finding" or without a box says that readers looked at the film and outlined nothing.

    Args:
        path: the table; headers in any case. x and y are the box's top left corner, in pixels, origin top left.
        frame: (H, W) of the images that the boxes were drawn on; None: the films themselves.
        reader: who drew the boxes, where the table does not say.

    Raises:
        AnnotationError: the file, or none of its lines, can be used.
    """

    def outlines(row: Row) -> Iterator[Pair]:
        image, finding = row.name("image"), canonical(row.text("finding"))
        if finding == NO_FINDING or row.is_empty("x", "y", "width", "height"):
            yield image, None
            return
        box = row.box(row.number("x"), row.number("y"), row.number("width"), row.number("height"), frame)
        yield image, Outline(canonical(row.name("finding")), row.text("reader") or reader, box, frame, row.where)

    return collect(path.name, read_rows(path, _COLUMNS, optional=("reader",)), outlines)
