"""COCO files: polygons, run lengths, boxes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from radiographs.annotation_readers import (
    read_coco,
)
from radiographs.errors import AnnotationError
from tests.radiographs.annotation_readers.tables import COUNTS, box_of, column_major, compress, write


def coco(folder, **changes):
    content = {
        "images": [
            {"id": 1, "file_name": "films/a.png", "width": 50, "height": 40},
            {"id": 2, "file_name": "b.png", "width": 50, "height": 40},
        ],
        "categories": [{"id": 7, "name": "nodule"}],
        "annotations": [
            {
                "id": 1,
                "image_id": 1,
                "category_id": 7,
                "segmentation": [[10, 5, 20, 5, 20, 15, 10, 15], [30, 5, 32, 5, 32, 9]],
            },
            {"id": 2, "image_id": 1, "category_id": 7, "segmentation": {"size": [40, 50], "counts": COUNTS}},
            {"id": 3, "image_id": 1, "category_id": 7, "segmentation": {"size": [40, 50], "counts": compress(COUNTS)}},
            {"id": 4, "image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4]},
        ],
    } | changes
    return read_coco(write(folder, "coco.json", json.dumps(content)))


def test_coco_polygons_runs_and_boxes(tmp_path):
    table = coco(tmp_path)
    assert table.images() == ("a", "b")
    assert table.of("b") == ()
    shapes = table.annotations("a.png", (40, 50))
    assert [each.kind for each in shapes] == ["polygon", "mask", "mask", "box"]
    assert {each.finding for each in shapes} == {"Nodule"}
    assert shapes[0].mask[5:15, 10:20].all()
    assert shapes[0].mask[:, 30:].any()
    np.testing.assert_array_equal(shapes[1].mask, column_major(COUNTS, 40, 50))
    np.testing.assert_array_equal(shapes[1].mask, shapes[2].mask)
    assert box_of(shapes[3].mask) == (1, 2, 4, 6)
    assert box_of(table.annotations("a.png", (80, 100))[3].mask) == (2, 4, 8, 12)


@pytest.mark.parametrize(
    "changes",
    [
        {"images": 3},
        {"images": [{"id": 1, "file_name": "x/a.png"}, {"id": 2, "file_name": "x/a.jpg"}]},
        {"annotations": [{"image_id": 9, "category_id": 7, "bbox": [1, 2, 3, 4]}]},
        {"annotations": [{"image_id": 1, "category_id": 9, "bbox": [1, 2, 3, 4]}]},
        {"annotations": [{"image_id": [1], "category_id": 7, "bbox": [1, 2, 3, 4]}]},
        {"annotations": [{"image_id": 1, "category_id": 7}]},
        {"annotations": [{"image_id": 1, "category_id": 7, "bbox": [1, 2, 0, 4]}]},
        {"annotations": [{"image_id": 1, "category_id": 7, "segmentation": [[1, 2, 3]]}]},
        {"categories": [{"id": 7}]},
    ],
)
def test_bad_coco_keys_are_refused(tmp_path, changes):
    with pytest.raises(AnnotationError, match=r"^coco.json"):
        coco(tmp_path, **changes)


@pytest.mark.parametrize(
    "bad",
    [
        {"segmentation": [[10, 10, 20, 20]]},
        {"segmentation": [[]]},
        {"segmentation": [], "bbox": []},
        {"segmentation": {"size": [40, 50], "counts": [2000]}},
        {"bbox": [1, 2, 0, 4]},
        {"bbox": [1, 2, float("nan"), 4]},
    ],
)
def test_one_bad_annotation_costs_itself_alone_and_is_named(tmp_path, bad):
    good = {"id": 5, "image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4]}
    table = coco(tmp_path, annotations=[good, {"id": 6, "image_id": 2, "category_id": 7} | bad])
    assert len(table.annotations("a", (40, 50))) == 1
    assert "b" in table
    assert [problem[:24] for problem in table.problems] == ["coco.json, annotation 6:"]


def test_images_of_one_name_in_different_folders_are_told_apart(tmp_path):
    images = [{"id": 1, "file_name": "2024/a.png"}, {"id": 2, "file_name": "2025/a.png"}]
    notes = [{"id": n, "image_id": n, "category_id": 7, "bbox": [n, 2, 3, 4]} for n in (1, 2)]
    table = coco(tmp_path, images=images, annotations=notes)
    assert table.images() == ("2024/a", "2025/a")
    assert table.of("a.png") == ()
    assert [box_of(table.annotations(f"{year}/a.png", (40, 50))[0].mask)[0] for year in (2024, 2025)] == [1, 2]


def test_json_that_is_none_is_refused(tmp_path):
    for text, reason in (("{", "line 1: this is not JSON"), ("[]", "object"), ("[" * 100000, "not JSON")):
        with pytest.raises(AnnotationError, match=reason):
            read_coco(write(tmp_path, "coco.json", text))


def test_polygon_agrees_with_a_point_in_polygon_test():
    from matplotlib.path import Path as Outline

    from radiographs.annotation_readers.geometry import Polygon

    rng = np.random.default_rng(5)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 25))
    ring = np.stack([30 + rng.uniform(5, 28, 25) * np.cos(angles), 25 + rng.uniform(5, 23, 25) * np.sin(angles)], 1)
    rows, columns = np.mgrid[:50, :60] + 0.5
    inside = Outline(ring).contains_points(np.stack([columns.ravel(), rows.ravel()], 1)).reshape(50, 60)
    np.testing.assert_array_equal(Polygon((ring,)).mask((50, 60), None), inside)
    outside = Polygon((ring + 100,)).mask((50, 60), None)
    assert not outside.any()
    assert Polygon((ring / 100 + 7,)).mask((50, 60), None).sum() == 1
