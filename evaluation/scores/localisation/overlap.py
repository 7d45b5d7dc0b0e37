"""Overlap of the expert's region and the map's strongest pixels, as many as the region has, or a fixed share."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import gammaln

from evaluation.scores.localisation import localisation_metric
from evaluation.scores.ranked_map import RankedMap

TOP_SHARE = 0.02
"""Share of the film's pixels of the top-k intersection: 1000 pixels of a map of 224 x 224, as it was published."""


def _log_choose(n: np.ndarray | int, k: np.ndarray | int) -> np.ndarray:
    return gammaln(np.add(n, 1.0)) - gammaln(np.add(k, 1.0)) - gammaln(np.subtract(n, k) + 1.0)


def expected_iou(area: int, sure: int, tied: int, tied_inside: int, wanted: int) -> float:
    """Mean IoU over all ways to choose ``wanted`` of ``tied`` pixels, of which ``tied_inside`` lie in the region.

    Args:
        area: pixels of the region, and of the map's marked area. sure: pixels inside that are marked in any case.

    Returns:
        The exact mean: the overlap follows a hypergeometric distribution; terms farther than 12 standard deviations
        from its mean are left out.
    """
    low, high = max(0, wanted - (tied - tied_inside)), min(wanted, tied_inside)
    if low == high:
        return (sure + low) / (2 * area - sure - low)
    mean = wanted * tied_inside / tied
    spread = 12 * math.sqrt(mean * (1 - tied_inside / tied) * (tied - wanted) / max(tied - 1, 1)) + 12
    hits = np.arange(max(low, math.floor(mean - spread)), min(high, math.ceil(mean + spread)) + 1)
    weights = _log_choose(tied_inside, hits) + _log_choose(tied - tied_inside, wanted - hits)
    weights = np.exp(weights - weights.max())
    overlap = sure + hits
    return float(np.sum(weights * (overlap / (2 * area - overlap))) / weights.sum())


def _top_two_percent(ranked: RankedMap) -> float:
    return ranked.top_share(max(1, round(TOP_SHARE * ranked.region.size)))


def _area_matched_iou(ranked: RankedMap) -> float:
    return expected_iou(ranked.region.area, *ranked.top(ranked.region.area))


area_matched_iou = localisation_metric(
    name="area_matched_iou",
    title="Area-matched IoU",
    meaning="Overlap (intersection over union) of the region and the strongest pixels, as many as the region has.",
    formula="|T ∩ G| / |T ∪ G|, T: the |G| strongest pixels",
    compute=_area_matched_iou,
    expected=lambda region: expected_iou(region.area, 0, region.size, region.area, region.area),
    chance_formula="mean over the hypergeometric distribution of |T ∩ G|, about p / (2 − p)",
    source="Cohen et al. 2021, arXiv:2102.09475",
    caveat="It tells the map how large the region is. Chance is about p/(2-p) for a region of share p.",
    headline=True,
    scorecard=True,
)

top_two_percent = localisation_metric(
    name="top_k_intersection",
    title="Top 2 % in the region",
    meaning="Of the strongest 2 % of the film's pixels, the share inside the region; ties are averaged over.",
    formula="|T ∩ G| / |T|, T: the k = n / 50 strongest pixels",
    compute=_top_two_percent,
    expected=lambda region: region.share,
    chance_formula="p",
    source="Theiner et al. 2022, arXiv:2104.14995",
    caveat="A region smaller than 2 % of the film cannot reach 1, but |G| / k at most.",
)
