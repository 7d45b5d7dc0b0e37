"""COCO's JSON of polygons, run-length masks and boxes (Lin et al., ECCV 2014)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from radiographs.annotation_readers.geometry import FARTHEST, Box, Geometry
from radiographs.annotation_readers.json_file import polygon, read_object
from radiographs.annotation_readers.run_lengths import coco_runs, is_empty
from radiographs.annotation_readers.table import AnnotationTable, Outline, Pair, collect, film_key, path_key
from radiographs.errors import AnnotationError
from radiographs.film_readers.orientation import Shape
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
        AnnotationError: the file, or none of its annotations, can be used, or two images have the same path.
    """
    content = read_object(path)
    names, frames = _images(path.name, _entries(path.name, content, "images"))
    categories = {entry.get("id"): entry.get("name") for entry in _entries(path.name, content, "categories")}
    entries = list(enumerate(_entries(path.name, content, "annotations"), start=1))

    def outlines(line: tuple[int, dict]) -> Iterator[Pair]:
        where = f"annotation {line[1].get('id', line[0])}"
        image, category = line[1].get("image_id"), line[1].get("category_id")
        if not isinstance(image, int | str) or image not in names:
            raise AnnotationError(f"{path.name}, {where}: there is no image of that image_id")
        if not isinstance(category, int | str) or not isinstance(categories.get(category), str):
            raise AnnotationError(f"{path.name}, {where}: there is no category of that category_id")
        geometry, frame = _geometry(line[1], frames[image], f"{path.name}, {where}")
        yield names[image], Outline(canonical(categories[category]), reader, geometry, frame, where)

    made = collect(path.name, entries, outlines)
    looked_at = {path_key(name): () for name in names.values()}
    return replace(made, outlines=looked_at | dict(made.outlines))


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
        if path_key(name) in seen:
            raise AnnotationError(f"{source}: two images are called {path_key(name)}; give them different names")
        seen.add(path_key(name))
        names[entry["id"]] = name
        frames[entry["id"]] = None
        if isinstance(height, int) and isinstance(width, int) and 0 < height <= FARTHEST and 0 < width <= FARTHEST:
            frames[entry["id"]] = (height, width)
    return names, frames


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
    except (TypeError, ValueError, OverflowError) as error:
        raise AnnotationError(f"{where}: expected a segmentation, or bbox as [x, y, width, height]") from error
    if not all(math.isfinite(number) for number in (x, y, width, height)) or width <= 0 or height <= 0:
        raise AnnotationError(f"{where}: the box is empty")
    if max(abs(x), abs(y), width, height) > FARTHEST:
        raise AnnotationError(f"{where}: the box lies outside any film")
    return Box(x, y, width, height)
