"""How much of the relevance, and of the most relevant pixels, lies inside the expert's region."""

from __future__ import annotations

import math

import cv2
import numpy as np

from evaluation.scores.localisation import localisation_metric
from evaluation.scores.ranked_map import RankedMap


def _mass(ranked: RankedMap) -> float:
    return _share_of_evidence(ranked, ranked.inside)


def _share_of_evidence(ranked: RankedMap, within: np.ndarray) -> float:
    if ranked.evidence == 0:
        return math.nan
    return min(float(np.maximum(within, 0).sum(dtype=np.float64)) / ranked.evidence, 1.0)


def _contrast_to_noise(ranked: RankedMap) -> float:
    if ranked.region.area == ranked.region.size:
        return math.nan
    parts = [_mean_and_variance(ranked.values, mask) for mask in (ranked.region.mask, ~ranked.region.mask)]
    spread = parts[0][1] + parts[1][1]
    return math.nan if spread == 0 else (parts[0][0] - parts[1][0]) / math.sqrt(spread)


def _mean_and_variance(values: np.ndarray, mask: np.ndarray) -> tuple[float, float]:
    chosen = mask.view(np.uint8)
    low, high, *_ = cv2.minMaxLoc(values, chosen)
    # A constant part has no noise; rounding in its mean must not make some.
    if low == high:
        return low, 0.0
    mean, deviation = cv2.meanStdDev(values, mask=chosen)
    return float(mean.item()), float(deviation.item()) ** 2


relevance_mass_accuracy = localisation_metric(
    name="relevance_mass_accuracy",
    title="Relevance mass",
    meaning="Share of all positive evidence that lies inside the region.",
    formula="Σ_G a⁺ / Σ a⁺",
    compute=_mass,
    expected=lambda region: region.share,
    chance_formula="p",
    source="Arras et al. 2022, doi:10.1016/j.inffus.2021.11.008",
    caveat="Punishes smooth maps; undefined where the map has no positive evidence. Negatives never enter the sum.",
    headline=True,
    scorecard=True,
)

relevance_rank_accuracy = localisation_metric(
    name="relevance_rank_accuracy",
    title="Relevance rank",
    meaning="Of the strongest pixels, as many as the region has, the share inside it; ties are averaged over.",
    formula="|T ∩ G| / |G|, T: the |G| strongest pixels",
    compute=lambda ranked: ranked.top_share(ranked.region.area),
    expected=lambda region: region.share,
    chance_formula="p",
    source="Arras et al. 2022, doi:10.1016/j.inffus.2021.11.008",
    caveat="Says nothing of how strong the evidence is, only of its order.",
    headline=True,
)

contrast_to_noise = localisation_metric(
    name="contrast_to_noise",
    title="Contrast to noise",
    meaning="How far the map's mean inside the region lies above its mean outside, in units of its spread.",
    formula="(μ_in − μ_out) / √(σ²_in + σ²_out)",
    compute=_contrast_to_noise,
    expected=lambda region: math.nan if region.area == region.size else 0.0,
    chance_formula="0 (for numbers spread evenly about their mean)",
    source="Boecking et al. 2022, arXiv:2204.09817, there without the sign",
    caveat="Undefined where the map is constant inside and outside; without the sign a map that avoids the region "
    "would score as one that marks it.",
    low=-math.inf,
    high=math.inf,
)

energy_in_box = localisation_metric(
    name="energy_in_box",
    title="Energy in the box",
    meaning="Share of all positive evidence inside the boxes around the connected parts of the region.",
    formula="Σ_B a⁺ / Σ a⁺, B: the boxes around the parts of G",
    compute=lambda ranked: _share_of_evidence(ranked, ranked.values[ranked.region.in_boxes]),
    expected=lambda region: float(np.count_nonzero(region.in_boxes)) / region.size,
    chance_formula="|B| / n",
    source="Wang et al. 2020 (Score-CAM, energy-based pointing game), arXiv:1910.01279",
    caveat="The same as the relevance mass where the region is a box; for outlines it counts the corners as right.",
)
