"""Findings planted into real normal films, with exact truth."""

from radiographs.planting.films import NormalFilm, load, normal_films
from radiographs.planting.lungs import find_lungs
from radiographs.planting.plant import FINDINGS, plant

__all__ = ["FINDINGS", "NormalFilm", "find_lungs", "load", "normal_films", "plant"]
