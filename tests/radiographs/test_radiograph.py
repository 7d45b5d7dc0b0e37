import dataclasses

import numpy as np
import pytest

from radiographs import Annotation, Radiograph
from radiographs.annotation import union_mask


def test_pixels_are_a_read_only_copy_in_float32():
    given = np.linspace(0, 1, 12).reshape(3, 4)
    film = Radiograph(given)
    given[0, 0] = 0.5
    assert film.pixels.dtype == np.float32
    assert film.pixels[0, 0] == 0
    assert film.shape == (3, 4)
    with pytest.raises(ValueError, match="read-only"):
        film.pixels[0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        film.view = "PA"


def test_digest_names_the_pixels_and_their_shape_only():
    pixels = np.linspace(0, 1, 12)
    film = Radiograph(pixels.reshape(3, 4), view="PA")
    assert film.digest == Radiograph(pixels.reshape(3, 4), view="AP", bits=12).digest
    assert film.digest != Radiograph(pixels.reshape(4, 3)).digest
    assert film.digest != Radiograph(1 - pixels.reshape(3, 4)).digest
    assert film.digest == Radiograph(np.asfortranarray(pixels.reshape(3, 4))).digest


@pytest.mark.parametrize(
    "pixels", [np.zeros(3), np.zeros((0, 4)), np.full((2, 2), np.nan), np.full((2, 2), 1.1), np.full((2, 2), -0.1)]
)
def test_what_is_not_a_film_is_refused(pixels):
    with pytest.raises(ValueError, match="radiograph"):
        Radiograph(pixels)


def test_annotation_mask_is_a_read_only_bool_copy():
    given = np.array([[0, 2], [0, 0]])
    annotation = Annotation("Nodule", given, "mask", "expert")
    given[0, 0] = 1
    np.testing.assert_array_equal(annotation.mask, [[False, True], [False, False]])
    assert not annotation.exact
    with pytest.raises(ValueError, match="read-only"):
        annotation.mask[0, 0] = True
    with pytest.raises(ValueError, match="two dimensions"):
        Annotation("Nodule", np.zeros(4), "mask", "expert")


def test_union_joins_one_finding_only():
    left, right = np.eye(3, dtype=bool), np.eye(3, dtype=bool)[::-1]
    drawn = [Annotation("Mass", left, "mask", "a"), Annotation("Mass", right, "mask", "b")]
    other = Annotation("Nodule", np.ones((3, 3)), "mask", "a")
    np.testing.assert_array_equal(union_mask([*drawn, other], "Mass"), left | right)
    np.testing.assert_array_equal(union_mask(drawn, "mass"), left | right)
    assert union_mask(drawn, "Effusion") is None
