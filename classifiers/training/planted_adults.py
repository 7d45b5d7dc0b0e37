"""Findings planted into normal films of adults: outlines that are exact, for what few radiologists outlined."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from classifiers.anatomy import segment
from classifiers.training.film_cache import SHARP
from classifiers.training.nih_data import FilmSet
from classifiers.training.outlines import MASK_SIDE
from radiographs import Radiograph
from radiographs.arrays import read_arrays, write_arrays
from radiographs.planting import plant

_log = logging.getLogger("planted")
SHARES = {"Nodule": 0.45, "Mass": 0.25, "Consolidation": 0.15, "Effusion": 0.15}
"""Findings and their parts of the planted films: what the class map finds worst comes most."""
ADULT = 18


@dataclass(frozen=True)
class PlantedFilms:
    """Films (N, 320, 320) uint8, masks (N, 160, 160) bool and the N findings planted into them."""

    films: np.ndarray
    masks: np.ndarray
    findings: list[str]


def adult_ages(data: Path) -> set[str]:
    """Names without suffix of the films of patients of at least 18 years (and under 100: NIH has ages of 400)."""
    tables = [pd.read_csv(data / folder / "films.csv") for folder in ("nih_train", "nih_512", "nih_boxes")]
    together = pd.concat(tables)
    return {Path(name).stem for name in together.image[together.age.between(ADULT, 99)]}


def read_planted(normal: FilmSet, n: int, seed: int, cache: Path) -> PlantedFilms:
    """Plant ``n`` findings into films of ``normal``, or read what an earlier run planted with the same seed.

    Films whose lungs the anatomy network is not sure of are left out.

    Args:
        normal: sharp films without a finding, of adults on the training side. cache: folder to keep them in.
    """
    path = cache / f"planted-{len(normal.films)}-{n}-{seed}.npz"
    if not path.is_file():
        films, masks, findings = _planted(normal, n, np.random.default_rng(seed))
        write_arrays(path, {"films": films, "masks": masks, "findings": np.array(findings)})
    planted, _ = read_arrays(path)
    return PlantedFilms(planted["films"], planted["masks"], planted["findings"].tolist())


def _planted(normal: FilmSet, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list[str]]:
    films: list[np.ndarray] = []
    masks: list[np.ndarray] = []
    findings: list[str] = []
    lungs: dict[int, np.ndarray | None] = {}
    while len(films) < n:
        row = int(rng.integers(len(normal.films)))
        film = Radiograph(normal.films[row].astype(np.float32) / 255)
        if row not in lungs:
            anatomy = segment(film)
            lungs[row] = anatomy.right_lung + 2 * anatomy.left_lung.astype(np.int64) if anatomy.sure else None
        labels = lungs[row]
        if labels is None:
            continue
        finding = str(rng.choice(list(SHARES), p=list(SHARES.values())))
        try:
            drawn, mask = plant(film, finding, np.minimum(labels, 2), rng, amplitude=float(rng.uniform(0.7, 1.2)))
        except ValueError as error:
            _log.info("%s into %s left out: %s", finding, normal.images[row], error)
            continue
        films.append(np.round(drawn.pixels * 255).astype(np.uint8))
        masks.append(np.any(mask.reshape(MASK_SIDE, SHARP // MASK_SIDE, MASK_SIDE, -1), axis=(1, 3)))
        findings.append(finding)
        if len(films) % 200 == 0:
            _log.info("planted %d of %d", len(films), n)
    return np.stack(films), np.stack(masks), findings
