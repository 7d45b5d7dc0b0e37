"""A plain table of boxes: image, finding, x, y, width, height, and who drew them."""

from __future__ import annotations

from pathlib import Path

from radiographs.annotation_readers.geometry import Shape
from radiographs.annotation_readers.rows import read_rows
from radiographs.annotation_readers.table import AnnotationTable, Outline, collect
from radiographs.findings import canonical

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

    Args:
        path: the table; headers in any case. x and y are the box's top left corner, in pixels, origin top left.
        frame: (H, W) of the images that the boxes were drawn on; None: the films themselves.
        reader: who drew the boxes, where the table does not say.

    Raises:
        AnnotationError: a line or the file cannot be used.
    """
    return collect(
        path.name,
        (
            (
                row.name("image"),
                Outline(
                    canonical(row.name("finding")),
                    row.text("reader") or reader,
                    row.box(row.number("x"), row.number("y"), row.number("width"), row.number("height"), frame),
                    frame,
                    row.where,
                ),
            )
            for row in read_rows(path, _COLUMNS, optional=("reader",))
        ),
    )
