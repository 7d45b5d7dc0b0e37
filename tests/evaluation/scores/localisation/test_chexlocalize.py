"""CheXlocalize's published binarisation reproduced, its failure on signed maps, and thresholds tuned on other films."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageDraw
from scipy import ndimage
from skimage.filters import threshold_otsu

from evaluation.scores import score_map
from evaluation.scores.localisation.chexlocalize import binarise, fill_contours, iou


def as_published(values: np.ndarray) -> np.ndarray:
    """The steps of the paper with its own tools: OpenCV's Otsu and contours, Pillow's polygons."""
    stretched = (values - values.min()).astype(np.float32)
    grey = (255 * (stretched / stretched.max())).astype(np.uint8)
    _, cut = cv2.threshold(grey, 0, int(grey.max()), cv2.THRESH_OTSU)
    contours, _ = cv2.findContours(cut, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    picture = Image.new("1", (values.shape[1], values.shape[0]))
    for contour in contours:
        if len(contour) > 1:
            ImageDraw.Draw(picture).polygon([tuple(map(int, point)) for point in contour[:, 0]], outline=1, fill=1)
    return np.asarray(picture)


def smooth(seed: int, sigma: float = 12, shape: tuple[int, int] = (180, 230)) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=shape)
    return ndimage.gaussian_filter(noise, sigma).astype(np.float32)


def box(shape: tuple[int, int], top: int, bottom: int, left: int, right: int) -> np.ndarray:
    mask = np.zeros(shape, dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sigma", [2, 5, 12])
def test_smooth_maps_are_cut_as_published(seed, sigma):
    for values in (smooth(seed, sigma), np.maximum(smooth(seed, sigma), 0), np.abs(smooth(seed, sigma))):
        assert np.array_equal(binarise(values), as_published(values))


@pytest.mark.parametrize("seed", range(4))
def test_noise_is_cut_as_published(seed):
    values = np.random.default_rng(seed).normal(size=(120, 150)).astype(np.float32)
    for read in (values, np.maximum(values, 0)):
        assert np.array_equal(binarise(read), as_published(read))


def test_otsu_is_scikit_images():
    values = np.maximum(smooth(3), 0)
    grey = (255 * (values / values.max())).astype(np.uint8)
    cut = grey > threshold_otsu(grey)
    assert np.array_equal(binarise(values), fill_contours(cut))


def test_two_levels_by_hand():
    values = np.zeros((7, 8))
    values[1:5, 1:5] = 4
    values[2:4, 2:4] = 0
    values[6, 7] = 4
    # The hole is filled, the single pixel has no contour.
    assert np.array_equal(binarise(values), box((7, 8), 1, 5, 1, 5))


def test_a_diagonal_net_holds_what_it_encloses():
    net = np.zeros((5, 5), dtype=bool)
    net[[0, 1, 1, 2], [1, 0, 2, 1]] = True
    filled = fill_contours(net)
    assert filled.sum() == 5
    assert filled[1, 1]


@settings(max_examples=60, deadline=None)
@given(mask=hnp.arrays(bool, (9, 10)))
def test_filling_keeps_every_part_of_two_pixels_and_is_done_once(mask):
    filled = fill_contours(mask)
    alone = mask & (ndimage.convolve(mask.astype(int), np.ones((3, 3), dtype=int), mode="constant") == 1)
    assert not (mask & ~alone & ~filled).any()
    assert np.array_equal(fill_contours(filled), filled)
    expected = ndimage.binary_fill_holes(mask)
    lone = expected & (ndimage.convolve(expected.astype(int), np.ones((3, 3), dtype=int), mode="constant") == 1)
    assert np.array_equal(filled, expected & ~lone)


def test_a_signed_map_is_marked_all_over_and_scores_the_size_of_the_region():
    values = np.random.default_rng(0).normal(size=(400, 400)).astype(np.float32)
    mask = box((400, 400), 40, 200, 60, 260)
    values[mask] += 0.3
    scores = {name: score.value for name, score in score_map(values, mask).items()}
    assert as_published(values).mean() > 0.93
    assert scores["shamsul_coverage"] == as_published(values).mean()
    assert scores["shamsul_iou"] == pytest.approx(mask.mean(), abs=0.02)
    assert scores["chexlocalize_coverage"] < 0.3
    # The same map with its sign turned avoids the region, and this protocol cannot tell; the order of pixels can.
    opposite = score_map(-values, mask, polarity="raw")
    assert opposite["shamsul_iou"].value == pytest.approx(scores["shamsul_iou"], abs=0.02)
    assert scores["pixel_auroc"] > 0.55
    assert opposite["pixel_auroc"].value < 0.45


def test_the_raw_reading_is_shamsuls_protocol():
    values, mask = smooth(5), box((180, 230), 30, 90, 40, 140)
    raw = score_map(values, mask, polarity="raw")
    positive = score_map(values, mask)
    assert raw["chexlocalize_iou"].value == raw["shamsul_iou"].value == positive["shamsul_iou"].value
    assert positive["chexlocalize_iou"].value != positive["shamsul_iou"].value
    unsigned = score_map(np.abs(values), mask)
    assert unsigned["chexlocalize_iou"].value == unsigned["shamsul_iou"].value


def test_a_perfect_map_overlaps_entirely_and_covers_the_region():
    mask = box((60, 50), 10, 30, 5, 25)
    scores = score_map(3.0 * mask, mask)
    assert scores["chexlocalize_iou"].value == 1
    assert scores["chexlocalize_coverage"].value == pytest.approx(mask.mean())


def test_a_constant_map_marks_nothing_and_has_no_overlap():
    for values in (np.zeros((20, 20)), np.full((20, 20), 3.5), np.full((20, 20), -1.0)):
        assert not binarise(values).any()
    scores = score_map(np.full((20, 20), 3.5), box((20, 20), 2, 8, 2, 8))
    assert all(
        math.isnan(scores[f"{name}_{what}"].value)
        for name in ("chexlocalize", "shamsul")
        for what in ("iou", "coverage")
    )


def test_overlap_by_hand():
    first, second = box((4, 6), 0, 2, 0, 4), box((4, 6), 1, 3, 2, 6)
    assert iou(first, second) == pytest.approx(2 / 14)
    assert math.isnan(iou(first, np.zeros_like(first)))
    assert math.isnan(iou(np.zeros_like(first), first))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 99), scale=st.sampled_from([0.5, 4.0, 256.0]), flip=st.sampled_from([0, 1]))
def test_scale_and_flips_change_nothing(seed, scale, flip):
    values = np.maximum(smooth(seed, 4, (30, 40)), 0)
    assert np.array_equal(binarise(np.flip(values * scale, flip)), np.flip(binarise(values), flip))
