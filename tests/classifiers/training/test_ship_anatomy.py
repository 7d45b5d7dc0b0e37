from __future__ import annotations

import numpy as np
import pytest

from classifiers.training.ship_anatomy import dice, over_patients


def test_dice_and_its_mean_over_patients() -> None:
    found, drawn = np.zeros((4, 4), dtype=bool), np.zeros((4, 4), dtype=bool)
    assert np.isnan(dice(found, drawn))
    found[0], drawn[:2, :2] = True, True
    assert dice(found, drawn) == pytest.approx(2 * 2 / 8)
    figures = over_patients([1.0, 0.8, 0.6], ["a", "a", "b"])
    assert figures["mean"] == pytest.approx(0.8)
    assert (figures["low"], figures["high"], figures["worst"]) == (0.6, 0.9, 0.6)
    assert (figures["films"], figures["patients"]) == (3, 2)
