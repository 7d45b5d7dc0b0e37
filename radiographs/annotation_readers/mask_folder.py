"""A folder of mask images named ``<film>_<finding>.png``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from radiographs.annotation_readers.geometry import MaskFile
from radiographs.annotation_readers.matching import FilmNames
from radiographs.annotation_readers.table import AnnotationTable, Outline, Pair, collect
from radiographs.errors import AnnotationError
from radiographs.film_readers.mask_images import MASK_SUFFIXES
from radiographs.findings import canonical

_FILM_SUFFIXES = {".png", ".jpg", ".jpeg", ".dcm", ".dicom"}


def read_mask_folder(folder: Path, films: Iterable[str] | None = None, reader: str = "expert") -> AnnotationTable:
    """Match the masks of a folder, and of those below it, with films; masks are opened only when they are needed.

    A mask belongs to the longest film name that its own name begins with, followed by an underscore; the rest names
    the finding, which may hold underscores itself. Where films in different folders share a name, the mask's own
    folders decide. Masks are PNG, JPEG, BMP or TIFF images (see :mod:`radiographs.film_readers.mask_images`).

    Args:
        folder: the folder of masks.
        films: names of the films, with folders where names are shared, with or without suffix; None: the images in
            ``images`` beside the folder, else those in the folder above it.
        reader: who drew the masks.

    Raises:
        AnnotationError: there is no such folder, no mask, no film, or no mask matches any film.
    """
    if not folder.is_dir():
        raise AnnotationError(f"there is no folder {folder.name}")
    known = FilmNames(_films_beside(folder) if films is None else films)
    if not known:
        raise AnnotationError(f"no film is known that the masks in {folder.name} could belong to")
    unmatched: list[str] = []

    def outlines(path: Path) -> Iterator[Pair]:
        inside = path.relative_to(folder).as_posix()
        if path.suffix.lower() not in MASK_SUFFIXES:
            raise AnnotationError(f"{folder.name}/{inside}: not a mask; masks are PNG, JPEG, BMP or TIFF images")
        found = known.split(inside)
        if found is None:
            unmatched.append(inside)
            return
        film, finding = found
        yield film, Outline(canonical(finding), reader, MaskFile(path), where=inside)

    masks = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    made = collect(folder.name, masks, outlines)
    if not made.outlines:
        example = f", such as {masks[0].name}: its name should begin with a film's" if masks else ""
        raise AnnotationError(f"{folder.name} holds no mask named <film>_<finding>.png{example}")
    return replace(made, unmatched=tuple(unmatched))


def _films_beside(folder: Path) -> list[str]:
    beside = folder.parent / "images"
    place = beside if beside.is_dir() else folder.parent
    return [path.name for path in sorted(place.iterdir()) if path.suffix.lower() in _FILM_SUFFIXES]
