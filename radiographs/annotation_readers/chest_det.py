"""ChestX-Det's polygons (Lian et al., arXiv 2104.10326; Apache-2.0)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from radiographs.annotation_readers.json_file import polygon, read_list
from radiographs.annotation_readers.table import AnnotationTable, Outline, Pair, collect
from radiographs.errors import AnnotationError
from radiographs.findings import canonical

CHEST_DET_FRAME = (1024, 1024)
READER = "radiologists (ChestX-Det)"


def read_chest_det(path: Path, names: Mapping[str, str] | None = None) -> AnnotationTable:
    """Read ChestX-Det's outlines: polygons by three board-certified radiologists, on 1024 x 1024 pixels.

    Films without a lesion are in the table with nothing outlined: they were read as free of all 13 findings.

    Args:
        path: ``ChestX_Det_train.json`` or ``ChestX_Det_test.json``.
        names: ChestX-Det's file name -> the name by which a film is known here; films that it lacks are left out.
            None: ChestX-Det's own names.

    Raises:
        AnnotationError: the file, or none of its entries, can be used.
    """

    def outlines(entry: object) -> Iterator[Pair]:
        if not isinstance(entry, dict) or not isinstance(entry.get("file_name"), str):
            raise AnnotationError(f"{path.name}: an entry has no file_name")
        image = entry["file_name"]
        if names is not None and image not in names:
            return
        known = image if names is None else names[image]
        yield known, None
        for finding, drawn in _lesions(entry, f"{path.name}, {image}"):
            where = f"{image}, {finding}"
            yield (
                known,
                Outline(canonical(finding), READER, polygon([drawn], f"{path.name}, {where}"), CHEST_DET_FRAME, where),
            )

    return collect(path.name, read_list(path), outlines)


def _lesions(entry: dict, where: str) -> list[tuple[str, object]]:
    findings, polygons = entry.get("syms"), entry.get("polygons")
    if not isinstance(findings, list) or not isinstance(polygons, list) or len(findings) != len(polygons):
        raise AnnotationError(f"{where}: syms and polygons should be lists of one length")
    if not all(isinstance(finding, str) for finding in findings):
        raise AnnotationError(f"{where}: syms should be names of findings")
    return list(zip(findings, polygons, strict=True))


def joined_names(former: Path, renamed: Path) -> dict[str, str]:
    """ChestX-Det's file names -> NIH's, from two versions of ChestX-Det10's table that list the same films in order.

    Args:
        former: the table with NIH's names. renamed: the same table with ChestX-Det's names.

    Raises:
        AnnotationError: the two do not list the same films.
    """
    before, after = read_list(former), read_list(renamed)
    names = {}
    for one, other in zip(before, after, strict=False):
        if not isinstance(one, dict) or not isinstance(other, dict) or one.get("boxes") != other.get("boxes"):
            raise AnnotationError(f"{former.name} and {renamed.name} do not list the same films")
        names[str(other.get("file_name"))] = str(one.get("file_name"))
    if len(before) != len(after):
        raise AnnotationError(f"{former.name} and {renamed.name} do not list the same films")
    return names
