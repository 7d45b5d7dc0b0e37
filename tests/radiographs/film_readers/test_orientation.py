"""Films are turned as one hangs them, pixels made square, and outlines go with them."""

import numpy as np
import pytest

from radiographs.film_readers.orientation import (
    StoredFrame,
    Turn,
    patient_orientation,
    resample_mask,
    square_shape,
    turn_to_usual,
)
from tests.radiographs.film_readers.dicom_films import codes, read

ROWS, COLUMNS = np.mgrid[0:96, 0:80]
STORED = (ROWS * 20 + COLUMNS * 24 + (ROWS > 60) * 200).astype(np.uint16)
TURNS = [Turn(t, u, m) for t in (False, True) for u in (False, True) for m in (False, True)]


@pytest.mark.parametrize("turn", TURNS)
def test_a_turn_is_undone(turn):
    turned = turn.apply(STORED)
    assert turned.shape == turn.shape(STORED.shape)
    np.testing.assert_array_equal(turn.undo(turned), STORED)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("view", ["frontal", "lateral"])
def test_a_film_that_was_turned_away_is_turned_back(turn, view):
    usual = ("L", "F") if view == "frontal" else ("P", "F")
    row, column = patient_orientation(turn, *usual)
    back = turn_to_usual(row, column, view == "lateral")
    assert back is not None
    row, column = patient_orientation(back, row, column)
    assert column == "F"
    if view == "frontal":
        assert row == "L"
        np.testing.assert_array_equal(back.apply(turn.apply(STORED)), STORED)


@pytest.mark.parametrize(("row", "column"), [("L", "P"), ("A", "L"), ("L", "R"), ("X", "F"), ("H", "F")])
def test_planes_in_which_no_chest_film_lies_are_left(row, column):
    assert turn_to_usual(row, column, False) is None


@pytest.mark.parametrize(
    ("orientation", "turned"),
    [
        (["L", "F"], lambda x: x),
        (["R", "F"], lambda x: x[:, ::-1]),
        (["L", "H"], lambda x: x[::-1]),
        (["R", "H"], lambda x: x[::-1, ::-1]),
        (["RF", "FL"], lambda x: x[:, ::-1]),
        (["F", "L"], lambda x: x.T),
        (["F", "R"], lambda x: x.T[:, ::-1]),
        (["H", "L"], lambda x: x.T[::-1]),
        (["P", "F"], lambda x: x),
        (["A", "F"], lambda x: x),
        (["P", "H"], lambda x: x[::-1, ::-1]),
    ],
)
def test_patient_orientation_is_heeded_and_said(orientation, turned):
    made = read(STORED, PatientOrientation=orientation, ImagerPixelSpacing=[0.2, 0.2])
    np.testing.assert_allclose(made.pixels, turned(STORED) / 4095, atol=1e-6)
    unchanged = made.pixels.shape == STORED.shape and (made.pixels == read(STORED).pixels).all()
    assert ("turned" in codes(made)) == (not unchanged)
    assert (made.stored is None) == unchanged


def test_a_lateral_film_is_known_by_its_orientation():
    assert [note.code for note in read(STORED, PatientOrientation=["A", "F"]).doubts] == ["lateral"]


@pytest.mark.parametrize("tags", [{"FieldOfViewHorizontalFlip": "YES"}, {"FieldOfViewRotation": 90}])
def test_what_the_detector_turned_is_said(tags):
    assert [note.code for note in read(STORED, **tags).doubts] == ["orientation"]
    assert read(STORED, PatientOrientation=["L", "F"], **tags).notes == ()


@pytest.mark.parametrize(
    ("tags", "shape", "spacing"),
    [
        ({"PixelSpacing": [0.2, 0.4]}, (96, 160), (0.2, 0.2)),
        ({"PixelSpacing": [0.4, 0.2]}, (192, 80), (0.2, 0.2)),
        ({"ImagerPixelSpacing": [0.2, 0.3]}, (96, 120), (0.2, 0.2)),
        ({"PixelAspectRatio": [1, 2]}, (96, 160), None),
        ({"PixelAspectRatio": [2, 1]}, (192, 80), None),
        ({"PixelSpacing": [0.2, 0.2], "PixelAspectRatio": [1, 2]}, (96, 80), (0.2, 0.2)),
        ({"PixelSpacing": [0.2, 0.2005]}, (96, 80), (0.2, 0.2005)),
        ({"PixelSpacing": [0.2, 0.4], "PatientOrientation": ["F", "L"]}, (160, 96), (0.2, 0.2)),
    ],
)
def test_pixels_that_are_not_square_are_resampled(tags, shape, spacing):
    made = read(STORED, **tags)
    assert made.shape == shape
    assert made.pixel_spacing_mm == (None if spacing is None else pytest.approx(spacing))
    assert ("resampled" in codes(made)) == (shape not in ((96, 80), (80, 96)))


def test_greys_stay_in_place_when_pixels_are_made_square():
    made = read(STORED, PixelSpacing=[0.2, 0.4])
    np.testing.assert_allclose(
        (made.pixels[:, 0::2] + made.pixels[:, 1::2])[:, 2:-2] / 2, STORED[:, 2:-2] / 4095, atol=2e-3
    )


def test_a_wild_proportion_is_doubted_and_not_followed():
    made = read(STORED, PixelAspectRatio=[1, 50])
    assert made.shape == STORED.shape
    assert [note.code for note in made.doubts] == ["not-square"]


def test_square_shape_is_bounded():
    assert square_shape((100, 50), (1.0, 2.0), 8192) == (100, 100)
    assert square_shape((8000, 8000), (1.0, 2.0), 8192) == (4096, 8192)


@pytest.mark.parametrize("turn", TURNS)
def test_outlines_go_with_the_film_and_back(turn):
    mask = np.zeros((40, 60), bool)
    mask[5:10, 12:30] = True
    frame = StoredFrame((40, 60), turn)
    height, width = turn.shape((40, 60))
    carried = frame.to_film(mask, (height * 2, width * 2))
    assert carried.sum() == 4 * mask.sum()
    np.testing.assert_array_equal(frame.to_stored(carried), mask)


def test_a_small_mask_is_not_lost_where_it_shrinks():
    mask = np.zeros((100, 100), bool)
    mask[33, 66] = True
    assert resample_mask(mask, (10, 10)).sum() == 1
