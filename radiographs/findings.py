"""Names of findings: the many spellings that data sets use, and the one that this program uses."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from radiographs.plain_text import name_in_words

NIH_FINDINGS: tuple[str, ...] = (
    "Atelectasis",
    "Cardiomegaly",
    "Consolidation",
    "Edema",
    "Effusion",
    "Emphysema",
    "Fibrosis",
    "Hernia",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pleural_Thickening",
    "Pneumonia",
    "Pneumothorax",
)
"""The 14 findings of ChestX-ray14 (Wang et al., CVPR 2017), as its tables spell them."""

FURTHER_FINDINGS: tuple[str, ...] = (
    "Aortic enlargement",
    "Calcification",
    "Diffuse Nodule",
    "Enlarged Cardiomediastinum",
    "Fracture",
    "Ground-glass opacity",
    "ILD",
    "Lung Lesion",
    "Lung Opacity",
    "Nodule/Mass",
    "Other lesion",
    "Pleural Other",
    "Support Devices",
)
"""Findings of CheXpert, VinDr-CXR, ChestX-Det and others that ChestX-ray14 does not have."""

NO_FINDING = "No Finding"

_ALIASES = {
    "cardiac enlargement": "Cardiomegaly",
    "enlarged heart": "Cardiomegaly",
    "oedema": "Edema",
    "pulmonary edema": "Edema",
    "pulmonary oedema": "Edema",
    "pleural effusion": "Effusion",
    "pulmonary emphysema": "Emphysema",
    "pulmonary fibrosis": "Fibrosis",
    "hiatal hernia": "Hernia",
    "hiatus hernia": "Hernia",
    "infiltrate": "Infiltration",
    "pulmonary infiltrate": "Infiltration",
    "lung mass": "Mass",
    "pulmonary mass": "Mass",
    "lung nodule": "Nodule",
    "pulmonary nodule": "Nodule",
    "airspace opacity": "Lung Opacity",
    "opacity": "Lung Opacity",
    "pulmonary opacity": "Lung Opacity",
    "nodule or mass": "Nodule/Mass",
    "mass/nodule": "Nodule/Mass",
    "ggo": "Ground-glass opacity",
    "interstitial lung disease": "ILD",
    "enlarged cardiomediastinal silhouette": "Enlarged Cardiomediastinum",
    "support device": "Support Devices",
    "normal": NO_FINDING,
    "none": NO_FINDING,
}

_DISPLAY = {
    "Effusion": "Pleural effusion",
    "ILD": "Interstitial lung disease",
    "ett": "Endotracheal tube",
    "cvl": "Central venous line",
    "ngt": "Nasogastric tube",
}


def _key(name: str) -> str:
    """Spelling without case, underscores, hyphens and doubled spaces."""
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()


_CANONICAL = {_key(name): name for name in (*NIH_FINDINGS, *FURTHER_FINDINGS, NO_FINDING)}
_CANONICAL |= {_key(alias): name for alias, name in _ALIASES.items()}


@lru_cache(maxsize=1024)
def canonical(name: str) -> str:
    """The program's name for a finding, whatever case, underscores or synonym a data set uses.

    The NIH vocabulary wins where it has the finding ("Pleural Effusion" is "Effusion"). "Nodule/Mass" stays its own
    finding, because it cannot be told which of the two is meant. A name that is not known is reduced to words (see
    :func:`radiographs.plain_text.name_in_words`): it is shown, linked and exported in many places.
    """
    known = _CANONICAL.get(_key(name))
    if known is not None:
        return known
    return name_in_words(name) or ("Unnamed" if name.strip() else "")


@lru_cache(maxsize=1)
def spellings() -> dict[str, tuple[str, ...]]:
    """Each finding of the published data sets with the names that they have for it, its own first."""
    found = {name: [name] for name in (*NIH_FINDINGS, *FURTHER_FINDINGS)}
    for alias, name in _ALIASES.items():
        if name in found:
            found[name].append(alias)
    return {name: tuple(names) for name, names in found.items()}


def is_named(finding: str, names: Iterable[str]) -> bool:
    """Whether one of ``names`` means ``finding``, whatever the spelling of either."""
    wanted = canonical(finding)
    return any(canonical(name) == wanted for name in names)


def display_name(name: str) -> str:
    """The finding as a person reads it: words, sentence case ("Pleural thickening", "Lung opacity")."""
    known = canonical(name)
    if known in _DISPLAY:
        return _DISPLAY[known]
    words = known.replace("_", " ").split()
    lowered = [word if len(word) > 1 and word.isupper() else word.lower() for word in words]
    text = " ".join(lowered)
    return text[:1].upper() + text[1:]
