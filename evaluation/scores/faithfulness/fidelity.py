"""Whether a map says by how much the logit falls when parts of the film are hidden: infidelity, sensitivity-n."""

from __future__ import annotations

import numpy as np
import torch

from evaluation.scores.faithfulness.deletion import Model
from xai_methods import Explanation
from xai_methods.method import BATCH, Progress

PER_GREY = frozenset({"jacobian", "smoothgrad", "guided-backpropagation"})
"""Methods whose values are logit per grey, not shares of the logit: they are multiplied by what a pixel loses."""
SQUARES = 64
"""Random squares of infidelity."""
CELLS = 14
"""Cells a side of sensitivity-n's grid."""
SUBSETS = 24
"""Random subsets of each size in sensitivity-n."""
SIZES = (0.05, 0.1, 0.2, 0.4)
"""Share of the cells in a subset of sensitivity-n."""


def claims(explanation: Explanation, lost: np.ndarray) -> np.ndarray:
    """What the map claims each pixel adds to the logit: (S, S) float64, up to one common positive factor.

    A superpixel's value is spread over its pixels; a sensitivity is multiplied by ``lost``, (S, S), what the pixel
    loses when it is hidden (gradient times input).
    """
    values = explanation.values.astype(np.float64)
    if explanation.regions is not None:
        return values / np.bincount(explanation.regions.ravel())[explanation.regions]
    return values * lost if explanation.method in PER_GREY else values


def squares(side: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Random squares of an eighth to a half of the side: (count, S, S) bool."""
    masks = np.zeros((count, side, side), dtype=bool)
    for mask in masks:
        length = int(rng.integers(max(side // 8, 1), side // 2 + 1))
        top, left = rng.integers(0, side - length + 1, size=2)
        mask[top : top + length, left : left + length] = True
    return masks


def cell_subsets(side: int, share: float, count: int, rng: np.random.Generator, cells: int = CELLS) -> np.ndarray:
    """Random subsets of a grid's cells, each of the same number of cells: (count, S, S) bool."""
    cells = min(cells, side)
    chosen = np.zeros((count, cells * cells), dtype=bool)
    chosen[:, : max(round(share * cells * cells), 1)] = True
    line = np.arange(side) * cells // side
    return rng.permuted(chosen, axis=1)[:, line[:, None] * cells + line]


def falls(
    model: Model, film: torch.Tensor, hidden: torch.Tensor, masks: np.ndarray, report: Progress = lambda share: None
) -> np.ndarray:
    """By how much the logit falls when each of (N, S, S) bool ``masks`` is hidden: (N,) float64.

    Args:
        model: the logit. film, hidden: (1, 1, S, S), the film and what stands in its place.
    """
    full = float(model(film)[0])
    found = np.empty(len(masks))
    for start in range(0, len(masks), BATCH):
        where = torch.as_tensor(masks[start : start + BATCH], device=film.device)[:, None]
        found[start : start + BATCH] = full - model(torch.where(where, hidden, film))
        report(min(start + BATCH, len(masks)) / len(masks))
    return found


def claimed(values: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Sum of (S, S) ``values`` in each of (N, S, S) masks: (N,) float64."""
    return masks.reshape(len(masks), -1) @ values.astype(np.float64).ravel()


def infidelity(sums: np.ndarray, drops: np.ndarray, *, scaled: bool = True) -> float:
    """Mean squared difference of what a map claims and what happens (Yeh et al. 2019, arXiv 1901.09392).

    Args:
        sums: (N,) what the map claims of each perturbation. drops: (N,) by how much the logit falls.
        scaled: True takes the best common factor (not below 0) on the claims, as the paper's code does, and divides by
            the mean square of the drops: 0 is perfect, 1 as good as a map that claims nothing. False is the plain mean
            square, in squared logits.

    Returns:
        NaN where the scaled figure is undefined: the logit never moves, or the map claims nothing.
    """
    if not scaled:
        return float(np.mean((sums - drops) ** 2))
    power, moves = float(sums @ sums), float(drops @ drops)
    if power == 0 or moves == 0:
        return float("nan")
    factor = max(float(sums @ drops) / power, 0.0)
    return float(np.sum((factor * sums - drops) ** 2) / moves)


def correlation(sums: np.ndarray, drops: np.ndarray) -> float:
    """Pearson correlation, sensitivity-n for one n (Ancona et al. 2018, arXiv 1711.06104); NaN if one is constant."""
    if np.ptp(sums) == 0 or np.ptp(drops) == 0:
        return float("nan")
    return float(np.corrcoef(sums, drops)[0, 1])
