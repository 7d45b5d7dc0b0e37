"""How far two outlines of one finding agree: overlap, and the distance between their contours."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage


@dataclass(frozen=True)
class OutlineAgreement:
    """Two outlines set against each other.

    Attributes:
        dice, iou: overlap, 0 to 1. distance: mean distance from each contour to the other's, in ``unit``.
        farthest: the largest such distance (Hausdorff). unit: "mm" where the spacing is known, else "pixels".
    """

    dice: float
    iou: float
    distance: float
    farthest: float
    unit: str

    @property
    def words(self) -> str:
        """All figures in a line."""
        return (
            f"Dice {self.dice:.2f}, IoU {self.iou:.2f}, contours {self.distance:.1f} {self.unit} apart on average "
            f"and {self.farthest:.1f} {self.unit} at most"
        )


def outline_agreement(
    first: np.ndarray, second: np.ndarray, spacing_mm: tuple[float, float] | None = None
) -> OutlineAgreement:
    """Set two outlines of one film against each other.

    Args:
        first, second: (H, W) bool. spacing_mm: of rows and of columns, None where it is not known.

    Returns:
        The figures; all NaN where one outline is empty. Distances as in Maier-Hein et al. 2024,
        doi 10.1038/s41592-023-02151-z (average symmetric surface distance, Hausdorff distance).

    Raises:
        ValueError: the shapes differ.

    >>> square = np.zeros((20, 20), dtype=bool)
    >>> square[5:10, 5:10] = True
    >>> outline_agreement(square, np.roll(square, 5, axis=1)).words
    'Dice 0.00, IoU 0.00, contours 3.0 pixels apart on average and 5.0 pixels at most'
    """
    if first.shape != second.shape:
        raise ValueError(f"the outlines have shapes {first.shape} and {second.shape}; both must be of one film")
    unit = "pixels" if spacing_mm is None else "mm"
    if not first.any() or not second.any():
        return OutlineAgreement(math.nan, math.nan, math.nan, math.nan, unit)
    both, either = int((first & second).sum()), int((first | second).sum())
    contours = [mask & ~ndimage.binary_erosion(mask) for mask in (first, second)]
    to_other = [
        ndimage.distance_transform_edt(~theirs, sampling=spacing_mm)[mine]
        for mine, theirs in (contours, contours[::-1])
    ]
    apart = np.concatenate(to_other)
    return OutlineAgreement(2 * both / (both + either), both / either, float(apart.mean()), float(apart.max()), unit)
