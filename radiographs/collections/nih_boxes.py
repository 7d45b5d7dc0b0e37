"""The NIH films on which a radiologist drew boxes, wherever the films lie."""

from __future__ import annotations

import csv
import gzip
import os
from dataclasses import replace
from functools import cache
from pathlib import Path

from PIL import Image

from radiographs.annotation import Annotation
from radiographs.annotation_readers import AnnotationTable, bundled_table, read_nih_boxes
from radiographs.collection import Collection, CollectionCard, FilmEntry, Part
from radiographs.errors import AnnotationError, CollectionError
from radiographs.places import asset, data_folder, home_folder
from radiographs.radiograph import Radiograph
from radiographs.reading import read_radiograph

RELEASE_VARIABLE = "XAI_LIGHTBOX_NIH"

_SUFFIXES = (".jpg", ".png")
_HOW_TO_HAVE_THEM = (
    "Download the NIH films with: lightbox fetch nih-boxes (880 films, about 115 MB) "
    f"or lightbox fetch nih-demo (16 films); or set {RELEASE_VARIABLE} to a folder with the PNG files of the public "
    "release of ChestX-ray14."
)


def _table_path(name: str) -> Path:
    try:
        return bundled_table(name)
    except AnnotationError as error:
        raise CollectionError(f"NIH's tables are not at hand: {error}; run: pip install torchxrayvision") from error


@cache
def _boxes() -> AnnotationTable:
    return read_nih_boxes(_table_path("nih-boxes"))


@cache
def _boxed_findings() -> dict[str, tuple[str, ...]]:
    """Film id -> the findings that were boxed, sorted."""
    table = _boxes()
    return {film_id: tuple(sorted(table.findings(film_id))) for film_id in table.images()}


@cache
def _published_lines() -> dict[str, FilmEntry]:
    """The list's line of each boxed film, without its side of the split; by film id, in the order of the ids."""
    wanted = _boxed_findings()
    lines = {}
    with gzip.open(_table_path("nih-films"), "rt", encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
        kept = (line for line in file if line.partition(".")[0] in wanted)
        for row in csv.DictReader(kept, fieldnames=header):
            film_id = Path(row["Image Index"]).stem
            found = row["Finding Labels"].split("|")
            lines[film_id] = FilmEntry(
                film_id=film_id,
                labels=() if found == ["No Finding"] else tuple(found),
                annotated=wanted[film_id],
                patient=f"nih-{row['Patient ID']}",
                view=row["View Position"] or None,
                age=int(row["Patient Age"]),
                sex=row["Patient Gender"] or None,
            )
    return dict(sorted(lines.items()))


@cache
def _recorded_split(path: Path) -> dict[str, Part]:
    """Patient pseudonym -> side of the recorded split, for patients with boxed films."""
    sides: dict[str, Part] = {"train": "train", "val": "val", "test": "test"}
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["part"] == "boxes"]
    return {f"nih-{row['patient_id']}": sides[row["split"]] for row in rows}


def _film_folders() -> list[Path]:
    """Folders in which boxed films may lie, the first that has a film wins."""
    folders = []
    data = data_folder()
    if data is not None:
        folders.append(data / "nih_boxes" / "images")
    folders.append(home_folder() / "nih-boxes" / "images")
    release = os.environ.get(RELEASE_VARIABLE)
    if release:
        top = Path(release).expanduser()
        below = sorted(p for p in top.iterdir() if p.is_dir()) if top.is_dir() else []
        for folder in (top, *below):
            folders += [folder, folder / "images"]
    return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]


def _find_film(film_id: str, folders: list[Path]) -> Path | None:
    for folder in folders:
        for suffix in _SUFFIXES:
            path = folder / (film_id + suffix)
            if path.is_file():
                return path
    return None


def _shape(path: Path) -> tuple[int, int]:
    """(H, W) from the file's header: averaging all boxes of a finding need not decode every film."""
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except Exception:  # Pillow's errors differ by version; the reader says in words what is wrong
        return read_radiograph(path).shape


class NihBoxes(Collection):
    """880 NIH films with 984 boxes of one radiologist; those films whose file is on this machine.

    Films come from ``XAI_LIGHTBOX_DATA``/nih_boxes/images, from what ``lightbox fetch`` downloaded, and from a folder
    of the public release that ``XAI_LIGHTBOX_NIH`` names, in this order. Boxes are scaled to the film's own size. A
    patient whom the recorded split does not list was never trained on and counts as test.
    """

    name = "nih-boxes"
    split = "nih"
    card = CollectionCard(
        title="NIH films with boxes",
        summary="Frontal films of adults and children from ChestX-ray14, each with at least one box around one of "
        "eight findings.",
        annotators="One board-certified radiologist drew the 984 boxes by hand. Labels were mined from the reports "
        "by text processing and are wrong in places.",
        licence="No restriction on use; credit the NIH Clinical Center as provider",
        citation="Wang X, Peng Y, Lu L, Lu Z, Bagheri M, Summers RM. ChestX-ray8: hospital-scale chest X-ray database "
        "and benchmarks on weakly-supervised classification and localization of common thorax diseases. CVPR 2017.",
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
        folders = _film_folders()
        split = asset("splits", "nih.csv")
        state = [(folder, folder.stat().st_mtime_ns) for folder in folders]
        if self._listed is None or self._listed[0] != state:
            sides = _recorded_split(split)
            lines = _published_lines().values() if folders else ()
            listed = [
                replace(line, part=sides.get(line.patient, "test"))
                for line in lines
                if _find_film(line.film_id, folders) is not None
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
        return _boxes().annotations(film_id, _shape(self._path(film_id)))

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
        path = _find_film(film_id, _film_folders())
        if path is None:
            raise CollectionError(f"film {film_id} of {self.name} is not on this machine. {_HOW_TO_HAVE_THEM}")
        return path
