"""Whether a map says by how much the logit drops when parts of the film are hidden: infidelity, sensitivity-n."""

from __future__ import annotations

import numpy as np
import torch

from evaluation.scores.base import Case, Metric
from evaluation.scores.faithfulness.deletion import Model, hidden_film, moved
from evaluation.scores.registry import register
from xai_methods import Explanation, methods
from xai_methods.method import BATCH, Progress

SQUARES = 64
"""Random squares of infidelity."""
CELLS = 14
"""Cells a side of sensitivity-n's grid."""
SUBSETS = 24
"""Random subsets of each size in sensitivity-n."""
MOVES = 8
"""Times a map is moved over the film at random to see what chance gives; it costs no pass of the model."""
SIZES = (0.05, 0.1, 0.2, 0.4)
"""Share of the cells in a subset of sensitivity-n."""


def contributions(explanation: Explanation, lost: np.ndarray) -> np.ndarray:
    """What a map says that each pixel adds to the logit: (S, S) float64, up to one common positive factor.

    A superpixel's value is spread over its pixels; a sensitivity, which its method declares as logit per grey, is
    multiplied by ``lost``, (S, S), what the pixel loses when it is hidden (gradient times input).
    """
    values = explanation.values.astype(np.float64)
    if explanation.regions is not None:
        return values / np.bincount(explanation.regions.ravel())[explanation.regions]
    method = methods().get(explanation.method)
    return values * lost if method is not None and method.unit == "logit per grey range" else values


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


def logit_drops(
    model: Model, film: torch.Tensor, hidden: torch.Tensor, masks: np.ndarray, report: Progress = lambda share: None
) -> np.ndarray:
    """By how much the logit drops when each of (N, S, S) bool ``masks`` is hidden: (N,) float64.

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


def sums_within(values: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Sum of (S, S) ``values`` in each of (N, S, S) masks: (N,) float64."""
    return masks.reshape(len(masks), -1) @ values.astype(np.float64).ravel()


def infidelity(sums: np.ndarray, drops: np.ndarray) -> float:
    """Mean squared difference of what a map foretells and what happens (Yeh et al. 2019, arXiv 1901.09392).

    Args:
        sums: (N,) what the map foretells of each perturbation; the best common factor (not below 0) is put on them, as
            in the paper's code. drops: (N,) by how much the logit drops; the result is divided by their mean square.

    Returns:
        0 is perfect, 1 as good as a map that foretells nothing; NaN where the logit never moves, or the map is zero.
    """
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


def _contributions(case: Case, hidden: torch.Tensor) -> np.ndarray:
    return contributions(case.explanation, (case.film - hidden)[0, 0].double().cpu().numpy())


def _drops(case: Case, name: str, hidden: torch.Tensor, masks: np.ndarray) -> np.ndarray:
    """The logit's drops under ``masks``, measured once for all maps of the finding."""
    return case.cached(name, lambda: logit_drops(case.logits, case.film, hidden, masks, case.report), of="finding")


def _infidelity(case: Case) -> tuple[float, float]:
    def measure() -> tuple[float, float]:
        hidden = hidden_film(case, "mean")
        rng = np.random.default_rng(case.seed)
        masks = squares(case.classifier.side, SQUARES, rng)
        drops = _drops(case, "squares", hidden, masks)
        said = _contributions(case, hidden)
        elsewhere = [infidelity(sums_within(moved(said, rng), masks), drops) for _ in range(MOVES)]
        return infidelity(sums_within(said, masks), drops), float(np.mean(elsewhere))

    return case.cached("infidelity", measure)


register(
    Metric(
        name="infidelity",
        title="Infidelity",
        meaning="Share of the logit's drops, when random squares turn grey, that the map does not foretell.",
        formula="min over β ≥ 0 of E[(β · Σ(map in square) − (f(x) − f(x with the square grey)))²] "
        f"/ E[(f(x) − f(x with the square grey))²], {SQUARES} squares of ⅛ to ½ of the side",
        compute=lambda case: _infidelity(case)[0],
        expected=lambda case: _infidelity(case)[1],
        source="Yeh et al. 2019, arXiv:1901.09392; the factor β as in the authors' code",
        caveat="Divided by the mean square of the drops, so that films can be compared: 1 is a map that foretells "
        "nothing. A gradient is multiplied by what a pixel loses, a superpixel's weight is spread over its pixels.",
        element="model transparency",
        direction="lower",
        needs=frozenset({"model"}),
        unit="share",
        slow=True,
    )
)


def _sensitivity_n(case: Case) -> float:
    hidden = hidden_film(case, "mean")
    rng = np.random.default_rng(case.seed)
    masks = [cell_subsets(case.classifier.side, size, SUBSETS, rng) for size in SIZES]
    drops = _drops(case, "cell subsets", hidden, np.concatenate(masks))
    said = _contributions(case, hidden)
    pairs = zip(masks, np.split(drops, len(SIZES)))
    return float(np.mean([correlation(sums_within(said, some), found) for some, found in pairs]))


register(
    Metric(
        name="sensitivity_n",
        title="Sensitivity-n",
        meaning="Correlation of the map's sum over random sets of cells and the logit's drop when they turn grey.",
        formula="mean over n of Pearson's r(Σ(map in n cells), f(x) − f(x with the n cells grey)); "
        f"{SUBSETS} sets each of {', '.join(f'{s:.0%}' for s in SIZES)} of 14 × 14 cells",
        compute=_sensitivity_n,
        expected=lambda case: 0.0,
        chance_formula="0",
        source="Ancona et al. 2018, arXiv:1711.06104",
        caveat="On cells, where the paper takes single pixels: sets of single pixels of a film are all alike.",
        element="model transparency",
        low=-1.0,
        needs=frozenset({"model"}),
        slow=True,
    )
)
