"""Readers of published annotation files: one format a file, one common shape."""

from radiographs.annotation_readers.box_csv import read_box_csv
from radiographs.annotation_readers.bundled import bundled_table
from radiographs.annotation_readers.mask_folder import read_mask_folder
from radiographs.annotation_readers.nih import read_nih_boxes
from radiographs.annotation_readers.table import AnnotationTable, Outline, film_key

__all__ = [
    "AnnotationTable",
    "Outline",
    "bundled_table",
    "film_key",
    "read_box_csv",
    "read_mask_folder",
    "read_nih_boxes",
]
