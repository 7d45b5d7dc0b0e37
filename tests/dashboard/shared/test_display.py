"""Maps are scaled by one rule, stay in proportion to their raw values, and never show colour without evidence."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.shared import display
from dashboard.shared.display import View
from radiographs import Radiograph
from xai_methods.display import POSITIVE_COLOURS, Scale


@pytest.fixture
def film() -> Radiograph:
    rows = np.linspace(0, 1, 600, dtype=np.float32)
    return Radiograph(np.tile(rows[:, None], (1, 512)))


def test_positive_scale_runs_from_zero_to_the_percentile():
    values = np.arange(-1000, 1000, dtype=np.float32).reshape(40, 50)
    scale = display.scale_of(values, "positive")
    assert scale.low == 0
    assert scale.high == pytest.approx(np.percentile(np.maximum(values, 0), 99.5))


def test_signed_scale_is_symmetric_about_zero():
    values = np.full((10, 10), -3.0, dtype=np.float32)
    values[0, 0] = 1.0
    scale = display.scale_of(values, "signed")
    assert (scale.low, scale.high) == (-3.0, 3.0)
    middle = display.coloured(np.zeros((1, 1)), scale)
    both = display.coloured(np.array([[-3.0, 3.0]]), scale)
    assert middle.max() < 60
    assert np.abs(both[0, 0].astype(int) - both[0, 1]).max() > 60


def test_a_single_bright_pixel_still_has_a_scale():
    values = np.zeros((100, 100), dtype=np.float32)
    values[5, 5] = 2.0
    assert display.scale_of(values, "positive").high == 2.0


@pytest.mark.parametrize("mode", display.MODES)
def test_no_positive_evidence_shows_the_bare_film(film, mode):
    base = display.film_picture(film)
    drawn = display.picture(base, np.full(film.shape, -1.0, dtype=np.float32), View(mode=mode))
    assert np.array_equal(drawn.pixels, base)
    assert drawn.scale is None
    assert drawn.words == display.NO_EVIDENCE


def test_an_all_zero_map_shows_the_bare_film_in_signed_view_too(film):
    base = display.film_picture(film)
    drawn = display.picture(base, np.zeros(film.shape, dtype=np.float32), View(part="signed"))
    assert np.array_equal(drawn.pixels, base)
    assert drawn.words == display.ALL_ZERO


def test_overlay_leaves_the_film_bare_where_the_map_is_zero_and_grows_with_the_value(film):
    base = display.film_picture(film) // 8
    values = np.zeros(film.shape, dtype=np.float32)
    values[300:, 0:100], values[300:, 100:200] = 0.2, 1.0
    drawn = display.picture(base, values, View(opacity=0.5)).pixels
    assert np.array_equal(drawn[:290], base[:290])
    change = np.abs(drawn[400:500].astype(int) - base[400:500]).sum(axis=2).mean(axis=0)
    assert 0 < change[50] < change[150]


def test_opacity_zero_is_the_film(film):
    base = display.film_picture(film)
    values = np.random.default_rng(0).random(film.shape, dtype=np.float32)
    assert np.array_equal(display.picture(base, values, View(opacity=0.0)).pixels, base)


def test_contour_draws_only_the_border_of_the_top_area(film):
    base = display.film_picture(film)
    values = np.zeros(film.shape, dtype=np.float32)
    values[100:200, 100:200] = 1.0
    drawn = display.picture(base, values, View(mode="contour")).pixels
    changed = (drawn != base).any(axis=2)
    assert changed[100:104, 110:190].any()
    assert not changed[130:170, 130:170].any()
    assert not changed[300:].any()


@pytest.mark.parametrize("box", [(slice(100, 200), slice(50, 150)), (slice(0, 600), slice(0, 512))])
def test_outline_is_drawn_on_request_with_a_halo(film, box):
    mask = np.zeros(film.shape, dtype=bool)
    mask[box] = True
    base = display.film_picture(film)
    values = np.full(film.shape, -1.0, dtype=np.float32)
    with_outline = display.picture(base, values, View(), mask).pixels
    assert (with_outline == display.OUTLINE).all(axis=2).sum() > 100
    assert (with_outline == 8).all(axis=2).any()
    assert np.array_equal(display.picture(base, values, View(outline=False), mask).pixels, base)


@pytest.mark.parametrize(
    ("shape", "wanted"), [((224, 224), (512, 512)), ((1955, 1841), (1024, 964)), ((600, 512), (600, 512))]
)
def test_pictures_keep_the_aspect_and_stay_within_bounds(shape, wanted):
    assert display.picture_shape(shape) == wanted


def test_film_picture_uses_the_window_of_the_file():
    pixels = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)
    drawn = display.film_picture(Radiograph(pixels, window=(0.4, 0.6)))
    assert drawn[:20].max() == 0
    assert drawn[-20:].min() == 255


def test_png_and_colour_bar():
    bar = display.colour_bar(Scale(0.0, 1.0, POSITIVE_COLOURS), width=64, height=4)
    assert bar.shape == (4, 64, 3)
    assert bar[0, -1].astype(int).sum() > bar[0, 0].astype(int).sum()
    assert display.png(bar).startswith(b"\x89PNG")
