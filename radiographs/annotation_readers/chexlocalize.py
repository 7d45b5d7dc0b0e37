"""CheXlocalize's expert masks (Saporta et al., Nature Machine Intelligence 2022)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from radiographs.annotation_readers.geometry import Shape
from radiographs.annotation_readers.json_file import polygon, read_object
from radiographs.annotation_readers.run_lengths import coco_runs, is_empty
from radiographs.annotation_readers.table import AnnotationTable, Outline, collect
from radiographs.errors import AnnotationError
from radiographs.findings import canonical

_READER = "radiologist (CheXlocalize)"


def read_chexlocalize(path: Path) -> AnnotationTable:
    """Read the ground truth of CheXlocalize, as masks or as the polygons that the radiologists drew.

    Args:
        path: ``gt_segmentations_*.json`` (film -> finding -> COCO run-length mask; an empty mask says that the finding
            is absent) or ``gt_annotations_*.json`` (film -> ``img_size`` and finding -> polygons). Films are named
            ``patient64541_study1_view1_frontal``.

    Raises:
        AnnotationError: a key or the file cannot be used.
    """
    return collect(path.name, _pairs(path))


def _pairs(path: Path) -> Iterator[tuple[str, Outline | None]]:
    for image, findings in read_object(path).items():
        if not isinstance(findings, dict):
            raise AnnotationError(f"{path.name}, {image}: expected an object of findings")
        yield image, None
        frame = _img_size(findings.get("img_size"), f"{path.name}, {image}") if "img_size" in findings else None
        for finding, drawn in findings.items():
            where = f"{image}, {finding}"
            if finding == "img_size" or drawn == []:
                continue
            if isinstance(drawn, dict):
                mask = coco_runs(drawn, f"{path.name}, {where}")
                if not is_empty(mask):
                    yield image, Outline(canonical(finding), _READER, mask, mask.size, where)
            else:
                outline = polygon(drawn, f"{path.name}, {where}")
                yield image, Outline(canonical(finding), _READER, outline, frame, where)


def _img_size(given: object, where: str) -> Shape:
    if not isinstance(given, list) or len(given) != 2 or not all(isinstance(n, int) and n > 0 for n in given):
        raise AnnotationError(f"{where}: img_size should be [height, width]")
    return given[0], given[1]
