"""Add one finding to one film, with the exact mask of what was added."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import ndimage

from radiographs.planting.attenuation import quantised, to_pixels
from radiographs.planting.chest import Lung, survey
from radiographs.planting.consolidation import consolidation
from radiographs.planting.effusion import effusion
from radiographs.planting.mass import mass
from radiographs.planting.nodule import nodule
from radiographs.radiograph import Radiograph

_MAKERS: dict[str, Callable[[Lung, np.random.Generator], np.ndarray]] = {
    "Nodule": nodule,
    "Mass": mass,
    "Consolidation": consolidation,
    "Effusion": effusion,
}
FINDINGS = tuple(_MAKERS)
MASK_SHARE = 0.12
_BLUR = 1.0


def plant(
    film: Radiograph, finding: str, lungs: np.ndarray, rng: np.random.Generator, amplitude: float = 1.0
) -> tuple[Radiograph, np.ndarray]:
    """Plant one finding into a film.

    The finding's optical path is added to the film's, so that anatomy and noise stay. The mask is where the added
    path, smoothed by one pixel, exceeds 12 % of its peak; beyond it the addition fades to nothing within a few pixels.
    The result has 256 grey levels, as the film's file has: with amplitude 0 an 8-bit film comes back unchanged.

    Args:
        film: a frontal film. finding: one of ``FINDINGS``. lungs: (H, W) labels of ``find_lungs``.
        rng: decides side, place, size and shape. amplitude: scales the addition; 1 is as designed.

    Returns:
        The film with the finding, and its mask (H, W) bool.

    Raises:
        ValueError: an unknown finding, or labels that do not fit the film.
    """
    if finding not in _MAKERS:
        raise ValueError(f"no finding {finding!r} can be planted; choose one of {', '.join(FINDINGS)}")
    lung = survey(film.pixels, lungs, label=int(rng.integers(1, 3)))
    added, inside = _with_mask(_MAKERS[finding](lung, rng))
    pixels = quantised(film.pixels)
    pixels[lung.window] = to_pixels(lung.path + np.float32(amplitude) * added)
    mask = np.zeros(film.shape, dtype=bool)
    mask[lung.window] = inside
    return replace(film, pixels=pixels), mask


def _with_mask(added: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mask the added path and let it fade to nothing outside."""
    smooth = ndimage.gaussian_filter(added, _BLUR)
    edge = max(MASK_SHARE * float(smooth.max()), 1e-6)
    return added * np.minimum(smooth / edge, 1) ** 3, smooth > edge
