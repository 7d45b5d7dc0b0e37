"""COCO's JSON of polygons, run-length masks and boxes (Lin et al., ECCV 2014)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from radiographs.annotation_readers.geometry import Box, Geometry, Shape
from radiographs.annotation_readers.json_file import polygon, read_object
from radiographs.annotation_readers.run_lengths import coco_runs, is_empty
from radiographs.annotation_readers.table import AnnotationTable, Outline, collect, film_key
from radiographs.errors import AnnotationError
from radiographs.findings import canonical


def read_coco(path: Path, reader: str = "expert") -> AnnotationTable:
    """Read a COCO instance file: ``images``, ``categories`` and ``annotations``.

    ``segmentation`` may be polygons, or a run-length mask with counts as a list or compressed; without it, ``bbox``
    (x, y, width, height) is the outline. Width and height of an image are the frame that it was drawn in. Every film of
    ``images`` is in the table, also those with nothing outlined.

    Args:
        path: the JSON file.
        reader: who drew the outlines.

    Raises:
        AnnotationError: a key or the file cannot be used, or two images have the same file name.
    """
    content = read_object(path)
    images, frames = _images(path.name, _entries(path.name, content, "images"))
    names = {entry.get("id"): entry.get("name") for entry in _entries(path.name, content, "categories")}
    pairs: list[tuple[str, Outline | None]] = [(name, None) for name in images.values()]
    pairs.extend(_outlines(path.name, _entries(path.name, content, "annotations"), images, frames, names, reader))
    return collect(path.name, pairs)


def _entries(source: str, content: dict[str, object], key: str) -> list[dict]:
    entries = content.get(key)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise AnnotationError(f"{source}: {key} should be a list of objects, as in COCO's instance files")
    for entry in entries:
        if not isinstance(entry.get("id", 0), int | str):
            raise AnnotationError(f"{source}: an id in {key} is neither a number nor text")
    return entries


def _images(source: str, entries: list[dict]) -> tuple[dict[int | str, str], dict[int | str, Shape | None]]:
    """Id of each image -> its file name, and -> its frame."""
    names: dict[int | str, str] = {}
    frames: dict[int | str, Shape | None] = {}
    seen = set()
    for entry in entries:
        name, height, width = entry.get("file_name"), entry.get("height"), entry.get("width")
        if not isinstance(name, str) or not film_key(name) or "id" not in entry:
            raise AnnotationError(f"{source}: an image has no id or no file_name")
        if film_key(name) in seen:
            raise AnnotationError(f"{source}: two images are called {film_key(name)}; give them different names")
        seen.add(film_key(name))
        names[entry["id"]] = name
        frames[entry["id"]] = None
        if isinstance(height, int) and isinstance(width, int) and height > 0 and width > 0:
            frames[entry["id"]] = (height, width)
    return names, frames


def _outlines(
    source: str,
    entries: list[dict],
    images: dict[int | str, str],
    frames: dict[int | str, Shape | None],
    names: dict,
    reader: str,
) -> Iterator[tuple[str, Outline | None]]:
    for number, entry in enumerate(entries, start=1):
        where = f"annotation {entry.get('id', number)}"
        image, category = entry.get("image_id"), entry.get("category_id")
        if not isinstance(image, int | str) or image not in images:
            raise AnnotationError(f"{source}, {where}: there is no image of that image_id")
        if not isinstance(category, int | str) or not isinstance(names.get(category), str):
            raise AnnotationError(f"{source}, {where}: there is no category of that category_id")
        geometry, frame = _geometry(entry, frames[image], f"{source}, {where}")
        yield images[image], Outline(canonical(names[category]), reader, geometry, frame, where)


def _geometry(entry: dict, frame: Shape | None, where: str) -> tuple[Geometry, Shape | None]:
    drawn = entry.get("segmentation")
    if isinstance(drawn, dict):
        mask = coco_runs(drawn, where)
        if is_empty(mask):
            raise AnnotationError(f"{where}: the mask is empty")
        return mask, mask.size
    if drawn:
        return polygon(drawn, where), frame
    return _box(entry.get("bbox"), where), frame


def _box(given: object, where: str) -> Box:
    try:
        if not isinstance(given, list):
            raise ValueError("no box")
        x, y, width, height = (float(number) for number in given)
    except (TypeError, ValueError) as error:
        raise AnnotationError(f"{where}: expected a segmentation, or bbox as [x, y, width, height]") from error
    if not all(math.isfinite(number) for number in (x, y, width, height)) or width <= 0 or height <= 0:
        raise AnnotationError(f"{where}: the box is empty")
    return Box(x, y, width, height)
