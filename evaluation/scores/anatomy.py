"""Where the evidence lies in the body: inside the lungs, inside the heart, outside the body."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from classifiers.anatomy import Anatomy
from evaluation.baselines.anatomy_prior import film_anatomy, organ_mask, organ_of
from evaluation.scores.base import Case, Metric
from evaluation.scores.registry import register

Place = Literal["lungs", "heart", "outside"]


def anatomy_of(case: Case) -> Anatomy:
    """The anatomy of the case's film, outlined at most once for all metrics that share ``case.shared``."""
    known = case.shared.get("anatomy")
    if not isinstance(known, Anatomy):
        known = case.shared["anatomy"] = film_anatomy(case.radiograph)
    return known


def place_mask(case: Case, place: Place) -> np.ndarray | None:
    """(H, W) bool: the organ, or what lies outside the body.

    Returns:
        None where the finding is of another organ, the anatomy is unsure of it, or the film shows nothing but body.
    """
    anatomy, finding = anatomy_of(case), case.explanation.finding
    if place == "outside":
        return None if anatomy.body.all() else ~anatomy.body
    return organ_mask(anatomy, finding) if organ_of(finding) == place else None


def relevance_share(on_film: np.ndarray, mask: np.ndarray) -> float:
    """Share of a map's positive part that lies inside a mask, in [0, 1]; NaN where nothing is positive.

    Args:
        on_film: (H, W) map in the film's own pixels, raw units. mask: (H, W) bool.
    """
    positive = np.maximum(on_film, 0)
    total = float(positive.sum(dtype=np.float64))
    if total == 0:
        return math.nan
    return min(float(positive[mask].sum(dtype=np.float64)) / total, 1.0)


def _register(place: Place, **about: Any) -> None:
    def share(case: Case) -> float:
        mask = place_mask(case, place)
        return math.nan if mask is None else relevance_share(case.on_film, mask)

    def area(case: Case) -> float:
        mask = place_mask(case, place)
        return math.nan if mask is None or not (case.on_film > 0).any() else float(mask.mean())

    register(
        Metric(
            compute=share,
            expected=area,
            chance_formula=f"share of the film's pixels {'outside the body' if place == 'outside' else 'in the organ'}",
            source="Arras et al. 2022, doi:10.1016/j.inffus.2021.11.008 (relevance mass), of the organ",
            element="physical attribution",
            needs=frozenset({"anatomy"}),
            scorecard=True,
            **about,
        )
    )


_register(
    "lungs",
    name="relevance_in_lungs",
    title="Evidence in the lungs",
    meaning="For findings of lungs and pleura: the share of the positive evidence that lies inside the lungs.",
    formula="Σ max(a, 0) inside the lungs / Σ max(a, 0)",
    caveat="The lungs are a network's outlines, with some lung behind the heart. Evidence in the wrong lung counts.",
)
_register(
    "heart",
    name="relevance_in_heart",
    title="Evidence in the heart",
    meaning="For findings of the heart: the share of the positive evidence inside the heart.",
    formula="Σ max(a, 0) inside the heart / Σ max(a, 0)",
    caveat="An enlarged heart shows at its edge: evidence just outside it is sound, and counts as missed.",
)
_register(
    "outside",
    name="relevance_outside_body",
    title="Evidence outside the body",
    meaning="The share of the positive evidence on the dark border round the body, where there is nothing.",
    formula="Σ max(a, 0) outside the body / Σ max(a, 0)",
    caveat="Undefined on films that show nothing but body. Coarse maps spill over the skin without meaning it.",
    direction="lower",
)
