"""The digest of a picture: the same for the same picture in another file, another for another picture."""

from __future__ import annotations

import numpy as np
import scipy.fft

from radiographs.perceptual_digest import FREQUENCIES, MARGIN, distances, perceptual_digest, uncropped_digests


def cloud(seed: int, side: int = 256) -> np.ndarray:
    """Made-up tissue: noise whose power falls with frequency."""
    rng = np.random.default_rng(seed)
    spectrum = rng.standard_normal((side, side)) / (1 + np.add.outer(np.arange(side), np.arange(side))) ** 1.5
    picture = scipy.fft.idctn(spectrum, norm="ortho")
    return (picture - picture.min()) / np.ptp(picture)


def test_the_bits_are_the_signs_of_a_cosine_transform_of_the_film_without_its_margin():
    side = 100
    film = cloud(0, side)
    edge = round(MARGIN * side)
    inner = np.kron(film[edge:-edge, edge:-edge], np.ones((8, 8)))
    expected = scipy.fft.dctn(inner)[:FREQUENCIES, :FREQUENCIES].ravel() > 0
    bits = np.unpackbits(perceptual_digest(film).view(np.uint8)).astype(bool)
    assert not bits[0]
    np.testing.assert_array_equal(bits[1:], expected[1:])


def test_size_depth_window_and_a_crop_leave_it_near_and_other_pictures_are_far():
    film = cloud(1)
    own = perceptual_digest(film)[None]
    ways = {
        "same": film,
        "double": np.kron(film, np.ones((2, 2))),
        "half, 8 bits": np.round(255 * film.reshape(128, 2, 128, 2).mean(axis=(1, 3))),
        "window": np.clip((film - 0.05) / 0.9, 0, 1) ** 1.1,
        "not square": film.reshape(256, 128, 2).mean(axis=2),
        "cropped": film[5:-5, 5:-5],
        "cropped at a corner": film[5:, :-5],
    }
    near = {name: int(distances(uncropped_digests(other), own).min()) for name, other in ways.items()}
    assert near["same"] == 0
    assert max(near.values()) <= 12, near
    assert min(int(distances(uncropped_digests(cloud(seed)), own).min()) for seed in range(2, 12)) > 60


def test_distances_are_counts_of_bits():
    one = np.array([[0, 1, 3, 2**63]], dtype=np.uint64)
    others = np.array([[0, 0, 0, 0], [0, 1, 3, 2**63]], dtype=np.uint64)
    assert distances(one, others).tolist() == [[4, 0]]


def test_a_film_of_a_few_pixels_and_an_even_one_have_a_digest():
    assert perceptual_digest(np.zeros((3, 2))).shape == (4,)
    assert perceptual_digest(np.full((64, 64), 0.5)).shape == (4,)
