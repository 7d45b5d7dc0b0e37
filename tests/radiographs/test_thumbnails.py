import numpy as np
import pytest

from radiographs.radiograph import Radiograph
from radiographs.thumbnails import thumbnail


def film(pixels):
    return Radiograph(np.asarray(pixels, dtype=np.float32))


def test_a_wide_film_is_padded_above_and_below():
    picture = thumbnail(film(np.tile(np.linspace(0.2, 0.6, 200), (100, 1))), 40)
    assert picture.shape == (40, 40)
    assert picture.dtype == np.uint8
    assert (picture[:10] == 0).all()
    assert (picture[30:] == 0).all()
    assert picture[10:30, -1].min() > 250
    assert (np.diff(picture[20].astype(int)) >= 0).all()


def test_pixels_are_averages_over_areas():
    pixels = np.zeros((80, 80))
    pixels[::2, ::2] = 1.0
    assert thumbnail(film(pixels), 40)[5:35, 5:35] == pytest.approx(64, abs=1)


def test_the_stretch_runs_from_the_low_to_the_high_percentile_whatever_the_window():
    pixels = np.random.default_rng(0).uniform(0.4, 0.5, (100, 100))
    pixels[0, 0], pixels[0, 1] = 0.0, 1.0
    plain = thumbnail(film(pixels), 100)
    assert plain.min() == 0
    assert plain.max() == 255
    assert 100 < plain.mean() < 155
    windowed = Radiograph(pixels.astype(np.float32), window=(0.0, 0.1))
    assert (thumbnail(windowed, 100) == plain).all()


def test_a_film_with_one_bright_spot_is_not_blank():
    pixels = np.zeros((100, 100))
    pixels[50, 50] = 1.0
    assert thumbnail(film(pixels), 100).max() == 255


def test_a_small_film_is_enlarged_and_a_flat_one_is_black():
    assert thumbnail(film(np.full((8, 8), 0.3)), 32).max() == 0
    assert thumbnail(film(np.eye(8)), 32).shape == (32, 32)


def test_a_side_below_one_is_refused():
    with pytest.raises(ValueError, match="at least 1 pixel"):
        thumbnail(film(np.eye(8)), 0)
