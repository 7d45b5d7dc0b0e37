"""In which organ a finding lives, and the baseline map that knows no more than that."""

from __future__ import annotations

from operator import attrgetter
from typing import Literal

import numpy as np

from classifiers.anatomy import Anatomy, segment
from radiographs import Radiograph
from radiographs.bounded_cache import bounded_cache
from radiographs.findings import canonical

Organ = Literal["lungs", "heart"]

HEART_FINDINGS = frozenset({"Cardiomegaly"})
"""Findings of the heart; the great vessels are outlined by nobody here."""
LUNG_FINDINGS = frozenset(
    {
        "Atelectasis",
        "Consolidation",
        "Edema",
        "Effusion",
        "Emphysema",
        "Fibrosis",
        "Ground-glass opacity",
        "ILD",
        "Infiltration",
        "Lung Lesion",
        "Lung Opacity",
        "Mass",
        "Nodule",
        "Nodule/Mass",
        "Pleural Other",
        "Pleural_Thickening",
        "Pneumonia",
        "Pneumothorax",
    }
)
"""Findings of lungs and pleura."""


@bounded_cache(256, key=attrgetter("digest"))
def film_anatomy(radiograph: Radiograph) -> Anatomy:
    """Lungs, heart and body of a film; worked out once for all who need it of the last few films."""
    return segment(radiograph)


def organ_of(finding: str) -> Organ | None:
    """The organ in which a finding lives, by any of its spellings; None where it has no one place, or is not known."""
    name = canonical(finding)
    if name in HEART_FINDINGS:
        return "heart"
    return "lungs" if name in LUNG_FINDINGS else None


def organ_mask(anatomy: Anatomy, finding: str) -> np.ndarray | None:
    """Where the finding's organ is: (H, W) bool; None where it has none, or where the anatomy is unsure of it."""
    organ = organ_of(finding)
    if organ is None or not anatomy.sure:
        return None
    mask = anatomy.lungs if organ == "lungs" else anatomy.heart
    return mask if mask.any() else None


def anatomy_prior(anatomy: Anatomy, finding: str) -> np.ndarray | None:
    """A baseline map that knows only the finding's organ: (H, W) float32, 1 inside it and 0 elsewhere.

    Returns:
        The map; None where the finding has no organ of its own, or where the anatomy is unsure of it.
    """
    mask = organ_mask(anatomy, finding)
    return None if mask is None else mask.astype(np.float32)
