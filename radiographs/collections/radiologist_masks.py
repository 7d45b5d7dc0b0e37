"""Adult films on which two radiologists outlined lungs, opacities and devices, from the data folder."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from radiographs.annotation import Annotation
from radiographs.annotation_readers import AnnotationTable, read_mask_folder
from radiographs.collection import Collection, CollectionCard, FilmEntry
from radiographs.decoding.pool import read_film
from radiographs.errors import CollectionError
from radiographs.places import DATA_VARIABLE, data_folder
from radiographs.radiograph import Radiograph
from radiographs.registry import register

_READER = "radiologist (El Hajjami, Soliman)"
_PATHOLOGIES = ("Consolidation", "Effusion", "Ground-glass opacity", "Pneumothorax")


def _folder() -> Path | None:
    data = data_folder()
    folder = data / "radiologist_masks" if data else None
    return folder if folder and (folder / "films.csv").is_file() and (folder / "masks").is_dir() else None


def _entry_of(row: dict[str, str], masks: AnnotationTable) -> FilmEntry:
    outlined = tuple(sorted(masks.findings(row["image"])))
    case = hashlib.sha256(row["url"].encode()).hexdigest()[:8] if row["url"] else Path(row["image"]).stem
    return FilmEntry(
        film_id=Path(row["image"]).stem,
        labels=tuple(name for name in outlined if name in _PATHOLOGIES),
        annotated=outlined,
        patient=f"masks-{case}",
        view=row["view"] or None,
        age=int(row["age"]) if row["age"].isdigit() else None,
        sex=row["sex"] or None,
        part="test",
    )


@dataclass(frozen=True)
class _Listed:
    """The list's lines and the films' files by film id, and all masks."""

    entries: dict[str, FilmEntry]
    paths: dict[str, Path]
    masks: AnnotationTable


@cache
def _listed(folder: Path, _changed_ns: int) -> _Listed:
    with (folder / "films.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if (folder / "images" / row["image"]).is_file()]
    masks = read_mask_folder(folder / "masks", [row["image"] for row in rows], _READER)
    entries = [_entry_of(row, masks) for row in rows]
    paths = {Path(row["image"]).stem: folder / "images" / row["image"] for row in rows}
    return _Listed({entry.film_id: entry for entry in entries}, paths, masks)


@register
class RadiologistMasks(Collection):
    """44 adult films with 267 pixel masks, read from ``XAI_LIGHTBOX_DATA``/radiologist_masks.

    Labels are the outlined pathologies; structures keep the names of their files. Films from the
    same published case count as one patient.
    """

    name = "radiologist-masks"
    order = 50
    card = CollectionCard(
        title="Radiologists' masks",
        summary="Frontal films of adults with COVID-19 or other pneumonia; lungs, heart and mediastinum, opacities and "
        "devices are outlined pixel by pixel.",
        annotators="Two radiologists (El Hajjami, Soliman).",
        licence="Masks CC BY 4.0; films under the licence of each source, mostly CC BY-NC-SA: do not redistribute",
        citation="Films: Cohen JP, Morrison P, Dao L, et al. COVID-19 image data collection: prospective predictions "
        "are the future. arXiv 2006.11988, 2020. Masks: El Hajjami, Soliman.",
        url="https://arxiv.org/abs/2006.11988",
    )

    def missing(self) -> str | None:
        """None where the films are at hand; else one sentence that says how to have them."""
        if _folder() is not None:
            return None
        return (
            f"The films with radiologists' masks are not on this machine; set {DATA_VARIABLE} to a data folder that "
            "has radiologist_masks/films.csv with the folders images and masks beside it."
        )

    def entries(self) -> list[FilmEntry]:
        """All films in the order of their table; empty where the films are not at hand."""
        return list(self._films().entries.values()) if self.missing() is None else []

    def read(self, film_id: str) -> Radiograph:
        """Read one film.

        Raises:
            CollectionError: the collection has no such film, or the films are not at hand.
            FilmError: the file cannot be read.
        """
        listed = self._films(film_id)
        return replace(read_film(listed.paths[film_id]), view=listed.entries[film_id].view)

    def annotations(self, film_id: str) -> list[Annotation]:
        """The radiologists' masks, one a structure.

        Raises:
            CollectionError: the collection has no such film, or the films are not at hand.
            FilmError, AnnotationError: a file cannot be read.
        """
        film = self.read(film_id)
        return self._films(film_id).masks.annotations(film_id, film.shape, film.stored)

    def _films(self, film_id: str | None = None) -> _Listed:
        folder = _folder()
        if folder is None:
            raise CollectionError(str(self.missing()))
        listed = _listed(folder, (folder / "films.csv").stat().st_mtime_ns)
        if film_id is not None and film_id not in listed.entries:
            raise CollectionError(f"the collection {self.name} has no film {film_id!r}")
        return listed
