"""What metrics share: regions with boxes and distances, and maps sorted once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from evaluation.scores import RankedMap, Region
from evaluation.scores.ranked_map import dilate, with_polarity

MASKS = hnp.arrays(bool, (9, 11)).filter(lambda m: m.any())


@settings(max_examples=40, deadline=None)
@given(mask=MASKS)
def test_distances_are_euclidean(mask):
    region = Region(mask, (0.5, 0.5))
    expected = ndimage.distance_transform_edt(~mask)
    assert region.distance == pytest.approx(expected, abs=1e-4)
    assert region.distance_mm == pytest.approx(0.5 * expected, abs=1e-4)


def test_distances_in_mm_follow_both_spacings():
    mask = np.zeros((5, 5), dtype=bool)
    mask[0, 0] = True
    found = Region(mask, (2.0, 1.0)).distance_mm
    assert found[3, 0] == pytest.approx(6)
    assert found[0, 3] == pytest.approx(3)
    assert found[2, 3] == pytest.approx(5)
    assert Region(mask).distance_mm is None


@pytest.mark.parametrize("spacing", [(0.0, 1.0), (-1.0, 1.0), (1.0,)])
def test_a_spacing_that_is_no_distance_is_refused(spacing):
    with pytest.raises(ValueError, match="spacing_mm"):
        Region(np.ones((2, 2), dtype=bool), spacing)


def test_boxes_of_parts():
    mask = np.zeros((10, 12), dtype=bool)
    mask[1:3, 2:5] = mask[6, 8] = mask[7, 9] = True
    region = Region(mask)
    assert region.boxes.tolist() == [[1, 2, 3, 5], [6, 8, 8, 10]]
    assert region.in_boxes.sum() == 6 + 4
    assert Region(np.zeros((3, 3), dtype=bool)).boxes.shape == (0, 4)


def test_the_tolerance_grows_with_the_film():
    for side, radius in ((500, 15), (1000, 30), (250, 8)):
        mask = np.zeros((side, side // 2), dtype=bool)
        mask[side // 2, 0] = True
        reached = np.flatnonzero(Region(mask).within_scaled[side // 2])
        assert reached[-1] == radius


@pytest.mark.parametrize("radius", [0, 1, 7, 15])
@pytest.mark.parametrize("density", [0.002, 0.3])
def test_dilation_is_the_euclidean_disc(radius, density):
    mask = np.random.default_rng(radius).random((50, 37)) < density
    expected = ndimage.distance_transform_edt(~mask) <= radius if mask.any() else mask
    assert np.array_equal(dilate(mask, radius), expected)


def test_shared_work_is_done_once():
    calls = []

    def make(ranked: RankedMap) -> int:
        calls.append(ranked)
        return len(calls)

    ranked = RankedMap(np.eye(3), Region(np.eye(3) > 0))
    assert (ranked.once(make), ranked.once(make), len(calls)) == (1, 1, 1)


def test_the_raw_map_is_kept_only_where_it_differs():
    values, region = np.array([[1.0, -2.0]]), Region(np.array([[True, False]]))
    signed = RankedMap(with_polarity(values), region, raw=values)
    assert np.array_equal(signed.raw, values)
    assert np.array_equal(signed.values, [[1, 0]])
    plain = RankedMap(np.abs(values), region, raw=np.abs(values))
    assert plain.raw is plain.values


@settings(max_examples=30, deadline=None)
@given(values=hnp.arrays(np.float64, (4, 5), elements={"min_value": -3, "max_value": 3, "allow_nan": False}))
def test_readings(values):
    assert (with_polarity(values) >= 0).all()
    assert np.array_equal(with_polarity(values, "abs"), np.abs(values))
    assert np.array_equal(with_polarity(values) - with_polarity(-values), values)
