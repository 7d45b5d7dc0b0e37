"""From coloured pictures to grey: a film is grey, whatever its file makes of it."""

from __future__ import annotations

import numpy as np

_LUMINANCE = np.array([0.299, 0.587, 0.114], dtype=np.float64)
_NEARLY = 3 / 255
_STRAY = 1 / 1000


def luminance(colour: np.ndarray) -> np.ndarray:
    """Turn (H, W, 3) RGB into (H, W) float64 luminance (ITU-R BT.601); grey stays exactly as it is."""
    if (colour[..., 0] == colour[..., 1]).all() and (colour[..., 0] == colour[..., 2]).all():
        return colour[..., 0].astype(np.float64)
    return colour.astype(np.float64) @ _LUMINANCE


def is_luma_first(planes: np.ndarray, top: int, labelled: bool) -> bool:
    """Whether the first plane of (H, W, 3) is luminance (YCbCr), judged by the planes before the label.

    A grey film as YCbCr has two planes of even grey, as RGB three equal ones; only a coloured picture needs its label.

    Args:
        planes: samples as stored. top: the largest value of a sample. labelled: what the label says.
    """
    near = _NEARLY * top
    middle = (top + 1) / 2
    first, second, third = (planes[..., place].astype(np.float32) for place in range(3))
    even = _mostly(np.maximum(abs(second - middle), abs(third - middle)) <= near)
    alike = _mostly(np.maximum(abs(first - second), abs(first - third)) <= near)
    if even != alike:
        return even
    return labelled


def is_coloured(planes: np.ndarray, top: int, luma_first: bool = False) -> bool:
    """Whether (H, W, 3) RGB, or YCbCr where the first plane is luminance, shows colours."""
    if luma_first:
        return not _mostly(abs(planes[..., 1:3].astype(np.float32) - (top + 1) / 2).max(axis=2) <= _NEARLY * top)
    spread = planes[..., :3].max(axis=2).astype(np.float32) - planes[..., :3].min(axis=2)
    return not _mostly(spread <= _NEARLY * top)


def flatten(samples: np.ndarray, top: int) -> np.ndarray:
    """(H, W) float64 grey from grey, grey with alpha, RGB or RGB with alpha; a transparent pixel becomes black."""
    if samples.ndim == 2:
        return samples.astype(np.float64)
    channels = samples.shape[2]
    grey = luminance(samples[..., :3]) if channels >= 3 else samples[..., 0].astype(np.float64)
    return grey if channels in (1, 3) else grey * (samples[..., -1] / top)


def _mostly(holds: np.ndarray) -> bool:
    return bool(np.count_nonzero(~holds) <= _STRAY * holds.size)
