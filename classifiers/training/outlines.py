"""Outlines on NIH films from all readers at hand: NIH's boxes, ChestX-Det's polygons, RSNA's boxes.

Lian et al. 2021 (ChestX-Det, arXiv 2104.10326); Shih et al. 2019 (RSNA, doi 10.1148/ryai.2019180041).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from classifiers.training.nih_data import FINDINGS
from radiographs.annotation_readers import bundled_table, read_rsna
from radiographs.annotation_readers.geometry import Box, Geometry, Polygon
from radiographs.findings import canonical

MASK_SIDE = 160
"""Side in pixels of the masks that training uses."""
_CHESTXDET_NAMES = {"Diffuse Nodule": "Nodule", "Pleural Thickening": "Pleural_Thickening"}
_FRAMES = {"nih-boxes": 512, "chestxdet": 1024, "rsna": 1024}


@dataclass(frozen=True, eq=False)
class OutlinedPair:
    """What one group of readers outlined for one finding on one film.

    Attributes:
        image: the film's name without suffix. finding: one of NIH's 14. source: nih-boxes, chestxdet or rsna.
        geometries: boxes or polygons in pixels of a square film of ``frame``.
    """

    image: str
    finding: str
    source: str
    geometries: tuple[Geometry, ...]

    def mask(self, side: int) -> np.ndarray:
        """Union of the outlines: (side, side) bool."""
        frame = (_FRAMES[self.source],) * 2
        return np.logical_or.reduce([g.mask((side, side), frame) for g in self.geometries])


def read_outlines(data: Path) -> list[OutlinedPair]:
    """All pairs of film and finding with an outline, in the order of source, film and finding; films need not be here.

    Raises:
        AnnotationError: the table of RSNA's boxes is not installed.
    """
    return _grouped("nih-boxes", _nih(data)) + _grouped("chestxdet", _chestxdet(data)) + _grouped("rsna", _rsna(data))


def chestxdet_labels(data: Path) -> dict[str, set[str]]:
    """Findings of NIH's 14 that ChestX-Det's readers outlined, by film; an empty set where they outlined none."""
    films = _chestxdet_films(data)
    return {Path(f["image"]).stem: {n for n in map(_nih_name, f["lesions"]) if n in FINDINGS} for f in films}


def _grouped(source: str, outlines: list[tuple[str, str, Geometry]]) -> list[OutlinedPair]:
    groups: dict[tuple[str, str], list[Geometry]] = {}
    for image, finding, geometry in outlines:
        if finding in FINDINGS:
            groups.setdefault((image, finding), []).append(geometry)
    return [OutlinedPair(image, finding, source, tuple(groups[image, finding])) for image, finding in sorted(groups)]


def _nih(data: Path) -> list[tuple[str, str, Geometry]]:
    table = pd.read_csv(data / "nih_boxes" / "boxes.csv")
    return [(Path(r.image).stem, r.finding, Box(r.x, r.y, r.width, r.height)) for r in table.itertuples()]


def _chestxdet_films(data: Path) -> list[dict]:
    path = data / "chestxdet_nih" / "annotations.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


def _nih_name(lesion: dict) -> str:
    return _CHESTXDET_NAMES.get(lesion["finding"], canonical(lesion["finding"]))


def _chestxdet(data: Path) -> list[tuple[str, str, Geometry]]:
    return [
        (Path(film["image"]).stem, _nih_name(lesion), Polygon((np.array(lesion["polygon"], dtype=np.float64),)))
        for film in _chestxdet_films(data)
        for lesion in film["lesions"]
    ]


def _rsna(data: Path) -> list[tuple[str, str, Geometry]]:
    path = data / "rsna_nih" / "rsna_to_nih.csv"
    if not path.is_file():
        return []
    name_of = {r.rsna_id: Path(r.image).stem for r in pd.read_csv(path).itertuples()}
    table = read_rsna(bundled_table("rsna"))
    return [
        (name_of[film], "Pneumonia", outline.geometry)
        for film in table.images()
        if film in name_of
        for outline in table.of(film)
    ]
