"""A film that a person turns, mirrors or inverts: pixels, window, spacing and outlines go along, and a note says so."""

import numpy as np
import pytest

from radiographs import Annotation, Radiograph
from radiographs.corrections import Correction
from radiographs.film_readers.orientation import StoredFrame, Turn

TURNS = [Turn(a, b, c) for a in (False, True) for b in (False, True) for c in (False, True)]
PIXELS = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)


def test_turns_compose():
    for first in TURNS:
        for second in TURNS:
            expected = second.apply(first.apply(PIXELS))
            np.testing.assert_array_equal(first.then(second).apply(PIXELS), expected)


@pytest.mark.parametrize("turn", TURNS[1:])
def test_a_turn_takes_outlines_and_the_stored_frame_along(turn):
    film = Radiograph(PIXELS, pixel_spacing_mm=(0.2, 0.3), orientation=("L", "F"))
    correction = Correction(turn)
    made = correction.apply(film)
    np.testing.assert_array_equal(made.pixels, turn.apply(PIXELS))
    assert made.pixel_spacing_mm == ((0.3, 0.2) if turn.transposed else (0.2, 0.3))
    assert made.orientation is None
    drawn = correction.carry(Annotation("Mass", PIXELS > 0.8, "mask", "a reader"))
    np.testing.assert_array_equal(drawn.mask, made.pixels > 0.8)
    np.testing.assert_array_equal(made.stored.values_to_stored(np.array(made.pixels)), PIXELS)
    assert [note.words for note in made.notes] == [f"The film was {turn.words} by hand, for it looked wrong."]


def test_an_inversion_takes_the_window_along():
    made = Correction(inverted=True).apply(Radiograph(PIXELS, window=(0.2, 0.6)))
    np.testing.assert_allclose(made.pixels, 1 - PIXELS)
    assert made.window == pytest.approx((0.4, 0.8))
    assert made.stored is None
    assert not made.doubts


def test_a_film_that_was_turned_on_reading_is_turned_further():
    first, second = Turn(transposed=True), Turn(mirrored=True)
    film = Radiograph(first.apply(PIXELS), stored=StoredFrame(PIXELS.shape, first))
    made = Correction(second).apply(film)
    np.testing.assert_array_equal(made.stored.values_to_stored(np.array(made.pixels)), PIXELS)
