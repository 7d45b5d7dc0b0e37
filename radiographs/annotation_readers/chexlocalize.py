"""CheXlocalize's expert masks (Saporta et al., Nature Machine Intelligence 2022)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from radiographs.annotation_readers.geometry import FARTHEST
from radiographs.annotation_readers.json_file import polygon, read_object
from radiographs.annotation_readers.run_lengths import coco_runs, is_empty
from radiographs.annotation_readers.table import AnnotationTable, Outline, Pair, collect
from radiographs.errors import AnnotationError
from radiographs.film_readers.orientation import Shape
from radiographs.findings import canonical

_READER = "radiologist (CheXlocalize)"


def read_chexlocalize(path: Path) -> AnnotationTable:
    """Read the ground truth of CheXlocalize, as masks or as the polygons that the radiologists drew.

    Args:
        path: ``gt_segmentations_*.json`` (film -> finding -> COCO run-length mask; an empty mask says that the finding
            is absent) or ``gt_annotations_*.json`` (film -> ``img_size`` and finding -> polygons). Films are named
            ``patient64541_study1_view1_frontal``.

    Raises:
        AnnotationError: the file, or none of its keys, can be used.
    """
    items = read_object(path).items()
    lines = [(path.name, image, finding, drawn) for image, found in items for finding, drawn in _findings(found)]
    frames = {image: found.get("img_size") for image, found in items if isinstance(found, dict)}
    return collect(path.name, lines, lambda line: _outlines(*line, frames.get(line[1])))


def _findings(found: object) -> list[tuple[str, object]]:
    """Findings with what was drawn, the film itself first (as None)."""
    if not isinstance(found, dict):
        return [("", found)]
    return [("", None), *((name, drawn) for name, drawn in found.items() if name != "img_size")]


def _outlines(source: str, image: str, finding: str, drawn: object, img_size: object) -> Iterator[Pair]:
    where = f"{image}, {finding}"
    if not finding:
        if drawn is not None:
            raise AnnotationError(f"{source}, {image}: expected an object of findings")
        yield image, None
    elif isinstance(drawn, dict):
        mask = coco_runs(drawn, f"{source}, {where}")
        if not is_empty(mask):
            yield image, Outline(canonical(finding), _READER, mask, mask.size, where)
    elif drawn != []:
        outline = polygon(drawn, f"{source}, {where}")
        frame = _img_size(img_size, f"{source}, {image}") if img_size is not None else None
        yield image, Outline(canonical(finding), _READER, outline, frame, where)


def _img_size(given: object, where: str) -> Shape:
    if (
        not isinstance(given, list)
        or len(given) != 2
        or not all(isinstance(n, int) and 0 < n <= FARTHEST for n in given)
    ):
        raise AnnotationError(f"{where}: img_size should be [height, width]")
    return given[0], given[1]
