import numpy as np
import pytest

from classifiers.training.outlines import OutlinedPair
from radiographs.annotation_readers.geometry import Box, Polygon


def test_the_union_of_boxes_and_polygons_is_painted_in_the_masks_own_pixels() -> None:
    pair = OutlinedPair("a", "Mass", "rsna", (Box(0, 0, 512, 512), Box(512, 512, 512, 512)))
    assert pair.mask(8).mean() == 0.5
    triangle = OutlinedPair("a", "Mass", "chestxdet", (Polygon((np.array([[0, 0], [1024, 0], [0, 1024]]),)),))
    assert triangle.mask(64).mean() == pytest.approx(0.5, abs=0.02)
