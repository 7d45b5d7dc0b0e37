"""The RSNA pneumonia challenge's table of boxes (Shih et al., Radiology: AI 2019)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from radiographs.annotation_readers.rows import Row, read_rows
from radiographs.annotation_readers.table import AnnotationTable, Outline, Pair, collect

RSNA_FRAME = (1024, 1024)
_COLUMNS = {
    "patientId": ("patientId",),
    "x": ("x",),
    "y": ("y",),
    "width": ("width",),
    "height": ("height",),
    "Target": ("Target",),
}


def read_rsna(path: Path) -> AnnotationTable:
    """Read the boxes round lung opacities suspicious of pneumonia, in 1024 x 1024 pixels; the finding is "Pneumonia".

    Films of Target 0 are in the table with nothing outlined. The challenge names its films ``patientId``; these are
    random names of films, not of patients.

    Args:
        path: ``stage_2_train_labels.csv``, plain, gzipped or zipped.

    Raises:
        AnnotationError: the file, or none of its lines, can be used.
    """
    return collect(path.name, read_rows(path, _COLUMNS), _outlines)


def _outlines(row: Row) -> Iterator[Pair]:
    target = row.text("Target")
    if target not in ("0", "1"):
        raise row.fail(f"Target should be 0 or 1, found {target[:40]!r}")
    if target == "0":
        yield row.name("patientId"), None
        return
    box = row.box(row.number("x"), row.number("y"), row.number("width"), row.number("height"), RSNA_FRAME)
    yield row.name("patientId"), Outline("Pneumonia", "radiologists (RSNA)", box, RSNA_FRAME, row.where)
