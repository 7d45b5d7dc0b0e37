"""What lies beside the films of a user's folder: masks, tables of outlines, labels and patients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from radiographs.annotation_readers import AnnotationTable, is_table, read_mask_folder, read_table
from radiographs.annotation_readers.geometry import MaskFile
from radiographs.annotation_readers.matching import match
from radiographs.annotation_readers.table import Outline, most_outlines
from radiographs.collections.folder_labels import SEVERAL, is_label_table, read_labels
from radiographs.decoding.pool import read_mask_file
from radiographs.errors import AnnotationError
from radiographs.film_readers.orientation import Shape, StoredFrame

_MOST_LISTED = 20
Problem = tuple[str, str]


@dataclass(frozen=True)
class FilmFrame:
    """A film's size, and how it lay in its file where it was turned or stretched."""

    shape: Shape
    stored: StoredFrame | None = None


@dataclass(frozen=True)
class FolderRecords:
    """What a folder's tables say of its films, by film id.

    Attributes:
        outlines: those that can be placed on their film. labels: findings said to be present.
        patients: pseudonyms; nothing of a given name is in them.
        problems: (name, reason) of each source, line, outline or mask that cannot be used.
    """

    outlines: Mapping[str, tuple[Outline, ...]]
    labels: Mapping[str, tuple[str, ...]]
    patients: Mapping[str, str]
    problems: tuple[Problem, ...]


def read_records(
    folder: Path, films: Mapping[str, Path], frames: Mapping[str, FilmFrame], patients: Mapping[str, str] | None = None
) -> FolderRecords:
    """Read ``masks/`` and every table of labels or outlines that lies directly in the folder.

    Args:
        folder: the user's folder. films: film id -> file. frames: film id -> its size. patients: film id -> what
            films of one patient share, "" where nothing is known; what tables of labels say goes before it.
    """
    ids = {path.relative_to(folder).as_posix(): film_id for film_id, path in films.items()}
    problems: list[Problem] = []
    outlines: dict[str, list[Outline]] = {film_id: [] for film_id in films}
    for source, table in _tables(folder, list(ids), problems):
        found = match(table.outlines, ids)
        problems += _listed(source, [_without(problem, table.source) for problem in table.problems])
        problems += [(f"{source}/{mask}", "the mask belongs to no film of the folder") for mask in table.unmatched]
        problems += _listed(source, [f"{image}: the folder has no such film" for image in found.unknown])
        problems += _listed(source, [f"{image}: {SEVERAL}" for image in found.ambiguous])
        for film, name in found.names.items():
            film_id = ids[film]
            usable, refused = _usable(table.outlines[name], frames[film_id])
            outlines[film_id] += usable
            problems += [(source, f"{film}, {problem}") for problem in refused]
    labels, named, sentences = read_labels(folder, ids)
    for source, said in sentences.items():
        problems += _listed(source, [_without(problem, source) for problem in said])
    given = {film_id: shared for film_id, shared in (patients or {}).items() if shared} | named
    first: dict[str, str] = {}
    for film_id in sorted(given):
        first.setdefault(given[film_id], film_id)
    pseudonyms = {film_id: f"patient-{first[name]}" for film_id, name in given.items()}
    return FolderRecords({i: tuple(found) for i, found in outlines.items()}, labels, pseudonyms, tuple(problems))


def _tables(folder: Path, films: list[str], problems: list[Problem]) -> Iterator[tuple[str, AnnotationTable]]:
    """The folder's masks and tables that can be read, by name."""
    tables = sorted(p for p in folder.iterdir() if p.is_file() and is_table(p) and not p.name.startswith("."))
    for path in (folder / "masks", *tables):
        if not path.exists() or (path.is_file() and is_label_table(path)):
            continue
        try:
            if path.is_dir():
                yield path.name, read_mask_folder(path, films)
            else:
                yield path.name, read_table(path)
        except AnnotationError as error:
            problems.append((path.name, str(error)))


def _usable(outlines: tuple[Outline, ...], frame: FilmFrame) -> tuple[list[Outline], list[str]]:
    """The outlines that can be placed on a film, and why the others cannot."""
    usable: list[Outline] = []
    refused: list[str] = []
    most = most_outlines(frame.shape)
    if len(outlines) > most:
        refused.append(f"only the first {most} of {len(outlines):,} outlines are read")
    for outline in outlines[:most]:
        try:
            outline.check(frame.shape, frame.stored)
            if isinstance(outline.geometry, MaskFile):
                state = outline.geometry.path.stat()
                _check_mask(outline.geometry.path, state.st_size, state.st_mtime_ns)
            usable.append(outline)
        except (AnnotationError, OSError) as error:
            refused.append(str(error))
    return usable, refused


@lru_cache(maxsize=65536)
def _check_mask(path: Path, _size: int, _changed_ns: int) -> None:
    read_mask_file(path)


def _listed(source: str, sentences: list[str]) -> list[Problem]:
    """Sentences about one source, those beyond the first few in a single one."""
    shown = [(source, sentence) for sentence in sentences[:_MOST_LISTED]]
    left = len(sentences) - len(shown)
    return [*shown, (source, f"{left:,} more lines of this kind")] if left else shown


def _without(problem: str, source: str) -> str:
    return problem.removeprefix(f"{source}, ").removeprefix(f"{source}: ")
