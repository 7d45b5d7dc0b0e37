"""How easily an eye takes a map in. Chance is the same values at random places, where that makes a difference."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from evaluation.scores.base import Case, Metric
from evaluation.scores.registry import register
from evaluation.scores.sparseness import bright_regions, entropy, gini, total_variation


def _of_map(score: Callable[[np.ndarray], float]) -> Callable[[Case], float]:
    return lambda case: score(case.explanation.values)


def _shuffled(score: Callable[[np.ndarray], float]) -> Callable[[Case], float]:
    def chance(case: Case) -> float:
        values = case.explanation.values
        return score(np.random.default_rng(case.seed).permutation(values.ravel()).reshape(values.shape))

    return chance


register(
    Metric(
        name="gini_sparseness",
        title="Sparseness",
        meaning="How few pixels carry the map, as the Gini index of its absolute values.",
        formula="1 − 2 · Σₖ (|a|₍ₖ₎ / Σ|a|) · (N − k + ½) / N, |a|₍ₖ₎ ascending",
        compute=_of_map(gini),
        source="Chalasani et al. 2020, arXiv:1810.06583",
        caveat="Sparse is not right: a single wrong pixel is as sparse as a map can be. The same for any order of the "
        "pixels, so there is no chance level.",
        element="visual recognizability",
        direction="higher",
    )
)

register(
    Metric(
        name="entropy",
        title="Entropy",
        meaning="How evenly the map is spread over the film: 0 for one pixel, 1 for a flat map.",
        formula="−Σ pᵢ ln pᵢ / ln N, pᵢ = |aᵢ| / Σ|a|",
        compute=_of_map(entropy),
        source="Bhatt et al. 2020, arXiv:2005.00631, divided by its highest value",
        caveat="A finding that fills a lung deserves a broad map. The same for any order of the pixels, so there is no "
        "chance level.",
        element="visual recognizability",
        direction="lower",
        unit="share",
    )
)

register(
    Metric(
        name="bright_regions",
        title="Separate regions",
        meaning="Number of separate bright spots, at half strength or more, that an eye has to look at.",
        formula="number of 8-connected regions where a ≥ ½ · (99.5th percentile of max(a, 0)), on the input grid",
        compute=_of_map(bright_regions),
        expected=_shuffled(bright_regions),
        source="connected components as in Saporta et al. 2022, doi:10.1038/s42256-022-00536-x (number of instances)",
        caveat="Hangs on the threshold. Findings on both sides deserve two regions. Chance: the same values shuffled.",
        element="visual recognizability",
        direction="lower",
    )
)

register(
    Metric(
        name="total_variation",
        title="Total variation",
        meaning="How rough the map is: the steps between neighbouring pixels against all its strength.",
        formula="(Σ|a(i+1, j) − a(i, j)| + Σ|a(i, j+1) − a(i, j)|) / Σ|a|",
        compute=_of_map(total_variation),
        expected=_shuffled(total_variation),
        source="Rudin et al. 1992, doi:10.1016/0167-2789(92)90242-F, divided by Σ|a|",
        caveat="Falls with the resolution of the input grid; compare maps of one model only. Chance: the same values "
        "shuffled.",
        element="visual recognizability",
        direction="lower",
    )
)
