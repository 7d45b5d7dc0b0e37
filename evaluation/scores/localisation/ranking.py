"""Whether pixels inside the expert's region rank above those outside; no threshold is chosen."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import digamma

from evaluation.scores.localisation import localisation_metric
from evaluation.scores.ranked_map import RankedMap, Region


def _average_precision(ranked: RankedMap) -> float:
    at_inside, below_inside, _, below = ranked.levels
    hits = ranked.region.area - below_inside
    return float(np.sum(at_inside * (hits / (ranked.region.size - below))) / ranked.region.area)


def _expected_average_precision(region: Region) -> float:
    # Bestgen 2015: a random ranking beats the prevalence a little, for its first hit has precision of at least 1/rank.
    size, area = region.size, region.area
    if area == size:
        return 1.0
    harmonic = float(digamma(size + 1)) + np.euler_gamma
    return ((area - 1) / (size - 1) * (size - harmonic) + harmonic) / size


def _auroc(ranked: RankedMap) -> float:
    area, outside = ranked.region.area, ranked.region.size - ranked.region.area
    if outside == 0:
        return math.nan
    at_inside, below_inside, at, below = ranked.levels
    beaten = (below - below_inside) + 0.5 * (at - at_inside)
    return float(np.sum(at_inside * beaten) / (area * outside))


pixel_auprc = localisation_metric(
    name="pixel_auprc",
    title="Pixel AUPRC",
    meaning="How purely the strongest pixels lie in the region, over all thresholds (average precision).",
    formula="Σₖ (Rₖ − Rₖ₋₁) Pₖ over all distinct values, R recall, P precision; tied pixels enter together",
    compute=_average_precision,
    expected=_expected_average_precision,
    chance_formula="[(|G| − 1) (n − Hₙ) / (n − 1) + Hₙ] / n, Hₙ = 1 + 1/2 + … + 1/n; little above p",
    source="Arun et al. 2021, doi:10.1148/ryai.2021200267; chance: Bestgen 2015, doi:10.1515/pralin-2015-0007",
    caveat="Depends on the size of the region: compare with chance, never across findings.",
    headline=True,
    scorecard=True,
)

pixel_auroc = localisation_metric(
    name="pixel_auroc",
    title="Pixel AUROC",
    meaning="How often a pixel inside the region is stronger than a pixel outside it; ties count half.",
    formula="[#{a(in) > a(out)} + ½ #{a(in) = a(out)}] / (|G| · (n − |G|))",
    compute=_auroc,
    expected=lambda region: math.nan if region.area == region.size else 0.5,
    chance_formula="½",
    source="Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747",
    caveat="Flattered by the many easy pixels of the film's dark border.",
    headline=True,
)
