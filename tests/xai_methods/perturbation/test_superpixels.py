"""Superpixels are connected, numbered without gaps, repeatable, and follow what is on the film."""

import numpy as np
import pytest
from skimage.measure import label

from classifiers import Preprocessing
from classifiers.anatomy import segment
from radiographs import Radiograph
from radiographs.registry import find_film
from tests.xai_methods.linear_classifier import smooth_film
from xai_methods.parameters import ParameterError
from xai_methods.perturbation.superpixels import KINDS, chest_of, superpixels

OF_ANY_PICTURE = [kind for kind in KINDS if kind != "anatomy"]


@pytest.fixture(scope="module")
def film():
    return smooth_film(64, seed=3).pixels


@pytest.mark.parametrize("n", [2, 10, 50])
@pytest.mark.parametrize("kind", OF_ANY_PICTURE)
def test_regions_are_connected_numbered_and_as_many_as_asked(film, kind, n):
    labels = superpixels(film, kind, n)
    assert labels.dtype == np.int32
    assert labels.shape == film.shape
    assert np.array_equal(np.unique(labels), np.arange(n))
    assert all(label(labels == one, connectivity=1).max() == 1 for one in range(n))


@pytest.mark.parametrize("kind", OF_ANY_PICTURE)
def test_same_film_same_regions(film, kind):
    assert np.array_equal(superpixels(film, kind, 20), superpixels(film.copy(), kind, 20))


@pytest.mark.parametrize("kind", ["slic", "quickshift", "felzenszwalb"])
def test_two_halves_are_found(kind):
    halves = np.full((48, 48), 0.2, dtype=np.float32)
    halves[:, 17:] = 0.9
    labels = superpixels(halves, kind, 2, compactness=0.01)
    # Smoothing before the cut may move the border by a pixel.
    assert np.array_equal((labels == labels[0, 0])[:, [0, 15, 19, 47]], (halves < 0.5)[:, [0, 15, 19, 47]])


def test_grid_ignores_the_film_and_is_even(film):
    labels = superpixels(film, "grid", 50)
    assert np.array_equal(labels, superpixels(1 - film, "grid", 50))
    assert np.bincount(labels.ravel()).max() < 2 * np.bincount(labels.ravel()).min()


def test_compactness_makes_regions_squarer(film):
    def borders(labels):
        return (np.diff(labels, axis=0) != 0).sum() + (np.diff(labels, axis=1) != 0).sum()

    assert borders(superpixels(film, "slic", 30, 5.0)) < borders(superpixels(film, "slic", 30, 0.01))


def test_a_film_of_one_grey_still_has_regions():
    assert superpixels(np.zeros((64, 64)), "slic", 50).max() + 1 == 50
    with pytest.raises(ParameterError, match="single region"):
        superpixels(np.zeros((64, 64)), "felzenszwalb", 50)


@pytest.mark.parametrize("n", [1, 0, -3, 301])
def test_counts_out_of_bounds_are_refused(film, n):
    with pytest.raises(ParameterError, match="n_superpixels: expected 2 to 300"):
        superpixels(film, "slic", n)


def test_more_regions_than_a_small_film_holds_are_refused():
    with pytest.raises(ParameterError, match="n_superpixels: expected 2 to 64 on an input of 16 x 16"):
        superpixels(np.zeros((16, 16)), "slic", 65)


def test_an_unknown_kind_is_refused(film):
    with pytest.raises(ParameterError, match="slic, quickshift, felzenszwalb, grid"):
        superpixels(film, "voronoi", 10)


@pytest.mark.parametrize("n", [12, 50, 100])
def test_regions_of_the_anatomy_lie_in_the_chest_or_outside(n):
    radiograph, _, _ = find_film("known-truth/mass-01")
    pixels = Preprocessing(224).prepare(radiograph)[0, 0].numpy()
    labels = superpixels(pixels, "anatomy", n)
    assert np.array_equal(np.unique(labels), np.arange(n))
    assert all(label(labels == one, connectivity=1).max() == 1 for one in range(n))
    assert np.array_equal(labels, superpixels(pixels, "anatomy", n))
    chest = chest_of(segment(Radiograph(pixels)))
    inside = np.bincount(labels[chest], minlength=n) / np.bincount(labels.ravel())
    assert np.mean((inside < 0.15) | (inside > 0.85)) > 0.9
    assert 0.7 < np.mean(inside > 0.5) < 0.9


def test_anatomy_without_lungs_is_refused(film):
    with pytest.raises(ParameterError, match="needs two lungs"):
        superpixels(film, "anatomy", 20)
