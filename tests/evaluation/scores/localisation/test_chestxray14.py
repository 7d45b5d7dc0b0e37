"""Boxes from the map against the expert's, as ChestX-ray14 scores them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp
from skimage.measure import label, regionprops

from evaluation.scores import score_map
from evaluation.scores.localisation.chestxray14 import LEVELS, boxes_of, detect


def film() -> tuple[np.ndarray, np.ndarray]:
    """A warm box of 4 x 8 with a hot core of 2 x 2, a warm box of 2 x 2 far away; the expert's box is 4 x 4."""
    values = np.zeros((12, 20))
    values[2:6, 2:10] = 100
    values[3:5, 3:5] = 255
    values[9:11, 15:17] = 100
    mask = np.zeros((12, 20), dtype=bool)
    mask[2:6, 2:6] = True
    return values, mask


def test_boxes_by_hand():
    values, _ = film()
    assert boxes_of(values).tolist() == [[2, 2, 6, 10], [3, 3, 5, 5], [9, 15, 11, 17]]
    assert boxes_of(values, [180]).tolist() == [[3, 3, 5, 5]]
    assert boxes_of(values, [60]).tolist() == [[2, 2, 6, 10], [9, 15, 11, 17]]
    assert boxes_of(np.zeros((4, 4))).shape == (0, 4)
    assert boxes_of(np.full((4, 4), 2.0)).shape == (0, 4)


def test_diagonal_neighbours_are_one_part():
    assert boxes_of(np.eye(3)).tolist() == [[0, 0, 3, 3]]


def test_overlaps_by_hand():
    found = detect(*film())
    assert found.iou == pytest.approx([16 / 32, 4 / 16, 0])
    assert found.iobb == pytest.approx([16 / 32, 1, 0])


def test_metrics_are_the_best_box_with_number_and_coverage_beside():
    scores = {name: score.value for name, score in score_map(*film()).items()}
    assert scores["chestxray14_iou"] == 0.5
    assert scores["chestxray14_iobb"] == 1
    assert scores["chestxray14_boxes"] == 3
    assert scores["chestxray14_coverage"] == pytest.approx((32 + 4) / 240)


def test_the_best_of_several_expert_boxes_counts():
    values, mask = film()
    mask[9:11, 15:17] = True
    assert detect(values, mask).iou == pytest.approx([0.5, 0.25, 1])


def test_a_map_without_boxes_scores_nothing_but_counts_as_a_miss():
    _, mask = film()
    scores = score_map(np.zeros(mask.shape), mask)
    assert math.isnan(scores["chestxray14_iou"].value)
    assert scores["chestxray14_boxes"].value == 0


@settings(max_examples=40, deadline=None)
@given(values=hnp.arrays(np.uint8, (12, 14)).filter(lambda v: np.ptp(v) > 0))
def test_boxes_are_scikit_images_regions(values):
    stretched = 255.0 * (values - float(values.min())) / np.ptp(values).astype(float)
    expected = set()
    for level in LEVELS:
        expected |= {tuple(part.bbox) for part in regionprops(label(stretched > level, connectivity=2))}
    assert {tuple(found) for found in boxes_of(values.astype(np.float64)).tolist()} == expected


@settings(max_examples=30, deadline=None)
@given(
    values=hnp.arrays(np.uint8, (8, 9)).filter(lambda v: np.ptp(v) > 0),
    mask=hnp.arrays(bool, (8, 9)).filter(lambda m: m.any()),
)
def test_overlaps_are_shares_and_iou_never_beats_iobb(values, mask):
    found = detect(values.astype(float), mask)
    assert ((found.iou >= 0) & (found.iou <= found.iobb) & (found.iobb <= 1)).all()
    painted = np.zeros(mask.shape, dtype=bool)
    for top, left, bottom, right in found.boxes:
        painted[top:bottom, left:right] = True
    assert score_map(values, mask)["chestxray14_coverage"].value == pytest.approx(painted.mean())
