"""Geometry: what is marked in the film lands at the right place of the input, and back."""

import numpy as np
import pytest
import torch

from classifiers import Preprocessing
from radiographs import Radiograph

SHAPES = [(64, 64), (97, 64), (64, 97), (300, 241), (241, 300), (120, 300), (48, 47)]


def _spot(shape: tuple[int, int], row: float, column: float, width: float) -> np.ndarray:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * width**2)).astype(np.float32)


def _centre(values: np.ndarray) -> tuple[float, float]:
    rows, columns = np.mgrid[: values.shape[0], : values.shape[1]]
    return float((rows * values).sum() / values.sum()), float((columns * values).sum() / values.sum())


@pytest.mark.parametrize("fit", ["pad", "crop"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_spot_comes_back_to_where_it_was(shape, fit):
    preprocessing = Preprocessing(64, fit)
    side = max(shape) if fit == "pad" else min(shape)
    row, column = shape[0] / 2 - 0.15 * min(shape), shape[1] / 2 + 0.2 * min(shape)
    film = Radiograph(_spot(shape, row, column, 0.06 * min(shape)))
    grid = preprocessing.prepare(film)[0, 0].numpy()
    scale = side / 64
    expected = [(p + 0.5 - (length - side) // 2) / scale - 0.5 for p, length in zip((row, column), shape)]
    assert _centre(grid) == pytest.approx(expected, abs=0.15)
    back = preprocessing.to_film(grid, shape)
    assert back.shape == shape
    assert back.dtype == np.float32
    assert _centre(back) == pytest.approx((row, column), abs=0.1 * scale + 0.1)


def test_the_aspect_ratio_is_kept():
    grid = Preprocessing(50, "pad").prepare(Radiograph(_spot((400, 200), 200, 100, 20)))[0, 0].numpy()
    rows, columns = np.mgrid[:50, :50]
    row, column = _centre(grid)
    assert ((rows - row) ** 2 * grid).sum() == pytest.approx(((columns - column) ** 2 * grid).sum(), rel=0.02)


def test_padding_is_black_and_range_is_the_networks():
    grid = Preprocessing(64, "pad", -1024.0, 1024.0).prepare(Radiograph(np.ones((100, 50))))[0, 0]
    assert torch.equal(grid[:, :15], torch.full((64, 15), -1024.0))
    assert torch.allclose(grid[:, 17:47], torch.full((64, 30), 1024.0))
    assert grid.dtype == torch.float32


def test_crop_gives_nothing_outside_of_what_the_network_saw():
    film = Preprocessing(32, "crop").to_film(np.ones((32, 32), dtype=np.float32), (101, 60))
    assert (film[:20] == 0).all()
    assert (film[80:] == 0).all()
    assert np.allclose(film[20:80], 1)


@pytest.mark.parametrize("shape", [(65, 32), (32, 65), (33, 32), (32, 33), (64, 64)])
def test_identity_where_the_square_is_as_large_as_the_input(shape):
    values = np.random.default_rng(0).normal(size=(max(shape), max(shape))).astype(np.float32)
    preprocessing = Preprocessing(max(shape), "pad")
    film = preprocessing.to_film(values, shape)
    top, left = [-((n - max(shape)) // 2) for n in shape]
    assert np.array_equal(film, values[top : top + shape[0], left : left + shape[1]])
    pixels = np.random.default_rng(1).random(shape).astype(np.float32)
    grid = preprocessing.prepare(Radiograph(pixels))[0, 0].numpy()
    assert np.allclose(grid[top : top + shape[0], left : left + shape[1]], pixels, atol=1e-6)


def test_a_map_is_averaged_not_sampled_on_a_small_film():
    checks = (np.indices((256, 256)).sum(0) % 2).astype(np.float32)
    small = Preprocessing(256, "pad").to_film(checks, (40, 40))
    assert np.allclose(small, 0.5, atol=0.05)


def test_enlarging_a_map_does_not_go_beyond_its_values():
    values = np.random.default_rng(0).normal(size=(16, 16)).astype(np.float32)
    large = Preprocessing(16, "pad").to_film(values, (301, 280))
    assert large.max() <= values.max() + 1e-5
    assert large.min() >= values.min() - 1e-5
    assert large.mean() == pytest.approx(values.mean(), abs=0.05)


def test_a_mask_becomes_the_covered_share():
    mask = np.zeros((128, 128), dtype=bool)
    mask[:64] = True
    share = Preprocessing(32, "pad").prepare_mask(mask)
    assert share.shape == (32, 32)
    assert share[:15].min() == pytest.approx(1, abs=1e-5)
    assert share[17:].max() == pytest.approx(0, abs=1e-5)
    assert share.mean() == pytest.approx(0.5, abs=0.01)


def test_a_map_of_another_size_is_refused():
    with pytest.raises(ValueError, match="32 x 32"):
        Preprocessing(32).to_film(np.zeros((16, 16), dtype=np.float32), (50, 50))
