"""A folder of mask images named ``<film>_<finding>.png``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from radiographs.annotation_readers.geometry import MaskFile
from radiographs.annotation_readers.table import AnnotationTable, Outline, collect, film_key
from radiographs.codestreams import MAX_SIDE
from radiographs.errors import AnnotationError, FilmError
from radiographs.findings import canonical
from radiographs.raster import PNG_MAGIC, png_size

_FILM_SUFFIXES = {".png", ".jpg", ".jpeg", ".dcm", ".dicom"}


def read_mask_folder(folder: Path, films: Iterable[str] | None = None, reader: str = "expert") -> AnnotationTable:
    """Match the masks of a folder with films; the masks themselves are opened only when they are asked for.

    A mask belongs to the longest film name that its own name begins with, followed by an underscore; the rest names
    the finding, which may hold underscores itself. Masks are PNG files; what is not 0 is inside.

    Args:
        folder: the folder of masks.
        films: names of the films, with or without suffix; None: the images in ``images`` beside the folder, else
            those in the folder above it.
        reader: who drew the masks.

    Raises:
        AnnotationError: there is no such folder, no mask, no film, or no mask matches any film.
    """
    if not folder.is_dir():
        raise AnnotationError(f"there is no folder {folder.name}")
    names = _films_beside(folder) if films is None else films
    known = sorted({film_key(name) for name in names}, key=lambda name: (-len(name), name))
    if not known:
        raise AnnotationError(f"no film is known that the masks in {folder.name} could belong to")
    pairs: list[tuple[str, Outline | None]] = []
    unmatched = []
    masks = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".png")
    for path in masks:
        film = next((name for name in known if path.stem.startswith(f"{name}_")), None)
        finding = "" if film is None else path.stem[len(film) + 1 :].strip("_ ")
        if film is None or not finding:
            unmatched.append(path.name)
        else:
            pairs.append((film, Outline(canonical(finding), reader, MaskFile(path), where=path.name)))
    if not pairs:
        example = f", such as {masks[0].name}: its name should begin with a film's" if masks else ""
        raise AnnotationError(f"{folder.name} holds no mask named <film>_<finding>.png{example}")
    return collect(folder.name, pairs, tuple(unmatched))


def load_mask(path: Path) -> np.ndarray:
    """Read a mask PNG: (H, W) bool, True where any channel is not 0 (in a palette: not the first colour).

    Raises:
        AnnotationError: it is not a PNG, is damaged or too large.
    """
    try:
        data = path.read_bytes()
        if not data.startswith(PNG_MAGIC):
            raise AnnotationError(f"the mask {path.name} is not a PNG")
        if max(png_size(data)) > MAX_SIDE:
            raise AnnotationError(f"the mask {path.name} has more than {MAX_SIDE} pixels a side")
        with Image.open(path, formats=["PNG"]) as image:
            has_alpha = image.mode in ("LA", "RGBA")
            stored = np.asarray(image)
    except (AnnotationError, FilmError) as error:
        raise AnnotationError(str(error)) from error
    except Exception as error:
        raise AnnotationError(f"the mask {path.name} cannot be opened, or is damaged") from error
    if stored.ndim == 2:
        return stored > 0
    if has_alpha:
        return np.asarray(stored[..., :-1].any(axis=2) & (stored[..., -1] > 0))
    return np.asarray(stored.any(axis=2))


def _films_beside(folder: Path) -> list[str]:
    beside = folder.parent / "images"
    place = beside if beside.is_dir() else folder.parent
    return [path.name for path in sorted(place.iterdir()) if path.suffix.lower() in _FILM_SUFFIXES]
