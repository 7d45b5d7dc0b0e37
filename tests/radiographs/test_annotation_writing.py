"""Outlines written as files come back as they were."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from radiographs import Annotation
from radiographs.annotation_readers.coco import read_coco
from radiographs.annotation_writing import coco_json, mask_png, run_lengths


def blob(first: bool = False) -> np.ndarray:
    mask = np.zeros((7, 5), dtype=bool)
    mask[2:5, 1:4] = True
    mask[0, 0] = first
    return mask


def test_run_lengths_by_hand():
    assert run_lengths(np.array([[0, 1], [0, 1]], dtype=bool)) == [2, 2]
    assert run_lengths(np.array([[1, 0], [1, 0]], dtype=bool)) == [0, 2, 2]
    assert run_lengths(np.zeros((2, 2), dtype=bool)) == [4]
    assert run_lengths(np.ones((2, 2), dtype=bool)) == [0, 4]


def test_png_masks_keep_every_pixel():
    read = np.asarray(Image.open(io.BytesIO(mask_png(blob()))))
    assert set(np.unique(read)) == {0, 255}
    np.testing.assert_array_equal(read > 0, blob())


@pytest.mark.parametrize("first", [False, True])
def test_our_coco_reader_reads_what_we_write(tmp_path, first):
    drawn = [Annotation("Mass", blob(first), "mask", "reader A"), Annotation("Effusion", blob(), "box", "reader A")]
    path = tmp_path / "outlines.json"
    path.write_text(coco_json("film-1.png", drawn))
    read = read_coco(path).annotations("film-1", (7, 5))
    assert {a.finding for a in read} == {"Mass", "Effusion"}
    for annotation in read:
        expected = next(a for a in drawn if a.finding == annotation.finding)
        np.testing.assert_array_equal(annotation.mask, expected.mask)


def test_outlines_of_two_films_do_not_go_into_one_file():
    other = Annotation("Mass", np.ones((3, 3), dtype=bool), "mask", "reader A")
    with pytest.raises(ValueError, match="same film"):
        coco_json("film", [Annotation("Mass", blob(), "mask", "reader A"), other])
