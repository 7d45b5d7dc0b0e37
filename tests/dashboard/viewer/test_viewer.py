"""What the browser gets is what the library holds; what the browser tells is checked."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from dashboard.shared.display import View
from dashboard.viewer import map_picture, mask_png, windows
from dashboard.viewer.component import script, seen
from dashboard.viewer.pictures import FULL, colours, film_png, pack, region_mask, unpack
from radiographs import Radiograph


def test_sixteen_bits_survive_the_png():
    values = np.arange(FULL + 1, dtype=np.uint16).reshape(256, 256)
    np.testing.assert_array_equal(unpack(pack(values)), values)


def test_a_film_keeps_twelve_bits_of_grey():
    levels = np.linspace(0, 1, 4096, dtype=np.float32).reshape(64, 64)
    sent = unpack(film_png(Radiograph(levels))).astype(np.float64) / FULL
    assert np.abs(sent - levels).max() <= 0.5 / FULL + 1e-7
    assert len(np.unique(sent)) == 4096


def test_a_map_keeps_its_raw_units_and_sign():
    values = np.linspace(-3e-4, 1e-3, 60 * 50, dtype=np.float32).reshape(60, 50)
    made = map_picture(values)
    back = made.low + (made.high - made.low) * unpack(made.png) / FULL
    np.testing.assert_allclose(back, values, atol=(made.high - made.low) / FULL)
    assert 0 < made.top <= 1e-3
    assert made.signed_top >= made.top * 0.99


def test_a_map_without_positive_values_has_nothing_to_colour():
    made = map_picture(np.full((9, 9), -1.0, dtype=np.float32))
    assert made.top == 0
    assert made.signed_top == 1
    nothing = map_picture(np.zeros((9, 9), dtype=np.float32))
    assert (nothing.top, nothing.signed_top) == (0, 0)
    assert nothing.high > nothing.low


def test_a_mask_is_all_or_nothing():
    mask = np.zeros((40, 30), dtype=bool)
    mask[5:20, 3:9] = True
    np.testing.assert_array_equal(unpack(mask_png(mask)) == FULL, mask)


def test_windows_lie_in_order_and_follow_the_films_own():
    pixels = np.random.default_rng(0).random((80, 60)).astype(np.float32)
    made = windows(Radiograph(pixels))
    assert list(made) == ["film", "lung", "bone", "whole"]
    assert all(low < high for low, high in made.values())
    assert made["lung"][1] < made["bone"][1]
    assert windows(Radiograph(pixels, window=(0.2, 0.4)))["film"] == (0.2, 0.4)
    flat = windows(Radiograph(np.full((8, 8), 0.5, dtype=np.float32)))
    assert all(high > low for low, high in flat.values())


def drawn(size: tuple[int, int], box: tuple[int, int, int, int]) -> str:
    image = Image.new("RGBA", size, (0, 0, 0, 0))
    image.paste((255, 255, 255, 255), box)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def test_a_drawn_region_comes_into_the_films_own_pixels():
    mask = region_mask(drawn((100, 50), (20, 10, 60, 30)), (100, 200))
    assert mask.shape == (100, 200)
    assert mask[25, 50]
    assert mask.sum() == pytest.approx(80 * 40, rel=0.05)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("", "did not arrive"),
        ("data:text/html;base64,AAAA", "did not arrive"),
        ("data:image/png;base64,AAAA", "could not be read"),
        ("data:image/png;base64,***", "could not be read"),
        (drawn((20, 20), (0, 0, 0, 0)), "is empty"),
        (drawn((5000, 10), (0, 0, 9, 9)), "too large"),
    ],
)
def test_a_bad_region_is_refused_in_words(told, words):
    with pytest.raises(ValueError, match=words):
        region_mask(told, (40, 40))


def test_what_the_browser_tells_of_the_view_is_checked():
    usual = View()
    told = {"mode": "contour", "part": "signed", "opacity": 0.25, "outline": False, "threshold": 0.4}
    assert seen(told, usual) == View("contour", "signed", 0.25, False)
    for wrong in (None, {}, {**told, "mode": "<b>"}, {**told, "opacity": "x"}, {**told, "opacity": 7}, 3):
        assert seen(wrong, usual) == usual


def test_the_script_is_one_module_with_one_export():
    assert script().count("export default") == 1
    assert "import " not in script().replace("important", "")


def test_colours_are_whole():
    assert {len(base64.b64decode(text)) for text in colours().values()} == {768}
