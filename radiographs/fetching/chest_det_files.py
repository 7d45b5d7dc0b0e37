"""Where ChestX-Det's outlines come from, and how they are joined to the names of NIH's films.

ChestX-Det (Lian et al., arXiv 2104.10326) outlines films of ChestX-ray14 under names of its own. Its forerunner
ChestX-Det10 (Liu et al., arXiv 2006.10550) listed most of them under NIH's names at first and later, in the same order,
under ChestX-Det's: two versions of one table join the two.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np

from radiographs.annotation_readers import AnnotationTable, Outline, joined_names, read_chest_det
from radiographs.annotation_readers.chest_det import CHEST_DET_FRAME, READER
from radiographs.annotation_readers.geometry import Polygon
from radiographs.annotation_readers.table import film_key
from radiographs.errors import AnnotationError
from radiographs.fetching.downloads import Download
from radiographs.findings import canonical
from radiographs.places import data_folder, home_folder

_RAW = "https://raw.githubusercontent.com/Deepwise-AILab"
_DET = "ChestX-Det-Dataset/d82eb07e66aae1423ba2502522bafaf10cdceb0d"
_FORMER = "ChestX-Det10-Dataset/0a9d918fc2974369b7346598eacdff5e5fb9f28c"
_RENAMED = "ChestX-Det10-Dataset/ae47ddf02cd7d3944d3cdd49211d18c0e5505028"
_FILES = {
    "outlines-train.json": (
        f"{_DET}/ChestX_Det_train.json", 2163730, "1de7dc214e1436e37868b0f035c1c000da3510ea86dac6621fe412d542eabd3c"
    ),
    "outlines-test.json": (
        f"{_DET}/ChestX_Det_test.json", 430181, "c511a004504a137ba9e31968d5226f7f436ac08a2b6940d5f1b77f78855ba532"
    ),
    "former-train.json": (
        f"{_FORMER}/train.json", 415037, "9eeab175d3e6428397e83f01e674b55fda23486a78d491efcc12abfd36c8e7ac"
    ),
    "former-test.json": (
        f"{_FORMER}/test.json", 83251, "992309b7b4798f0ec23f2e09f67583e53859a6a447b9ce249cc0e1d99a98fe05"
    ),
    "renamed-train.json": (
        f"{_RENAMED}/train.json", 394030, "8e9dd7123bdd9e5ce8d8cd7bd304fd24afdf0081930654b82c2003422d59de9c"
    ),
    "renamed-test.json": (
        f"{_RENAMED}/test.json", 79457, "c18482a77111186789c67d836db27a522c717cdb638eff59bc463362a60a46f1"
    ),
}  # fmt: skip
_EMPTY = AnnotationTable("ChestX-Det", {})


def chest_det_folder() -> Path:
    """Where fetched outlines lie."""
    return home_folder() / "chestx-det"


def chest_det_downloads(base_url: str | None = None) -> list[Download]:
    """The six tables, to be put into :func:`chest_det_folder`.

    Args:
        base_url: where they are served under the paths that they have in their repositories; None for GitHub.
    """
    folder, base = chest_det_folder(), (base_url or _RAW).rstrip("/")
    return [Download(f"{base}/{path}", folder / name, digest, size) for name, (path, size, digest) in _FILES.items()]


def chest_det_readings() -> AnnotationTable:
    """ChestX-Det's outlines by NIH's film names; an empty table where they are not on this machine.

    They come from ``XAI_LIGHTBOX_DATA``/chestxdet_nih/annotations.json, else from what ``lightbox fetch`` downloaded.
    """
    data = data_folder()
    joined = data / "chestxdet_nih" / "annotations.json" if data is not None else None
    if joined is not None and joined.is_file():
        return _joined_at_hand(joined, joined.stat().st_mtime_ns)
    folder = chest_det_folder()
    if not all((folder / name).is_file() for name in _FILES):
        return _EMPTY
    return _fetched(folder, folder.stat().st_mtime_ns)


@cache
def _joined_at_hand(path: Path, _changed_ns: int) -> AnnotationTable:
    """A table that was joined before: image, lesions (finding, polygon)."""
    outlines = {}
    for film in json.loads(path.read_text(encoding="utf-8")):
        lesions = [(lesion["finding"], lesion["polygon"]) for lesion in film["lesions"]]
        outlines[film_key(film["image"])] = tuple(
            Outline(canonical(finding), READER, Polygon((np.array(ring, dtype=np.float64),)), CHEST_DET_FRAME, finding)
            for finding, ring in lesions
        )
    return AnnotationTable("ChestX-Det", outlines)


@cache
def _fetched(folder: Path, _changed_ns: int) -> AnnotationTable:
    names = shared_names(folder)
    tables = [read_chest_det(folder / f"outlines-{part}.json", names) for part in ("train", "test")]
    return AnnotationTable("ChestX-Det", {film: found for table in tables for film, found in table.outlines.items()})


def shared_names(folder: Path) -> dict[str, str]:
    """ChestX-Det's file names -> NIH's, from the fetched tables.

    Raises:
        AnnotationError: the tables do not belong together.
    """
    parts: Iterable[str] = ("train", "test")
    try:
        joined = [joined_names(folder / f"former-{part}.json", folder / f"renamed-{part}.json") for part in parts]
    except AnnotationError as error:
        raise AnnotationError(f"{error}; remove {folder} and fetch again") from error
    return {name: nih for part in joined for name, nih in part.items()}
