"""Remove and debias (ROAD): pixels are replaced by what their neighbours let expect, so that their absence is no shape.

Rong et al. 2022, arXiv 2202.00449.
"""

from __future__ import annotations

import math

import numpy as np
import scipy
import torch

from evaluation.scores.base import Case, Metric
from evaluation.scores.faithfulness.deletion import Model, ranks
from evaluation.scores.registry import register
from xai_methods.method import Progress

NEIGHBOURS = {
    (0, 1): 1 / 6, (1, 0): 1 / 6, (0, -1): 1 / 6, (-1, 0): 1 / 6,
    (1, 1): 1 / 12, (1, -1): 1 / 12, (-1, 1): 1 / 12, (-1, -1): 1 / 12,
}  # fmt: skip
"""Weight of each neighbour in a pixel's expected value, by (row, column) offset; the paper's."""
SHARES = (0.2, 0.4, 0.6, 0.8)
"""Shares of the pixels that are removed."""
NOISE = 0.01
"""Standard deviation of the noise on imputed pixels, as a share of the grey range."""
_PRECISION = 1e-6


def impute(pixels: np.ndarray, removed: np.ndarray) -> np.ndarray:
    """Replace the pixels in ``removed`` so that each is the weighted mean of its neighbours: (H, W) float64.

    Args:
        pixels: (H, W) in any unit. removed: (H, W) bool.

    Raises:
        ValueError: nothing is left to impute from, or the equations could not be solved.
    """
    if removed.all():
        raise ValueError("no pixel is left from which the removed ones could be imputed")
    filled = np.array(pixels, dtype=np.float64)
    count = int(removed.sum())
    if count == 0:
        return filled
    number = np.full(removed.shape, -1)
    number[removed] = np.arange(count)
    centre = filled[~removed].mean()
    total, known = np.zeros(count), np.zeros(count)
    rows, columns, weights = [], [], []
    for (down, right), weight in NEIGHBOURS.items():
        here, there = _pairs(removed.shape, down, right)
        gone = removed[here]
        own, other, value = number[here][gone], number[there][gone], filled[there][gone]
        total[own] += weight
        seen = other < 0
        known[own[seen]] += weight * (value[seen] - centre)
        rows.append(own[~seen])
        columns.append(other[~seen])
        weights.append(np.full(len(rows[-1]), -weight))
    between = scipy.sparse.coo_array(
        (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))), shape=(count, count)
    )
    system = (between + scipy.sparse.diags_array(total)).tocsr()
    solution, failed = scipy.sparse.linalg.cg(
        system, known, rtol=_PRECISION, maxiter=20 * sum(removed.shape), M=scipy.sparse.diags_array(1 / total)
    )
    if failed:
        raise ValueError("the removed pixels could not be imputed: the equations did not converge")
    filled[removed] = centre + solution
    return filled


def _pairs(shape: tuple[int, ...], down: int, right: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Slices of all pixels that have a neighbour at (down, right), and of those neighbours."""
    here, there = [], []
    for size, step in zip(shape, (down, right)):
        here.append(slice(max(-step, 0), size - max(step, 0)))
        there.append(slice(max(step, 0), size - max(-step, 0)))
    return (here[0], here[1]), (there[0], there[1])


def road(
    model: Model,
    film: torch.Tensor,
    values: np.ndarray,
    rng: np.random.Generator,
    *,
    noise: float,
    shares: tuple[float, ...] = SHARES,
    report: Progress = lambda share: None,
) -> float:
    """Half of how much higher the logit stays when the least relevant pixels are imputed than when the most are.

    Args:
        model: the logit. film: (1, 1, S, S). values: (S, S) map. rng: breaks ties and draws the noise.
        noise: standard deviation on imputed pixels, in units of ``film``. shares: of the pixels removed.

    Returns:
        Mean over ``shares`` of (least relevant first - most relevant first) / 2, in logits; 0 is chance, for a random
        map and its negative are alike. NaN where the map is the same everywhere.
    """
    if np.ptp(values) == 0:
        return float("nan")
    places = ranks(values, rng)
    pixels = film[0, 0].double().cpu().numpy()
    films = []
    for number, share in enumerate(shares):
        count = round(share * places.size)
        for removed in (places < count, places >= places.size - count):
            imputed = impute(pixels, removed)
            films.append(imputed + noise * removed * rng.standard_normal(pixels.shape))
        report(0.9 * (number + 1) / len(shares))
    logits = model(torch.as_tensor(np.stack(films)[:, None], dtype=film.dtype, device=film.device))
    report(1.0)
    most, least = logits[0::2], logits[1::2]
    return float(np.mean(least - most) / 2)


def _road(case: Case) -> float:
    preprocessing = case.classifier.preprocessing
    noise = NOISE * (preprocessing.high - preprocessing.low)
    rng = np.random.default_rng(case.seed)
    return road(case.logits, case.film, case.values, rng, noise=noise, report=case.report)


register(
    Metric(
        name="road",
        title="ROAD",
        meaning="How much more the logit drops when the map's strongest pixels are smoothed away than its weakest.",
        formula=f"mean over t in {', '.join(f'{s:.0%}' for s in SHARES)} of "
        "½ · (f(least relevant t imputed) − f(most relevant t imputed))",
        compute=_road,
        expected=lambda case: 0.0,
        chance_formula="0",
        source="Rong et al. 2022, arXiv:2202.00449; least minus most as in pytorch-grad-cam",
        caveat="Of one film's logit, where the paper takes a data set's accuracy. A large removed area is imputed as a "
        "smooth field, which may still look like a finding.",
        element="model transparency",
        direction="higher",
        needs=frozenset({"model"}),
        low=-math.inf,
        high=math.inf,
        unit="logits",
        slow=True,
    )
)
