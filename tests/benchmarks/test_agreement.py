"""Counting stops where seeds agree, and says so where they do not."""

import numpy as np
import pytest

from benchmarks.agreement import _on_a_line, _until_agreed, agreement


def test_counting_stops_at_the_first_number_at_which_seeds_agree():
    truth, asked = np.arange(30.0), []

    def runs(number):
        asked.append(number)
        rng = np.random.default_rng(number)
        return [truth + rng.normal(0, 200 / number, 30) for _ in range(3)]

    count = _until_agreed(runs, [10, 100, 1000])
    assert (count.films, count.reached, asked) == (100, True, [10, 100])
    assert 0.95 <= count.agreement < 1
    assert not _until_agreed(runs, [10]).reached


def test_the_line_gives_the_number_at_which_what_is_missing_is_small_enough():
    count = _on_a_line({250: 1 - 25 / 250, 500: 1 - 25 / 500, 1000: 1 - 25 / 1000})
    assert (count.films, count.reached) == (500, True)
    assert not _on_a_line({250: 0.5, 500: 0.51}).reached


def test_the_line_goes_through_what_lies_near_alone():
    straight = {250: 1 - 25 / 250, 500: 1 - 25 / 500, 1000: 1 - 25 / 1000}
    assert _on_a_line({100: 0.1, 150: 0.7, **straight, 4000: 0.9999}).films == 500


def test_agreement_is_the_mean_over_all_pairs():
    up, down = np.arange(5.0), -np.arange(5.0)
    assert agreement([up, up, down]) == pytest.approx(-1 / 3)
