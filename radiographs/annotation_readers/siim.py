"""The SIIM-ACR pneumothorax challenge's run-length masks (2019)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from radiographs.annotation_readers.rows import Row, read_rows
from radiographs.annotation_readers.run_lengths import is_empty, runs
from radiographs.annotation_readers.table import AnnotationTable, Outline, Pair, collect

SIIM_FRAME = (1024, 1024)
_COLUMNS = {"ImageId": ("ImageId",), "EncodedPixels": ("EncodedPixels",)}


def read_siim_rle(path: Path) -> AnnotationTable:
    """Read the masks of pneumothorax on 1024 x 1024 films.

    ``EncodedPixels`` holds pairs of numbers: how many pixels to skip since the last run's end, and how many are
    inside, down the columns. "-1" says that there is no pneumothorax: the film is in the table with nothing outlined.
    A film may have several lines.

    Args:
        path: ``train-rle.csv`` or ``stage_2_train.csv``, plain or gzipped.

    Raises:
        AnnotationError: the file, or none of its lines, can be used.
    """
    return collect(path.name, read_rows(path, _COLUMNS), _outlines)


def _outlines(row: Row) -> Iterator[Pair]:
    image, encoded = row.name("ImageId"), row.text("EncodedPixels")
    if encoded == "-1" or row.is_empty("EncodedPixels"):
        yield image, None
        return
    try:
        numbers = np.array(encoded.split(), dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise row.fail("EncodedPixels should be -1 or whole numbers") from error
    if numbers.size % 2:
        raise row.fail("EncodedPixels should be pairs of numbers: skip, length")
    mask = runs(numbers, SIIM_FRAME, f"{row.source}, {row.where}")
    if is_empty(mask):
        raise row.fail("the mask is empty; a film without pneumothorax has -1")
    yield image, Outline("Pneumothorax", "radiologist (SIIM-ACR)", mask, SIIM_FRAME, row.where)
