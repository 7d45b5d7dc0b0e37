"""Whether the map peaks inside the expert's region."""

from __future__ import annotations

import numpy as np

from evaluation.scores.localisation import localisation_metric
from evaluation.scores.ranked_map import RankedMap


def _pointing_within(ranked: RankedMap, grown: np.ndarray) -> float:
    return float(np.count_nonzero(ranked.peaks & grown) / np.count_nonzero(ranked.peaks))


def _share(mask: np.ndarray) -> float:
    return float(np.count_nonzero(mask) / mask.size)


pointing_game = localisation_metric(
    name="pointing_game",
    title="Pointing game",
    meaning="Whether the strongest point of the map lies in the outlined region; equal peaks are averaged over.",
    formula="|P ∩ G| / |P|, P: the pixels of the highest value",
    compute=lambda ranked: ranked.top_share(1),
    expected=lambda region: region.share,
    chance_formula="p",
    source="Zhang et al. 2016, arXiv:1608.00507; without tolerance as in Saporta et al. 2022, "
    "doi:10.1038/s42256-022-00536-x",
    caveat="One pixel decides. A single fixed point inside the heart hits nearly every enlarged heart.",
    headline=True,
    scorecard=True,
)

pointing_game_15px = localisation_metric(
    name="pointing_game_15px",
    title="Pointing game, 15 pixels",
    meaning="The pointing game, where a peak at most 15 film pixels outside the region still counts.",
    formula="|P ∩ G₁₅| / |P|, G₁₅: pixels at most 15 pixels from G",
    compute=lambda ranked: _pointing_within(ranked, ranked.region.within_15px),
    expected=lambda region: _share(region.within_15px),
    chance_formula="|G₁₅| / n",
    source="Zhang et al. 2016, arXiv:1608.00507; tolerance as in TorchRay, Fong et al. 2019, arXiv:1910.08485",
    caveat="15 pixels are a different distance on films of different size, and lift chance for small regions.",
    headline=True,
)

pointing_game_scaled = localisation_metric(
    name="pointing_game_scaled",
    title="Pointing game, scaled tolerance",
    meaning="The pointing game with its published tolerance, 15 pixels on a photograph of 500, scaled to the film.",
    formula="|P ∩ Gₜ| / |P|, Gₜ: pixels at most t = 15 · max(H, W) / 500 pixels from G",
    compute=lambda ranked: _pointing_within(ranked, ranked.region.within_scaled),
    expected=lambda region: _share(region.within_scaled),
    chance_formula="|Gₜ| / n",
    source="Zhang et al. 2016, arXiv:1608.00507, on PASCAL VOC photographs, whose longer side is 500 pixels",
    caveat="3 % of the film's longer side, about a centimetre of chest, lifts chance for small regions.",
)
