"""The NIH films on which a radiologist drew boxes, wherever the films lie."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from radiographs.annotation import Annotation
from radiographs.annotation_readers import AnnotationTable, read_nih_boxes
from radiographs.collection import Collection, CollectionCard, FilmEntry
from radiographs.errors import CollectionError
from radiographs.fetching.chest_det_files import chest_det_readings
from radiographs.fetching.nih_release import (
    RELEASE_VARIABLE,
    film_folders,
    find_film,
    image_shape,
    published_lines,
    recorded_split,
    table_path,
)
from radiographs.places import asset
from radiographs.radiograph import Radiograph
from radiographs.reading import read_radiograph
from radiographs.registry import register

_HOW_TO_HAVE_THEM = (
    "Download the NIH films with: lightbox fetch nih-boxes (880 films, about 115 MB) "
    f"or lightbox fetch nih-demo (16 films); or set {RELEASE_VARIABLE} to a folder with the PNG files of the public "
    "release of ChestX-ray14."
)


@cache
def _boxes() -> AnnotationTable:
    return read_nih_boxes(table_path("nih-boxes"))


@cache
def _published_lines() -> dict[str, FilmEntry]:
    """The list's line of each boxed film, without its side of the split; by film id, in the order of the ids."""
    table = _boxes()
    lines = published_lines(frozenset(table.images()))
    return {film_id: replace(line, annotated=tuple(sorted(table.findings(film_id)))) for film_id, line in lines.items()}


@register
class NihBoxes(Collection):
    """880 NIH films with 984 boxes of one radiologist; those films whose file is on this machine.

    Films come from ``XAI_LIGHTBOX_DATA``/nih_boxes/images, from what ``lightbox fetch`` downloaded, and from a folder
    of the public release that ``XAI_LIGHTBOX_NIH`` names, in this order. Boxes are scaled to the film's own size. A
    patient whom the recorded split does not list was never trained on and counts as test.
    """

    name = "nih-boxes"
    order = 40
    split = "nih"
    card = CollectionCard(
        title="NIH films with boxes",
        summary="Frontal films of adults and children from ChestX-ray14, each with at least one box around one of "
        "eight findings.",
        annotators="One board-certified radiologist drew the 984 boxes by hand. Labels were mined from the reports "
        "by text processing and are wrong in places.",
        licence="No restriction on use; credit the NIH Clinical Center as provider",
        citation="Wang X, Peng Y, Lu L, Lu Z, Bagheri M, Summers RM. ChestX-ray8: hospital-scale chest X-ray database "
        "and benchmarks on weakly-supervised classification and localization of common thorax diseases. CVPR 2017, "
        "arXiv 1705.02315.",
        url="https://nihcc.app.box.com/v/ChestXray-NIHCC",
    )

    def __init__(self) -> None:
        self._listed: tuple[object, list[FilmEntry]] | None = None

    def missing(self) -> str | None:
        """None where at least one film is at hand; else one sentence that says how to have them."""
        try:
            return None if self.entries() else _HOW_TO_HAVE_THEM
        except CollectionError as error:
            return str(error)

    def entries(self) -> list[FilmEntry]:
        """The films at hand, in the order of their ids; labels, age, sex and view as NIH published them.

        Raises:
            CollectionError: the package with NIH's tables is not installed.
        """
        folders = film_folders()
        split = asset("splits", "nih.csv")
        state = [(folder, folder.stat().st_mtime_ns) for folder in folders]
        if self._listed is None or self._listed[0] != state:
            sides = recorded_split(split, ("boxes",))
            lines = _published_lines().values() if folders else ()
            listed = [
                replace(line, part=sides.get(line.patient, "test"))
                for line in lines
                if find_film(line.film_id, folders) is not None
            ]
            self._listed = (state, listed)
        return list(self._listed[1])

    def read(self, film_id: str) -> Radiograph:
        """Read one film; 512x512 or 1024x1024, with the view that NIH published.

        Raises:
            CollectionError: the collection has no such film, or its file is not at hand.
            FilmError: the file cannot be read.
        """
        return replace(read_radiograph(self._path(film_id)), view=_published_lines()[film_id].view)

    def annotations(self, film_id: str) -> list[Annotation]:
        """The radiologist's boxes, scaled to the size of the film at hand.

        Raises:
            CollectionError: the collection has no such film, or its file is not at hand.
            FilmError: the file cannot be read.
        """
        return _boxes().annotations(film_id, image_shape(self._path(film_id)))

    def further_readings(self, film_id: str) -> list[Annotation]:
        """What the radiologists of ChestX-Det outlined on the same film, where their outlines are at hand.

        Raises:
            CollectionError: the collection has no such film, or its file is not at hand.
        """
        return chest_det_readings().annotations(film_id, image_shape(self._path(film_id)))

    def entry(self, film_id: str) -> FilmEntry:
        """The list's line for one film.

        Raises:
            CollectionError: the collection has no such film, or its file is not at hand.
        """
        self._path(film_id)
        return super().entry(film_id)

    def _path(self, film_id: str) -> Path:
        if film_id not in _published_lines():
            raise CollectionError(f"the collection {self.name} has no film {film_id!r}")
        path = find_film(film_id, film_folders())
        if path is None:
            raise CollectionError(f"film {film_id} of {self.name} is not on this machine. {_HOW_TO_HAVE_THEM}")
        return path
