"""What can be measured of counterfactual films: realism, identity, devices and anatomy, as pure functions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import linalg, ndimage, stats

from classifiers.anatomy import Anatomy, segment
from radiographs import Radiograph

VISIBLE = 0.2
"""A device counts as still visible where its edge energy changed by no more than this share."""


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Distance of two sets of features as of two normal distributions (Heusel et al. 2017, arXiv 1706.08500).

    Args:
        first, second: (N, K) and (M, K) features of one network.

    Returns:
        ||m1 - m2||² + tr(C1 + C2 - 2 (C1 C2)^1/2); 0 for equal sets. With few films it is biased upwards, so it is only
        to be read beside the distance of two halves of real films.

    Raises:
        ValueError: fewer than two films in a set.
    """
    if min(len(first), len(second)) < 2:
        raise ValueError("the Fréchet distance needs at least two films in each set")
    means = first.mean(axis=0) - second.mean(axis=0)
    one, two = (np.atleast_2d(np.cov(features, rowvar=False)) for features in (first, second))
    # tr (C1 C2)^1/2 from the eigenvalues of the symmetric C1^1/2 C2 C1^1/2: no complex parts from rounding.
    values, vectors = linalg.eigh(one)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    cross = np.sqrt(np.clip(linalg.eigvalsh(root @ two @ root), 0, None)).sum()
    return float(max(means @ means + np.trace(one) + np.trace(two) - 2 * cross, 0.0))


def nearest_is_own(made: np.ndarray, real: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Whether the real film nearest to each made one, by Euclidean distance of features, is the film it was made of.

    Args:
        made: (M, K) features. real: (N, K) features. own: (M,) rows of ``real``.

    Returns:
        (M,) bool. A tie counts as a miss.
    """
    squares = (made**2).sum(axis=1)[:, None] + (real**2).sum(axis=1)[None] - 2 * made @ real.T
    rows = np.arange(len(made))
    mine = squares[rows, own].copy()
    squares[rows, own] = np.inf
    return mine < squares.min(axis=1)


def edge_energy(film: np.ndarray, mask: np.ndarray) -> float:
    """Mean squared gradient of a (S, S) film over a (S, S) bool mask; NaN where the mask is empty."""
    if not mask.any():
        return math.nan
    down, across = np.gradient(film.astype(np.float64))
    return float(np.square(np.hypot(down, across))[mask].mean())


def share_outside(difference: np.ndarray, region: np.ndarray) -> float:
    """Share of a (S, S) difference's absolute sum outside a region of (S, S) shares; NaN where either is empty."""
    change = np.abs(difference).astype(np.float64)
    total = float(change.sum())
    return float((change * (1 - region)).sum()) / total if total > 0 and region.any() else math.nan


@dataclass(frozen=True)
class DeviceChange:
    """What became of devices on one film.

    Attributes:
        inside, elsewhere: mean absolute change of grey in the devices' masks and outside them.
        energy: edge energy in the masks after, as a share of that before.
    """

    inside: float
    elsewhere: float
    energy: float

    @property
    def visible(self) -> bool:
        """True where the edge energy changed by at most a fifth."""
        return abs(self.energy - 1) <= VISIBLE


def device_change(before: np.ndarray, after: np.ndarray, devices: np.ndarray) -> DeviceChange | None:
    """Compare a (S, S) film with what was made of it, inside (S, S) bool masks of devices and elsewhere.

    The masks are grown by two pixels, so that a device that moved with the tissue round it is still counted.

    Returns:
        None where no device is outlined, or it has no edge.
    """
    grown = ndimage.binary_dilation(devices, iterations=2)
    energy = edge_energy(before, grown)
    if not devices.any() or grown.all() or energy == 0:
        return None
    change = np.abs(after - before)
    return DeviceChange(float(change[grown].mean()), float(change[~grown].mean()), edge_energy(after, grown) / energy)


@dataclass(frozen=True)
class Measured:
    """Anatomy of one film: ``ratio`` cardiothoracic, ``lower`` area of the lungs' lower thirds as a share of the film.

    Both are NaN where the outlines are unsure.
    """

    ratio: float
    lower: float


def measured(film: np.ndarray, thirds_of: Anatomy | None = None) -> Measured:
    """Outline a (S, S) film in [0, 1] and measure it.

    Args:
        film: of a series. thirds_of: outlines of the film the series was made of: its lungs say where the lower third
            begins, so that a lung that shrinks from below loses area there. By default the film's own.
    """
    anatomy = segment(Radiograph(np.clip(film, 0, 1)))
    if not anatomy.sure:
        return Measured(math.nan, math.nan)
    return Measured(anatomy.cardiothoracic_ratio, lower_lung_share(anatomy.lungs, (thirds_of or anatomy).lungs))


def lower_lung_share(lungs: np.ndarray, reference: np.ndarray) -> float:
    """Share of the film that ``lungs`` cover below two thirds of the height of ``reference``; both (S, S) bool.

    NaN where the reference is empty.
    """
    rows = np.flatnonzero(reference.any(axis=1))
    if len(rows) == 0:
        return math.nan
    start = rows[0] + round(2 * (rows[-1] + 1 - rows[0]) / 3)
    return float(lungs[start:].sum() / lungs.size)


def slope(levels: np.ndarray, values: np.ndarray) -> float:
    """Least-squares slope of (L,) values over (L,) levels; NaN is left out, NaN with fewer than three values."""
    known = ~np.isnan(values)
    if known.sum() < 3:
        return math.nan
    return float(stats.linregress(levels[known], values[known]).slope)
