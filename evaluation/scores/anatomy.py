"""Where the evidence lies in the body: inside the lungs, inside the heart, outside the body."""

from __future__ import annotations

import math

import numpy as np

from classifiers.anatomy import Anatomy
from evaluation.baselines.anatomy_prior import Organ, film_anatomy, organ_of
from evaluation.scores.base import Case, Metric, Need
from evaluation.scores.registry import register

_NEEDS: frozenset[Need] = frozenset({"anatomy"})
_SOURCE = "Arras et al. 2022, doi:10.1016/j.inffus.2021.11.008 (relevance mass), with the organ for the region"


def anatomy_of(case: Case) -> Anatomy:
    """The anatomy of the case's film, outlined at most once for all assessments that share ``case.shared``."""
    known = case.shared.get("anatomy")
    if not isinstance(known, Anatomy):
        known = case.shared["anatomy"] = film_anatomy(case.radiograph)
    return known


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


def relevance_shares(on_film: np.ndarray, anatomy: Anatomy) -> dict[str, float]:
    """Shares of the positive evidence inside "lungs" and "heart" and "outside" the body, whatever the finding.

    Lungs and heart overlap: the lung behind the heart counts for both. NaN where the anatomy is unsure, the heart was
    not found, the film shows nothing but body, or no evidence is positive.
    """
    masks = {"lungs": anatomy.lungs, "heart": anatomy.heart} if anatomy.sure else {}
    masks["outside"] = ~anatomy.body
    shares = {name: relevance_share(on_film, mask) if mask.any() else math.nan for name, mask in masks.items()}
    return {"lungs": math.nan, "heart": math.nan} | shares


def why_undefined(case: Case, organ: Organ | None = None) -> str | None:
    """Why an anatomical score of the case is NaN, one sentence for people; None where it is a number.

    Args:
        case: what is assessed. organ: whose share is asked for; None asks for the share outside the body.
    """
    anatomy = anatomy_of(case)
    if not (case.on_film > 0).any():
        return "The map has no positive evidence."
    if organ is None:
        return "The film shows nothing but body." if anatomy.body.all() else None
    if organ_of(case.explanation.finding) != organ:
        return f"{case.explanation.finding} is not a finding of the {organ}."
    if not anatomy.sure or (organ == "heart" and not anatomy.heart.any()):
        return anatomy.reason or "No heart was found."
    return None


def _in_organ(case: Case, organ: Organ) -> float:
    if why_undefined(case, organ) is not None:
        return math.nan
    return relevance_shares(case.on_film, anatomy_of(case))[organ]


def _organ_area(case: Case, organ: Organ) -> float:
    if why_undefined(case, organ) is not None:
        return math.nan
    anatomy = anatomy_of(case)
    return float((anatomy.lungs if organ == "lungs" else anatomy.heart).mean())


def _outside_area(case: Case) -> float:
    return math.nan if why_undefined(case) is not None else float((~anatomy_of(case).body).mean())


relevance_in_lungs = register(
    Metric(
        name="relevance_in_lungs",
        title="Evidence in the lungs",
        meaning="For findings of lungs and pleura: the share of the positive evidence that lies inside the lungs.",
        formula="Σ max(a, 0) inside the lungs / Σ max(a, 0)",
        compute=lambda case: _in_organ(case, "lungs"),
        expected=lambda case: _organ_area(case, "lungs"),
        source=_SOURCE,
        caveat="The lungs are a network's outlines, with the lung behind the heart. Evidence in the wrong lung counts.",
        element="physical attribution",
        direction="higher",
        needs=_NEEDS,
    )
)

relevance_in_heart = register(
    Metric(
        name="relevance_in_heart",
        title="Evidence in the heart",
        meaning="For findings of the heart: the share of the positive evidence inside heart and great vessels.",
        formula="Σ max(a, 0) inside the heart / Σ max(a, 0)",
        compute=lambda case: _in_organ(case, "heart"),
        expected=lambda case: _organ_area(case, "heart"),
        source=_SOURCE,
        caveat="An enlarged heart shows at its edge: evidence just outside it is sound, and counts as missed.",
        element="physical attribution",
        direction="higher",
        needs=_NEEDS,
    )
)

relevance_outside_body = register(
    Metric(
        name="relevance_outside_body",
        title="Evidence outside the body",
        meaning="The share of the positive evidence on the dark border round the body, where there is nothing.",
        formula="Σ max(a, 0) outside the body / Σ max(a, 0)",
        compute=lambda case: (
            math.nan if why_undefined(case) is not None else relevance_shares(case.on_film, anatomy_of(case))["outside"]
        ),
        expected=_outside_area,
        source=_SOURCE,
        caveat="Undefined on films that show nothing but body. Coarse maps spill over the skin without meaning it.",
        element="physical attribution",
        direction="lower",
        needs=_NEEDS,
    )
)
