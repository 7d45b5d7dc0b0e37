"""Whether two films show the same picture, whatever their files: the signs of their lowest spatial frequencies.

A perceptual hash after Zauner 2010 (Implementation and Benchmarking of Perceptual Image Hash Functions): size, depth,
compression and a mild window leave most signs as they are. It is no cryptographic digest: alike is not identical.
"""

from __future__ import annotations

import numpy as np

FREQUENCIES = 16
"""Cosine frequencies a side; that of both 0 says how bright the film is and is left out."""
WORDS = FREQUENCIES**2 // 64
_CELLS = 128
MARGIN = 0.04
"""Share of each side that says nothing, so that a film whose border was cut off still has all that does."""
_ALL_ROUND = np.arange(0.005, MARGIN + 0.001, 0.005)
_AT_CORNERS = (0.01, 0.02, 0.03)


def perceptual_digest(pixels: np.ndarray) -> np.ndarray:
    """The digest of a film as it is: (WORDS,) uint64, of which 255 bits say something.

    Args:
        pixels: (H, W) grey values of any range.
    """
    return _packed(_spectrum(*_cells(pixels), (0.0, 0.0), (0.0, 0.0)))


def uncropped_digests(pixels: np.ndarray) -> np.ndarray:
    """The digest of a film as it is, and as if a border had been cut off, up to MARGIN: (K, WORDS) uint64."""
    means, rows, columns = _cells(pixels)
    margins = [((0.0, 0.0), (0.0, 0.0)), *(((m, m), (m, m)) for m in _ALL_ROUND)]
    margins += [(y, x) for m in _AT_CORNERS for y in ((m, 0.0), (0.0, m)) for x in ((m, 0.0), (0.0, m))]
    return np.stack([_packed(_spectrum(means, rows, columns, y, x)) for y, x in margins])


def distances(digests: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Bits in which digests differ: (K, WORDS) and (N, WORDS) uint64 to (K, N)."""
    return np.stack([np.bitwise_count(one ^ others).sum(axis=1, dtype=np.int64) for one in digests])


def _cells(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means over at most _CELLS cells a side, and the cells' edges as shares of the film's height and width."""
    edges = [np.unique(np.linspace(0, side, min(side, _CELLS) + 1).astype(int)) for side in pixels.shape]
    sums = np.add.reduceat(np.asarray(pixels, np.float64), edges[0][:-1], axis=0)
    sums = np.add.reduceat(sums, edges[1][:-1], axis=1)
    rows, columns = (edge / side for edge, side in zip(edges, pixels.shape))
    return sums / np.outer(np.diff(edges[0]), np.diff(edges[1])), rows, columns


def _spectrum(
    means: np.ndarray, rows: np.ndarray, columns: np.ndarray, top: tuple[float, float], left: tuple[float, float]
) -> np.ndarray:
    return _cosines(rows, *top) @ means @ _cosines(columns, *left).T


def _cosines(edges: np.ndarray, before: float, after: float) -> np.ndarray:
    """Integrals of cos(pi k t) over the cells of a side inside its margins, where t goes from 0 to 1."""
    place = np.clip((before + (1 - before - after) * edges - MARGIN) / (1 - 2 * MARGIN), 0, 1)
    k = np.pi * np.arange(1, FREQUENCIES)[:, None]
    return np.vstack([np.diff(place), np.diff(np.sin(k * place), axis=1) / k])


def _packed(spectrum: np.ndarray) -> np.ndarray:
    bits = spectrum.ravel() > 0
    bits[0] = False
    return np.packbits(bits).view(np.uint64)
