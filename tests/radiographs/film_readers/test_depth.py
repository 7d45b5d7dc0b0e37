"""One rule for depth, DICOM, PNG and JPEG alike."""

import io

import numpy as np
import pytest
from PIL import Image

from radiographs.film_readers.depth import depth_of
from radiographs.reading import read_radiograph
from tests.radiographs.film_readers.dicom_films import codes, read
from tests.radiographs.film_readers.test_stored_values import layout, smooth


def png(pixels, **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", **options)
    return read_radiograph(stream.getvalue())


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_a_film_is_the_same_by_either_road(bits):
    stored = smooth(bits)
    by_png, wide = png(stored), read(stored, **layout(16, 15))
    exact = read(stored, **layout(bits, bits - 1))
    assert by_png.digest == wide.digest == exact.digest
    assert by_png.bits == wide.bits == exact.bits == bits
    assert codes(exact) == []
    inverted = read(stored, PhotometricInterpretation="MONOCHROME1", **layout(16, 15))
    np.testing.assert_allclose(inverted.pixels, 1 - exact.pixels, atol=1e-6)


@pytest.mark.parametrize("count", [1, 3])
def test_dead_pixels_do_not_darken_a_film(count):
    stored = smooth(12)
    whole = png(stored)
    stored.flat[:count] = 65535
    for made in (png(stored), read(stored, **layout(16, 15))):
        np.testing.assert_array_equal(made.pixels.flat[count:], whole.pixels.flat[count:])
        assert (made.pixels.flat[:count] == 1).all()
        assert "outliers" in codes(made)


def test_dead_pixels_far_below_zero_do_not_darken_a_signed_film():
    stored = smooth(12).astype(np.int16)
    stored.flat[0] = -32768
    made = read(stored, **layout(16, 15, PixelRepresentation=1))
    np.testing.assert_array_equal(made.pixels.flat[1:], read(smooth(12)).pixels.flat[1:])
    assert made.pixels.flat[0] == 0
    assert codes(made) == ["depth", "outliers"]


def test_a_marker_burnt_in_far_above_the_film_does_not_darken_it():
    stored = smooth(12, 200, 200)
    whole = png(stored)
    stored[5:15, 5:25] = 65535
    made = png(stored)
    np.testing.assert_array_equal(made.pixels[20:], whole.pixels[20:])
    assert made.bits == 12


def test_bright_pixels_of_the_film_itself_are_no_outliers():
    stored = np.linspace(0, 5000, 96 * 80).astype(np.uint16).reshape(96, 80)
    assert depth_of(stored).bits == 14
    assert depth_of(stored).outliers == 0


def test_signed_values_have_the_symmetric_range_that_their_words_declare():
    found = depth_of(np.arange(-2048, 2048), 12)
    assert (found.bits, found.low, found.high, found.stretched) == (12, -2048, 2047, False)


def test_signed_values_that_fill_little_of_their_words_are_stretched():
    stored = smooth(12).astype(np.int16) - 1024
    made = read(stored, **layout(16, 15, PixelRepresentation=1))
    assert (made.pixels.min(), made.pixels.max()) == (0, 1)
    assert codes(made) == ["stretched"]
    positive = read(smooth(12).astype(np.int16), **layout(16, 15, PixelRepresentation=1))
    assert positive.digest == read(smooth(12)).digest


def test_the_declared_depth_is_the_most():
    values = np.arange(20000)
    assert depth_of(values, 15).bits == 15
    assert depth_of(values).bits == 16
