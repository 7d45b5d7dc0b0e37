"""ChestX-Det: NIH films on which three radiologists outlined lesions by polygons."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from PIL import Image

from radiographs.annotation import Annotation
from radiographs.annotation_readers import AnnotationTable, read_nih_boxes
from radiographs.collection import Collection, CollectionCard, FilmEntry
from radiographs.errors import AnnotationError, CollectionError
from radiographs.fetching.chest_det_files import chest_det_readings
from radiographs.fetching.nih_release import (
    RELEASE_VARIABLE,
    film_folders,
    find_film,
    published_lines,
    recorded_split,
    table_path,
)
from radiographs.places import asset, data_folder
from radiographs.radiograph import Radiograph
from radiographs.reading import read_radiograph
from radiographs.registry import register

_HOW_TO_HAVE_IT = (
    "Download ChestX-Det's outlines and the 62 of its films that are among the boxed NIH films with: lightbox fetch "
    f"chestx-det (about 11 MB); all its films lie in the public release of ChestX-ray14, in a folder that "
    f"{RELEASE_VARIABLE} names."
)
_ARCHIVES = ("nih_512/films_512.zip", "nih_train/films_384.zip", "nih_train/films_128.zip")
"""Archives of smaller films in a data folder, the larger first."""


@dataclass(frozen=True)
class _File:
    """A film's file, or a member of an archive."""

    path: Path
    member: str = ""

    def read(self) -> bytes:
        if not self.member:
            return self.path.read_bytes()
        with zipfile.ZipFile(self.path) as archive:
            return archive.read(self.member)


@cache
def _members(archive: Path, _changed_ns: int) -> dict[str, str]:
    """Film id -> name of the member."""
    with zipfile.ZipFile(archive) as opened:
        return {Path(name).stem: name for name in opened.namelist() if not name.endswith("/")}


def _archives() -> list[tuple[Path, dict[str, str]]]:
    data = data_folder()
    paths = [data / name for name in _ARCHIVES] if data is not None else []
    return [(path, _members(path, path.stat().st_mtime_ns)) for path in paths if path.is_file()]


def _find(film_id: str, folders: list[Path], archives: list[tuple[Path, dict[str, str]]]) -> _File | None:
    path = find_film(film_id, folders)
    if path is not None:
        return _File(path)
    return next((_File(archive, members[film_id]) for archive, members in archives if film_id in members), None)


@register
class ChestXDet(Collection):
    """Up to 3,543 NIH films with polygons of 13 findings; those films whose file is on this machine.

    Films come from where those of ``nih-boxes`` lie, from the public release, and from the archives of smaller films
    in ``XAI_LIGHTBOX_DATA``. A film without a lesion was read as free of all 13 findings. A patient whom the recorded
    split does not list was never trained on and counts as test.
    """

    name = "chestx-det"
    order = 45
    split = "nih"
    card = CollectionCard(
        title="ChestX-Det",
        summary="Frontal films of ChestX-ray14 with outlines of 13 findings, drawn as polygons: atelectasis, "
        "calcification, cardiomegaly, consolidation, diffuse nodule, effusion, emphysema, fibrosis, fracture, mass, "
        "nodule, pleural thickening and pneumothorax.",
        annotators="Three board-certified radiologists drew the polygons.",
        licence="Outlines Apache-2.0; films without restriction on use, credit the NIH Clinical Center as provider",
        citation="Lian J, Liu J, Zhang S, et al. A structure-aware relation network for thoracic diseases detection "
        "and segmentation. IEEE TMI 2021, arXiv 2104.10326. Liu J, Lian J, Yu Y. ChestX-Det10. arXiv 2006.10550. Wang "
        "X, Peng Y, Lu L, et al. ChestX-ray8. CVPR 2017.",
        url="https://github.com/Deepwise-AILab/ChestX-Det-Dataset",
    )

    def __init__(self) -> None:
        self._listed: tuple[object, list[FilmEntry]] | None = None

    def missing(self) -> str | None:
        """None where at least one film with its reading is at hand; else one sentence that says how to have them."""
        try:
            return None if self.entries() else _HOW_TO_HAVE_IT
        except (AnnotationError, CollectionError) as error:
            return str(error)

    def entries(self) -> list[FilmEntry]:
        """The films at hand, in the order of their ids; labels are the findings outlined.

        Raises:
            CollectionError: the package with NIH's tables is not installed.
            AnnotationError: a table of outlines is damaged.
        """
        table, folders, archives = chest_det_readings(), film_folders(), _archives()
        state = (id(table), [(path, path.stat().st_mtime_ns) for path in folders], [path for path, _ in archives])
        if self._listed is None or self._listed[0] != state:
            sides = recorded_split(asset("splits", "nih.csv"))
            known = {film_id for film_id in table.images() if _find(film_id, folders, archives) is not None}
            lines = published_lines(frozenset(known)) if known else {}
            listed = [
                replace(
                    line,
                    labels=tuple(sorted(table.findings(film_id))),
                    annotated=tuple(sorted(table.findings(film_id))),
                    part=sides.get(line.patient, "test"),
                )
                for film_id, line in lines.items()
            ]
            self._listed = (state, listed)
        return list(self._listed[1])

    def read(self, film_id: str) -> Radiograph:
        """Read one film, with the view that NIH published.

        Raises:
            CollectionError: the collection has no such film, or its file is not at hand.
            FilmError: the file cannot be read.
        """
        view = self.entry(film_id).view
        return replace(read_radiograph(self._file(film_id).read()), view=view)

    def annotations(self, film_id: str) -> list[Annotation]:
        """The radiologists' polygons, scaled to the size of the film at hand.

        Raises:
            CollectionError: the collection has no such film, or its file is not at hand.
            FilmError: the file cannot be read.
        """
        return chest_det_readings().annotations(film_id, self._shape(film_id))

    def further_readings(self, film_id: str) -> list[Annotation]:
        """The boxes of NIH's radiologist on the same film.

        Raises:
            CollectionError: the collection has no such film, its file or NIH's box list is not at hand.
        """
        return _boxes().annotations(film_id, self._shape(film_id))

    def _shape(self, film_id: str) -> tuple[int, int]:
        data = self._file(film_id).read()
        try:
            with Image.open(io.BytesIO(data)) as image:
                return image.height, image.width
        except Exception:  # Pillow's errors differ by version; the reader says in words what is wrong
            return read_radiograph(data).shape

    def _file(self, film_id: str) -> _File:
        if film_id not in chest_det_readings():
            raise CollectionError(f"the collection {self.name} has no film {film_id!r}. {_HOW_TO_HAVE_IT}")
        found = _find(film_id, film_folders(), _archives())
        if found is None:
            raise CollectionError(f"film {film_id} of {self.name} is not on this machine. {_HOW_TO_HAVE_IT}")
        return found


@cache
def _boxes() -> AnnotationTable:
    return read_nih_boxes(table_path("nih-boxes"))
