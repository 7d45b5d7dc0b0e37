"""CheXlocalize's masks and polygons, and CheXpert's labels."""

from __future__ import annotations

import json

import numpy as np
import pytest

from radiographs.annotation_readers import (
    read_chexlocalize,
)
from tests.radiographs.annotation_readers.tables import COUNTS, box_of, column_major, compress, write


def test_compressed_counts_worked_out_by_hand_and_round_trip():
    from radiographs.annotation_readers.run_lengths import decode_counts

    assert decode_counts("").size == 0
    assert decode_counts("13").tolist() == [1, 3]
    assert decode_counts("P1PT2").tolist() == [32, 2176]
    assert decode_counts("123O").tolist() == [1, 2, 3, 1]
    assert decode_counts(compress(COUNTS)).tolist() == COUNTS
    rng = np.random.default_rng(3)
    long = rng.integers(0, 50000, 501).tolist()
    assert decode_counts(compress(long)).tolist() == long


def chexlocalize(folder, drawn):
    return read_chexlocalize(write(folder, "gt.json", json.dumps(drawn)))


def test_chexlocalize_masks(tmp_path):
    film = "patient64541_study1_view1_frontal"
    some = {"size": [40, 50], "counts": compress(COUNTS)}
    none = {"size": [40, 50], "counts": compress([2000])}
    table = chexlocalize(tmp_path, {film: {"Pleural Effusion": some, "Edema": none}, "other": {"Edema": none}})
    assert table.images() == (film, "other")
    [drawn] = table.annotations(f"{film}.jpg", (40, 50))
    assert (drawn.finding, drawn.kind) == ("Effusion", "mask")
    np.testing.assert_array_equal(drawn.mask, column_major(COUNTS, 40, 50))
    [doubled] = table.annotations(film, (80, 100))
    np.testing.assert_array_equal(doubled.mask, np.kron(drawn.mask, np.ones((2, 2), bool)))


def test_chexlocalize_polygons(tmp_path):
    square = [[[10, 5], [20, 5], [20, 15], [10, 15]]]
    table = chexlocalize(tmp_path, {"f": {"img_size": [40, 50], "Airspace Opacity": square, "Edema": []}})
    [drawn] = table.annotations("f", (40, 50))
    assert (drawn.finding, drawn.kind) == ("Lung Opacity", "polygon")
    assert box_of(drawn.mask) == (10, 5, 20, 15)
    assert drawn.mask.sum() == 100


@pytest.mark.parametrize(
    "drawn",
    [
        {"f": {"Edema": {"size": [40, 50], "counts": "~~~"}}},
        {"f": {"Edema": {"size": [40, 50], "counts": "P"}}},
        {"f": {"Edema": {"size": [4, 5], "counts": compress([1, 30])}}},
        {"f": {"Edema": {"size": [99999, 50], "counts": "0"}}},
        {"f": {"Edema": {"counts": "0"}}},
        {"f": {"Edema": [[[1, 2], [3, 4]]]}},
        {"f": {"img_size": [0, 5], "Edema": [[[1, 2], [3, 4], [5, 1]]]}},
        {"f": 3},
    ],
)
def test_bad_chexlocalize_keys_are_named(tmp_path, drawn):
    good = {"img_size": [40, 50], "Edema": [[[10, 5], [20, 5], [20, 15]]]}
    table = chexlocalize(tmp_path, drawn | {"good": good})
    assert [problem[:10] for problem in table.problems] == ["gt.json, f"]
    assert len(table.annotations("good", (40, 50))) == 1
