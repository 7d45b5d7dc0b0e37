"""Two outlines set against each other: known figures, in millimetres where the spacing is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evaluation.scores.outline_agreement import outline_agreement


def rectangle(top: int, left: int, height: int = 10, width: int = 10) -> np.ndarray:
    mask = np.zeros((40, 60), dtype=bool)
    mask[top : top + height, left : left + width] = True
    return mask


@pytest.mark.parametrize(
    ("first", "second", "dice", "iou", "farthest"),
    [
        (rectangle(5, 5), rectangle(5, 5), 1, 1, 0),
        (rectangle(5, 5), rectangle(5, 10), 0.5, 1 / 3, 5),
        (rectangle(5, 5), rectangle(5, 30), 0, 0, 25),
        (rectangle(5, 5, width=20), rectangle(5, 5), 2 / 3, 0.5, 10),
    ],
)
def test_overlap_and_the_farthest_contour(first, second, dice, iou, farthest):
    found = outline_agreement(first, second)
    assert (found.dice, found.iou, found.farthest) == pytest.approx((dice, iou, farthest))
    assert found.unit == "pixels"
    assert outline_agreement(second, first) == found


def test_distances_are_in_millimetres_of_rows_and_columns():
    across = outline_agreement(rectangle(5, 5), rectangle(5, 15), (2.0, 0.5))
    down = outline_agreement(rectangle(5, 5), rectangle(15, 5), (2.0, 0.5))
    assert (across.farthest, down.farthest, down.unit) == (5.0, 20.0, "mm")
    one_line = outline_agreement(rectangle(5, 5, 1, 10), rectangle(8, 5, 1, 10), (2.0, 2.0))
    assert one_line.distance == 6.0


def test_an_empty_outline_has_no_figures_and_another_films_is_refused():
    nothing = outline_agreement(rectangle(5, 5), np.zeros((40, 60), dtype=bool))
    assert all(math.isnan(value) for value in (nothing.dice, nothing.iou, nothing.distance, nothing.farthest))
    with pytest.raises(ValueError, match="of one film"):
        outline_agreement(rectangle(5, 5), np.zeros((4, 6), dtype=bool))
