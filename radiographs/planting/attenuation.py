"""Between grey levels and optical path: findings are added as attenuation, never painted.

A film shows log exposure through a sigmoid characteristic curve. Undoing the curve gives the optical path of the ray up
to a constant; adding a finding's path there and redoing the curve keeps ribs, vessels and noise shining through, with
less contrast where the film is already white.
"""

from __future__ import annotations

import numpy as np

_FLOOR = -0.35
_CEILING = 1.02
_RANGE = _CEILING - _FLOOR
_UNIT = _RANGE / 4
_LEVELS = 255


def to_path(pixels: np.ndarray) -> np.ndarray:
    """Optical path of pixels in [0, 1], in units whose steepest grey-level gain is 1."""
    share = (pixels - _FLOOR) / _RANGE
    return _UNIT * np.log(share / (1 - share))


def to_pixels(path: np.ndarray) -> np.ndarray:
    """Grey levels in [0, 1] of an optical path, on the 256 levels of the film's own file."""
    return quantised(np.clip(_FLOOR + _RANGE / (1 + np.exp(-path / _UNIT)), 0, 1))


def quantised(pixels: np.ndarray) -> np.ndarray:
    """Pixels in [0, 1] rounded to 256 levels; a new float32 array."""
    return (np.rint(pixels * _LEVELS) / _LEVELS).astype(np.float32)
