"""Annotation tables that torchxrayvision's wheel carries, found without importing it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from radiographs.errors import AnnotationError

_TABLES = {
    "nih-boxes": "BBox_List_2017.csv.gz",
    "nih-films": "Data_Entry_2017_v2020.csv.gz",
    "vindr": "vinbigdata-train.csv.gz",
    "rsna": "kaggle_stage_2_train_labels.csv.zip",
    "siim": "siim-pneumothorax-train-rle.csv.gz",
}


def bundled_table(name: str) -> Path:
    """Where one of the tables lies: nih-boxes, nih-films, vindr, rsna or siim.

    Importing torchxrayvision would silence the warnings of the whole program, so its files are looked up instead.

    Raises:
        AnnotationError: there is no such table, or torchxrayvision is not installed.
    """
    if name not in _TABLES:
        raise AnnotationError(f"there is no table {name!r}; there are {', '.join(_TABLES)}")
    try:
        path = Path(str(distribution("torchxrayvision").locate_file(f"torchxrayvision/data/{_TABLES[name]}")))
    except PackageNotFoundError as error:
        raise AnnotationError("torchxrayvision, which carries the table, is not installed") from error
    if not path.is_file():
        raise AnnotationError(f"torchxrayvision is installed without its table {_TABLES[name]}")
    return path
