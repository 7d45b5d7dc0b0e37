"""Superpixels: the regions that LIME and Kernel SHAP show and hide.

SLIC: Achanta et al. 2012, doi 10.1109/TPAMI.2012.120. Quickshift: Vedaldi and Soatto 2008,
doi 10.1007/978-3-540-88693-8_52. Felzenszwalb and Huttenlocher 2004, doi 10.1023/B:VISI.0000022288.19776.77.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import skimage.measure
import skimage.segmentation
from scipy.ndimage import binary_dilation

from classifiers.anatomy import Anatomy, segment
from radiographs import Radiograph
from xai_methods.parameters import ParameterError

MOST = 300
"""Most superpixels a method may ask for."""
SMALLEST_AREA = 4
"""Mean area, in input pixels, below which superpixels are refused."""
BISECTIONS = 6
OUTSIDE_SHARE = 0.2
"""Of all regions, those that lie outside the chest, where they are cut along the anatomy."""
RIM = 0.02
"""Width, as a share of the film's side, of what still counts as chest beyond lungs and heart."""


def superpixels(film: np.ndarray, kind: str = "slic", n: int = 50, compactness: float = 0.1) -> np.ndarray:
    """Cut a film into connected regions of alike pixels. The same film and settings give the same regions.

    Args:
        film: (S, S) floats in [0, 1].
        kind: one of :data:`KINDS`. "grid" ignores the film's content; quickshift and felzenszwalb have no count of
            their own, so their scale is searched for and the smallest regions joined until ``n`` are left; "anatomy"
            is SLIC with most regions in the chest (lungs, heart and what lies between), hardly any across its border.
        n: regions wanted, 2 to 300. Fewer come back where the film has no more (a film of one grey, for instance).
        compactness: SLIC only; more makes regions squarer, less makes them follow edges.

    Returns:
        (S, S) int32 labels 0 ... k - 1, each region one 4-connected piece, k at most ``n`` and at least 2.

    Raises:
        ParameterError: ``n`` or ``kind`` is out of bounds, the film is too small for ``n`` regions, the film
            has a single region under this kind, or "anatomy" finds no lungs.
    """
    most = min(MOST, film.size // SMALLEST_AREA)
    if not 2 <= n <= most:
        where = "" if most == MOST else f" on an input of {film.shape[0]} x {film.shape[1]} pixels"
        raise ParameterError(f"n_superpixels: expected 2 to {most}{where}, got {n}")
    if kind not in KINDS:
        raise ParameterError(f"superpixels: expected one of {', '.join(KINDS)}, got {kind!r}")
    pixels = np.ascontiguousarray(film, dtype=np.float32)
    pieces = skimage.measure.label(KINDS[kind](pixels, n, compactness), connectivity=1, background=-1) - 1
    labels = _join_smallest(pieces, pixels, n)
    if labels.max() == 0:
        raise ParameterError(f"superpixels: {kind} finds a single region on this film; choose grid or slic")
    return labels


def _slic(film: np.ndarray, n: int, compactness: float, where: np.ndarray | None = None) -> np.ndarray:
    # SLIC seeds a regular grid and returns fewer regions than wanted; more of them, joined, gives n.
    for wanted in (n, math.ceil(1.1 * n), math.ceil(1.3 * n), 2 * n, 4 * n):
        labels = skimage.segmentation.slic(
            film, wanted, compactness=compactness, sigma=1, start_label=1, channel_axis=None, mask=where
        )
        if labels.max() >= n:
            break
    return labels


def _anatomy(film: np.ndarray, n: int, compactness: float) -> np.ndarray:
    """SLIC of the chest, and of all else, each with regions of its own."""
    found = segment(Radiograph(np.clip(film, 0, 1)))
    if not found.sure:
        raise ParameterError(f"superpixels: anatomy needs two lungs on the film; choose slic. {found.reason}")
    chest = chest_of(found)
    outside = max(1, round(OUTSIDE_SHARE * n))
    inner, outer = _slic(film, max(1, n - outside), compactness, chest), _slic(film, outside, compactness, ~chest)
    return np.where(chest, inner, outer + inner.max())


def chest_of(anatomy: Anatomy) -> np.ndarray:
    """Lungs, heart, what lies between the lungs, and a rim: (H, W) bool."""
    lungs = anatomy.lungs
    from_left, from_right = (np.logical_or.accumulate(side, axis=1) for side in (lungs, lungs[:, ::-1]))
    within = (from_left & from_right[:, ::-1]) | anatomy.heart
    return binary_dilation(within, iterations=max(1, round(RIM * lungs.shape[0])))


def _quickshift(film: np.ndarray, n: int, compactness: float) -> np.ndarray:
    kernel = max(1.0, film.shape[0] / 75)

    def cut(reach: float) -> np.ndarray:
        return skimage.segmentation.quickshift(
            film[..., None], kernel_size=kernel, max_dist=reach, convert2lab=False, rng=0
        )

    return _search(cut, n, low=1.0, high=film.shape[0] / 2)


def _felzenszwalb(film: np.ndarray, n: int, compactness: float) -> np.ndarray:
    smallest = max(2, film.size // (10 * n))

    def cut(scale: float) -> np.ndarray:
        return skimage.segmentation.felzenszwalb(film, scale=scale, sigma=0.8, min_size=smallest, channel_axis=None)

    return _search(cut, n, low=0.1, high=1e4)


def _grid(film: np.ndarray, n: int, compactness: float) -> np.ndarray:
    height, width = film.shape
    bands = math.isqrt(n)
    edges = [n * band // bands for band in range(bands + 1)]
    labels = np.empty(film.shape, dtype=np.int64)
    for band, (first, last) in enumerate(pairwise(edges)):
        columns = first + np.arange(width) * (last - first) // width
        labels[height * band // bands : height * (band + 1) // bands] = columns
    return labels


KINDS: dict[str, Callable[[np.ndarray, int, float], np.ndarray]] = {
    "slic": _slic,
    "quickshift": _quickshift,
    "felzenszwalb": _felzenszwalb,
    "grid": _grid,
    "anatomy": _anatomy,
}
"""Ways to cut a film, by name; each takes the film, the count wanted and the compactness."""


def _search(cut: Callable[[float], np.ndarray], n: int, low: float, high: float) -> np.ndarray:
    """Return the coarsest cut found that has at least ``n`` regions (the finest cut where none has)."""
    best = cut(low)
    for _ in range(BISECTIONS):
        middle = math.sqrt(low * high)
        labels = cut(middle)
        if labels.max() + 1 >= n:
            best, low = labels, middle
        else:
            high = middle
    return best


def _join_smallest(pieces: np.ndarray, film: np.ndarray, n: int) -> np.ndarray:
    """Join the smallest region to its most alike neighbour until ``n`` are left; return labels 0 ... k - 1."""
    count = int(pieces.max()) + 1
    area = np.bincount(pieces.ravel(), minlength=count).astype(float)
    total = np.bincount(pieces.ravel(), weights=film.ravel(), minlength=count)
    neighbours = _neighbours(pieces, count)
    owner = np.arange(count)
    alive = np.ones(count, dtype=bool)
    for _ in range(count - n):
        small = int(np.argmin(np.where(alive, area, np.inf)))
        grey = total[small] / area[small]
        host = min(neighbours[small], key=lambda other: (abs(total[other] / area[other] - grey), other))
        area[host] += area[small]
        total[host] += total[small]
        owner[owner == small] = host
        alive[small] = False
        for other in neighbours[small]:
            neighbours[other].discard(small)
            if other != host:
                neighbours[other].add(host)
                neighbours[host].add(other)
    _, labels = np.unique(owner[pieces], return_inverse=True)
    return labels.reshape(pieces.shape).astype(np.int32)


def _neighbours(labels: np.ndarray, count: int) -> list[set[int]]:
    """For each region, those that share an edge with it."""
    across = np.stack([labels[:, :-1].ravel(), labels[:, 1:].ravel()])
    down = np.stack([labels[:-1].ravel(), labels[1:].ravel()])
    pairs = np.unique(np.concatenate([across, down], axis=1), axis=1)
    found: list[set[int]] = [set() for _ in range(count)]
    for one, other in pairs.T.tolist():
        if one != other:
            found[one].add(other)
            found[other].add(one)
    return found
