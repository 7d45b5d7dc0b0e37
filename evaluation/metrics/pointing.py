"""Whether the map peaks inside the expert's region."""

from __future__ import annotations

import numpy as np

from evaluation.ranked import RankedMap, Region
from evaluation.registry import Metric, register


def _pointing(ranked: RankedMap) -> float:
    _, tied, tied_inside, _ = ranked.top(1)
    return tied_inside / tied


def _pointing_15px(ranked: RankedMap) -> float:
    peaks = ranked.values == ranked.ordered[-1]
    return float(np.count_nonzero(peaks & ranked.region.within_15px) / np.count_nonzero(peaks))


def _dilated_share(region: Region) -> float:
    return float(np.count_nonzero(region.within_15px) / region.size)


pointing_game = register(
    Metric(
        name="pointing_game",
        title="Pointing game",
        meaning="Whether the strongest point of the map lies in the outlined region; equal peaks are averaged over.",
        compute=_pointing,
        expected=lambda region: region.share,
        source="Zhang et al. 2016, arXiv:1608.00507; without tolerance as in Saporta et al. 2022, "
        "doi:10.1038/s42256-022-00536-x",
        caveat="One pixel decides. A single fixed point inside the heart hits nearly every enlarged heart.",
        order=10,
    )
)

pointing_game_15px = register(
    Metric(
        name="pointing_game_15px",
        title="Pointing game, 15 pixels",
        meaning="The pointing game, where a peak at most 15 film pixels outside the region still counts.",
        compute=_pointing_15px,
        expected=_dilated_share,
        source="Zhang et al. 2016, arXiv:1608.00507; tolerance as in TorchRay, Fong et al. 2019, arXiv:1910.08485",
        caveat="15 pixels are a different distance on films of different size, and lift chance for small regions.",
        order=60,
    )
)
