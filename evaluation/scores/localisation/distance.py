"""How far the map's peak, and its centre of mass, lie from the expert's region."""

from __future__ import annotations

import math

import numpy as np

from evaluation.scores.localisation import localisation_metric
from evaluation.scores.ranked_map import RankedMap, Region

_SOURCE = "plain Euclidean distance; centre of mass of a map as in Nauta et al. 2023, doi:10.1145/3583558"
_BETWEEN = 1e-9
"""Pixels by which the border of two may be missed in adding up."""
_UNKNOWN = " Undefined where the film does not tell its pixel spacing."


def _peak(ranked: RankedMap, distance: np.ndarray | None) -> float:
    return math.nan if distance is None else float(distance[ranked.peaks].mean(dtype=np.float64))


def centre_of_mass(ranked: RankedMap) -> tuple[float, float] | None:
    """Row and column of the centre of mass of the positive evidence; None where there is none."""
    if ranked.evidence == 0:
        return None
    weights = np.maximum(ranked.values, 0)
    rows, columns = weights.sum(axis=1, dtype=np.float64), weights.sum(axis=0, dtype=np.float64)
    row = float(rows @ np.arange(len(rows)) / rows.sum())
    return row, float(columns @ np.arange(len(columns)) / columns.sum())


def _centre(ranked: RankedMap, spacing: tuple[float, float] | None) -> float:
    centre = ranked.once(centre_of_mass)
    if centre is None or spacing is None:
        return math.nan
    row, column = centre
    if ranked.region.mask[_touched(row), _touched(column)].any():
        return 0.0
    pixels = ranked.region.pixels
    return float(np.hypot((pixels[:, 0] - row) * spacing[0], (pixels[:, 1] - column) * spacing[1]).min())


def _touched(place: float) -> slice:
    """The pixel that a place lies in; both where it lies between two, so that a mirrored film has the same score."""
    return slice(math.ceil(place - 0.5 - _BETWEEN), math.floor(place + 0.5 + _BETWEEN) + 1)


def _mean(distance: np.ndarray | None) -> float:
    return math.nan if distance is None else float(distance.mean(dtype=np.float64))


def _register_distances(unit: str) -> None:
    in_mm, suffix = unit == "mm", "_mm" if unit == "mm" else ""
    unknown = _UNKNOWN if in_mm else ""

    def field(region: Region) -> np.ndarray | None:
        return region.distance_mm if in_mm else region.distance

    localisation_metric(
        name=f"peak_distance{suffix}",
        title=f"Distance of the peak, {unit}",
        meaning=f"How far the strongest point lies from the region, in {unit}; 0 inside; equal peaks averaged.",
        formula="mean over P of min over g ∈ G of ‖x − g‖, P: the pixels of the highest value",
        compute=lambda ranked: _peak(ranked, field(ranked.region)),
        expected=lambda region: _mean(field(region)),
        chance_formula="mean over the film of the distance to G",
        source=_SOURCE,
        caveat="One pixel decides; a large region is easily met." + unknown,
        high=math.inf,
        unit=unit,
        direction="lower",
    )
    localisation_metric(
        name=f"centre_distance{suffix}",
        title=f"Distance of the centre of mass, {unit}",
        meaning=f"How far the centre of mass of the positive evidence lies from the region, in {unit}; 0 inside.",
        formula="min over g ∈ G of ‖c − g‖, c = Σ x a⁺(x) / Σ a⁺",
        compute=lambda ranked: _centre(ranked, ranked.region.spacing_mm if in_mm else (1.0, 1.0)),
        source=_SOURCE,
        caveat="Evidence on both sides of the region, or spread evenly over the film, has its centre between."
        + unknown,
        high=math.inf,
        unit=unit,
        direction="lower",
    )


for _unit in ("pixels", "mm"):
    _register_distances(_unit)
