"""How much of the relevance, and of the most relevant pixels, lies inside the expert's region."""

from __future__ import annotations

import math

import numpy as np

from evaluation.ranked import RankedMap
from evaluation.registry import Metric, register


def _mass(ranked: RankedMap) -> float:
    total = float(np.maximum(ranked.ordered, 0).sum(dtype=np.float64))
    if total == 0:
        return math.nan
    return min(float(np.maximum(ranked.inside, 0).sum(dtype=np.float64)) / total, 1.0)


def _rank(ranked: RankedMap) -> float:
    sure, tied, tied_inside, wanted = ranked.top(ranked.region.area)
    return (sure + wanted * tied_inside / tied) / ranked.region.area


relevance_mass_accuracy = register(
    Metric(
        name="relevance_mass_accuracy",
        title="Relevance mass",
        meaning="Share of all positive evidence that lies inside the region.",
        compute=_mass,
        expected=lambda region: region.share,
        source="Arras et al. 2022, doi:10.1016/j.inffus.2021.11.008",
        caveat="Punishes smooth maps; undefined where the map has no positive evidence. Negatives never enter the sum.",
        order=30,
    )
)

relevance_rank_accuracy = register(
    Metric(
        name="relevance_rank_accuracy",
        title="Relevance rank",
        meaning="Of the strongest pixels, as many as the region has, the share inside it; ties are averaged over.",
        compute=_rank,
        expected=lambda region: region.share,
        source="Arras et al. 2022, doi:10.1016/j.inffus.2021.11.008",
        caveat="Says nothing of how strong the evidence is, only of its order.",
        order=40,
    )
)
