"""Readers of published annotation files: one format a file, one common shape."""

from radiographs.annotation_readers.box_csv import read_box_csv
from radiographs.annotation_readers.bundled import bundled_table
from radiographs.annotation_readers.chest_det import joined_names, read_chest_det
from radiographs.annotation_readers.chexlocalize import read_chexlocalize
from radiographs.annotation_readers.coco import read_coco
from radiographs.annotation_readers.mask_folder import read_mask_folder
from radiographs.annotation_readers.nih import read_nih_boxes
from radiographs.annotation_readers.recognise import is_table, read_table
from radiographs.annotation_readers.rsna import read_rsna
from radiographs.annotation_readers.siim import read_siim_rle
from radiographs.annotation_readers.table import AnnotationTable, Outline, film_key
from radiographs.annotation_readers.vindr import read_vindr

__all__ = [
    "AnnotationTable",
    "Outline",
    "bundled_table",
    "film_key",
    "is_table",
    "joined_names",
    "read_box_csv",
    "read_chest_det",
    "read_chexlocalize",
    "read_coco",
    "read_mask_folder",
    "read_nih_boxes",
    "read_rsna",
    "read_siim_rle",
    "read_table",
    "read_vindr",
]
