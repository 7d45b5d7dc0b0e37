"""Which published format a table has, told by its columns or keys, whatever its file is called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from radiographs.annotation_readers.box_csv import read_box_csv
from radiographs.annotation_readers.chest_det import read_chest_det
from radiographs.annotation_readers.chexlocalize import read_chexlocalize
from radiographs.annotation_readers.coco import read_coco
from radiographs.annotation_readers.json_file import read_json
from radiographs.annotation_readers.nih import read_nih_boxes
from radiographs.annotation_readers.rows import header_of
from radiographs.annotation_readers.rsna import read_rsna
from radiographs.annotation_readers.siim import read_siim_rle
from radiographs.annotation_readers.table import AnnotationTable
from radiographs.annotation_readers.vindr import read_vindr
from radiographs.errors import AnnotationError

TABLE_SUFFIXES = (".csv", ".tsv", ".json", ".csv.gz", ".json.gz", ".csv.zip")
_COLUMNS: tuple[tuple[frozenset[str], Callable[[Path], AnnotationTable]], ...] = (
    (frozenset({"imageid", "classname", "xmin", "ymin", "xmax", "ymax"}), read_vindr),
    (frozenset({"patientid", "x", "y", "width", "height", "target"}), read_rsna),
    (frozenset({"imageid", "encodedpixels"}), read_siim_rle),
    (frozenset({"imageindex", "findinglabel"}), read_nih_boxes),
)


def is_table(path: Path) -> bool:
    """Whether a file's name is that of a table."""
    return path.name.lower().endswith(TABLE_SUFFIXES)


def read_table(path: Path) -> AnnotationTable:
    """Read an annotation table of any format that is known: VinDr-CXR, RSNA, SIIM-ACR, NIH, CheXlocalize, ChestX-Det,
    COCO, or plain boxes (image, finding, x, y, width, height).

    Raises:
        AnnotationError: the file, or none of its lines, can be used.
    """
    name = path.name.lower()
    if ".json" in name:
        return _json_reader(path)(path)
    columns = set(header_of(path))
    return next((read for needed, read in _COLUMNS if needed <= columns), read_box_csv)(path)


def _json_reader(path: Path) -> Callable[[Path], AnnotationTable]:
    content = read_json(path)
    if isinstance(content, list):
        return read_chest_det
    if isinstance(content, dict) and not {"images", "annotations", "categories"} & set(content):
        values = list(content.values())
        if values and all(isinstance(value, dict) for value in values):
            return read_chexlocalize
        raise AnnotationError(f"{path.name}: neither COCO's, CheXlocalize's nor ChestX-Det's JSON")
    return read_coco
