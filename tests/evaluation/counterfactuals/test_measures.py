"""Measures of counterfactual films have known answers on films and features made for it."""

import math

import numpy as np
import pytest
from scipy import linalg

from evaluation.counterfactuals.measures import (
    device_change,
    edge_energy,
    frechet_distance,
    lower_lung_share,
    measured,
    nearest_is_own,
    share_outside,
    slope,
)


def features(count: int, width: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, width)) @ rng.normal(size=(width, width)) + rng.normal(size=width)


class TestFrechetDistance:
    def test_of_a_set_to_itself_is_nothing(self):
        films = features(40, 6, 0)
        assert frechet_distance(films, films) == pytest.approx(0, abs=1e-9)

    def test_of_a_shifted_set_is_the_squared_shift(self):
        films, shift = features(40, 3, 0), np.array([3.0, 0.0, -4.0])
        assert frechet_distance(films, films + shift) == pytest.approx(25)

    def test_of_a_set_twice_as_wide_is_its_variance(self):
        films = features(40, 5, 0)
        films -= films.mean(axis=0)
        # tr(C) + tr(4 C) - 2 tr(2 C)
        assert frechet_distance(films, 2 * films) == pytest.approx(np.trace(np.cov(films, rowvar=False)))

    def test_equals_the_formula_with_a_matrix_root(self):
        first, second = features(60, 5, 1), features(50, 5, 2)
        one, two = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
        means = first.mean(axis=0) - second.mean(axis=0)
        expected = means @ means + np.trace(one + two - 2 * np.real(linalg.sqrtm(one @ two)))
        assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-6)

    def test_of_fewer_films_than_features_is_finite(self):
        assert math.isfinite(frechet_distance(features(4, 12, 1), features(5, 12, 2)))

    def test_one_film_is_no_set(self):
        with pytest.raises(ValueError, match="two films"):
            frechet_distance(features(1, 3, 0), features(9, 3, 0))


def test_the_nearest_film_is_the_own_one_or_not_and_a_tie_is_a_miss():
    real = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    made = np.array([[1.0, 0.0], [4.0, 0.0], [6.0, 1.0], [5.0, 0.0]])
    np.testing.assert_array_equal(nearest_is_own(made, real, np.array([0, 1, 1, 0])), [True, False, True, False])


def test_edge_energy_of_a_ramp_is_its_squared_steepness():
    ramp = np.tile(np.arange(10) * 0.3, (8, 1))
    assert edge_energy(ramp, np.ones((8, 10), dtype=bool)) == pytest.approx(0.09)
    assert math.isnan(edge_energy(ramp, np.zeros((8, 10), dtype=bool)))


class TestDeviceChange:
    film = np.full((40, 40), 0.2)
    film[:, 18:20] = 0.9
    device = film > 0.5

    def test_a_device_left_alone_is_visible_whatever_happens_elsewhere(self):
        after = self.film.copy()
        after[:, :10] += 0.4
        found = device_change(self.film, after, self.device)
        assert found is not None
        assert (found.inside, found.energy, found.visible) == (0.0, 1.0, True)
        # 10 of the 34 columns beyond two pixels of the device became brighter by 0.4.
        assert found.elsewhere == pytest.approx(0.4 * 10 / 34)

    def test_a_device_wiped_out_is_gone(self):
        found = device_change(self.film, np.full((40, 40), 0.2), self.device)
        assert found is not None
        assert (found.energy, found.visible) == (0.0, False)
        # 2 of the mask's 6 columns changed by 0.7.
        assert found.inside == pytest.approx(0.7 * 2 / 6)

    def test_a_device_grown_fainter_by_a_tenth_is_just_visible_still(self):
        fainter = device_change(self.film, 0.2 + 0.9 * (self.film - 0.2), self.device)
        fading = device_change(self.film, 0.2 + 0.85 * (self.film - 0.2), self.device)
        assert fainter is not None
        assert fading is not None
        assert fainter.energy == pytest.approx(0.81)
        assert (fainter.visible, fading.visible) == (True, False)

    def test_nothing_is_said_where_there_is_no_device_or_no_edge(self):
        assert device_change(self.film, self.film, np.zeros((40, 40), dtype=bool)) is None
        assert device_change(np.zeros((40, 40)), self.film, self.device) is None


def test_the_lower_lung_begins_at_two_thirds_of_the_height_it_had():
    before = np.zeros((30, 20), dtype=bool)
    before[6:24, 5:15] = True
    assert lower_lung_share(before, before) == pytest.approx(6 * 10 / 600)
    risen = before.copy()
    risen[21:] = False
    assert lower_lung_share(risen, before) == pytest.approx(3 * 10 / 600)
    assert math.isnan(lower_lung_share(before, np.zeros((30, 20), dtype=bool)))


def test_slope_leaves_out_what_is_unknown():
    levels = np.linspace(0, 1, 5)
    values = 2 * levels + 1
    values[1] = math.nan
    assert slope(levels, values) == pytest.approx(2)
    values[[2, 3]] = math.nan
    assert math.isnan(slope(levels, values))


def test_anatomy_of_a_film_without_a_chest_is_unknown():
    found = measured(np.random.default_rng(0).random((128, 128)))
    assert math.isnan(found.ratio)
    assert math.isnan(found.lower)


def test_the_share_of_the_change_outside_an_outline():
    difference = np.zeros((4, 4))
    difference[0, 0], difference[3, 3] = -3, 1
    region = np.zeros((4, 4))
    region[0, 0] = 1
    assert share_outside(difference, region) == pytest.approx(0.25)
    assert share_outside(difference, region / 2) == pytest.approx(0.625)
    assert math.isnan(share_outside(np.zeros((4, 4)), region))
    assert math.isnan(share_outside(difference, np.zeros((4, 4))))
