"""What a class said: counts, marks as a map, who was right, against answers known by construction."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.classroom import tally
from dashboard.classroom.exhibit import Exhibit, ScoredRow, jpeg
from dashboard.classroom.rooms import Reply


def point(x: float, y: float) -> Reply:
    return Reply(mark=(x, y, x, y))


@pytest.fixture
def exhibit():
    """A film of 100 x 200 whose right half is the target."""
    target = np.zeros((100, 200), dtype=bool)
    target[:, 100:] = True
    film = jpeg(np.full((100, 200, 3), 90, dtype=np.uint8))
    return Exhibit(film=film, target=target, scores=(ScoredRow("Chance", {"pointing_game": 0.5}),))


def test_choices_are_counted_and_judged():
    exhibit = Exhibit(choices=("a", "b", "c"), right=frozenset({1, 2}))
    replies = [Reply(choice=place) for place in (0, 1, 1, 2)]
    assert tally.counts(replies, 3) == [1, 2, 1]
    assert tally.share_right(replies, exhibit) == (3, 4)
    assert tally.share_right(replies, Exhibit(choices=("a", "b", "c"))) == (0, 0)


@pytest.mark.parametrize(
    ("mark", "right"),
    [((0.6, 0.5, 0.6, 0.5), True), ((0.4, 0.5, 0.4, 0.5), False), ((0.4, 0, 0.7, 1), True), ((1, 1, 1, 1), True)],
)
def test_a_mark_is_right_where_its_middle_lies_in_the_target(exhibit, mark, right):
    assert tally.is_right(Reply(mark=mark), exhibit) is right


def test_each_mark_weighs_as_much_on_the_map_of_the_class(exhibit):
    shape = exhibit.target.shape
    one, box = tally.class_map([point(0.5, 0.5)], shape), tally.class_map([Reply(mark=(0.2, 0.2, 0.4, 0.6))], shape)
    assert one.sum() == pytest.approx(1, abs=0.01)
    assert box.sum() == pytest.approx(1, abs=0.01)
    assert np.unravel_index(one.argmax(), shape) == (50, 100)
    both = tally.class_map([point(0.5, 0.5), Reply(mark=(0.2, 0.2, 0.4, 0.6))], shape)
    np.testing.assert_allclose(both, one + box, atol=1e-6)


def test_the_class_is_scored_as_maps_are(exhibit):
    right = tally.scored((point(0.8, 0.5), point(0.9, 0.3)), exhibit)
    assert [row.who for row in right] == ["The class", "Chance"]
    assert right[0].values["pointing_game"] == 1
    assert right[0].values["relevance_mass_accuracy"] == pytest.approx(1, abs=0.02)
    wrong = tally.scored((point(0.1, 0.5), point(0.2, 0.3)), exhibit)
    assert wrong[0].values["pointing_game"] == 0
    assert wrong[0].values["relevance_mass_accuracy"] == pytest.approx(0, abs=0.02)
    assert [row.who for row in tally.scored((), exhibit)] == ["Chance"]


def test_the_heat_picture_shows_where_the_class_marked_and_the_outline_only_when_wanted(exhibit):
    from io import BytesIO

    from PIL import Image

    def drawn(replies, outline):
        return np.asarray(Image.open(BytesIO(tally.heat_picture(replies, exhibit, outline))).convert("RGB")).astype(int)

    film = drawn((), False)
    marked = np.abs(drawn((point(0.25, 0.5),), False) - film).sum(axis=2)
    assert marked[45:55, 45:55].min() > 60
    assert marked[:, 120:].max() < 30
    assert np.abs(drawn((), True) - film).sum(axis=2)[:, 98:103].max() > 100
