import io

import numpy as np
import pytest
from PIL import Image

from tests.xai_methods.test_explanation import explanation
from xai_methods.display import POSITIVE_COLOURS, SIGNED_COLOURS, coloured, scale_of


def drawn(**changed) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(explanation(**changed)._repr_png_())))


def test_a_signed_map_is_scaled_symmetrically_and_another_from_zero():
    values = np.linspace(-4, 2, 1001, dtype=np.float32)[None]
    signed, positive = scale_of(values, "signed"), scale_of(values, "positive")
    assert (signed.low, signed.colours) == (-signed.high, SIGNED_COLOURS)
    assert signed.high == pytest.approx(np.percentile(np.abs(values), 99.5))
    assert (positive.low, positive.colours) == (0, POSITIVE_COLOURS)
    assert positive.high == pytest.approx(np.percentile(np.maximum(values, 0), 99.5))


def test_an_explanation_draws_itself_in_a_notebook():
    made = explanation()
    picture = drawn()
    assert picture.shape == (320, 320, 3)
    assert np.array_equal(picture[::40, ::40], coloured(made.values, scale_of(made.values, "signed")))
    assert not np.array_equal(picture, drawn(signed=False))


@pytest.mark.parametrize("signed", [True, False])
def test_a_zero_map_is_words_and_never_colour(signed):
    picture = drawn(values=np.zeros((8, 8), np.float32), signed=signed)
    assert np.array_equal(picture[..., 0], picture[..., 1])
    assert np.array_equal(picture[..., 0], picture[..., 2])
    assert len(np.unique(picture)) > 1


def test_it_says_in_one_line_what_it_is():
    assert repr(explanation()).startswith("Explanation(lime of Mass, logit -1.25, 8 x 8, -")
