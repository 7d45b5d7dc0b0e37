"""Maps that other code made, by film and finding: a folder, a CSV table of files, or CheXlocalize's predictions."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from classifiers import ChestClassifier
from evaluation.one_film.map_files import MAP_SUFFIXES, MapError, RawMap, read_raw_map, size_words
from radiographs import Radiograph
from radiographs.annotation_readers.geometry import Runs
from radiographs.annotation_readers.json_file import read_object
from radiographs.annotation_readers.matching import FilmNames, match
from radiographs.annotation_readers.rows import read_rows
from radiographs.annotation_readers.run_lengths import coco_runs
from radiographs.annotation_readers.table import path_key
from radiographs.collection import Collection
from radiographs.collections.folder import FolderCollection
from radiographs.errors import AnnotationError
from radiographs.film_readers.orientation import resample_pixels
from radiographs.findings import canonical, display_name

_COLUMNS = {
    "film": ("film", "image", "image_id", "file_name", "filename"),
    "finding": ("finding", "label", "task", "pathology", "class_name"),
    "map": ("map", "map_file", "file", "path"),
}
MapPlace = Path | Runs
"""Where a map lies: a file, or a run-length mask."""


class NoMapError(LookupError):
    """There is no map of a film and finding."""


@dataclass(frozen=True, eq=False)
class ExternalMaps:
    """Maps of one collection's films that other code made.

    Attributes:
        source: name of the folder or table. maps: by film id and finding. unmatched: names that fit no film.
    """

    source: str
    maps: Mapping[tuple[str, str], MapPlace]
    unmatched: tuple[str, ...] = ()

    def find(self, film_id: str, finding: str) -> MapPlace:
        """Where the map of a film and finding lies.

        Raises:
            NoMapError: there is none.
        """
        found = self.maps.get((film_id, canonical(finding)))
        if found is None:
            raise NoMapError(f"there is no map of {display_name(finding).lower()} for this film")
        return found


def film_names(collection: Collection) -> dict[str, str]:
    """Names of a collection's films, as files may be called after them, to their ids."""
    found = {path_key(entry.film_id): entry.film_id for entry in collection.entries()}
    if isinstance(collection, FolderCollection):
        found |= {path_key(name): film_id for film_id, name in collection.display_names().items()}
    return found


def open_maps(path: Path, films: Mapping[str, str]) -> ExternalMaps:
    """List the maps of other code; none is opened.

    Args:
        path: a folder of files ``<film>_<finding>`` (.npz, .npy or .png, also in folders below it); a CSV table with
            the columns film, finding and map (a file, relative to the table); or the predicted segmentations of
            CheXlocalize (JSON: film -> finding -> run-length mask).
        films: name to id, see :func:`film_names`.

    Raises:
        MapError: it is not there, cannot be read, holds no map, or two of one film and finding.
    """
    try:
        listed = list(_listed(path, films))
    except AnnotationError as error:
        raise MapError(str(error)) from error
    found: dict[tuple[str, str], MapPlace] = {}
    names: dict[tuple[str, str], str] = {}
    unmatched = []
    for name, key, place in listed:
        if key is None:
            unmatched.append(name)
        elif key in found:
            raise MapError(f"{path.name}: {names[key]} and {name} are maps of one film and finding; leave one")
        else:
            found[key], names[key] = place, name
    if not found:
        example = f"; {unmatched[0]} fits none" if unmatched else ""
        raise MapError(
            f"{path.name} holds no map of a film of this collection{example}. Name maps <film>_<finding>.npz (or .npy, "
            ".png), with the film's name or id as lightbox films lists it"
        )
    return ExternalMaps(path.name, found, tuple(unmatched))


def _listed(path: Path, films: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, str] | None, MapPlace]]:
    """Name of each map, film id and finding (None where no film fits), and where it lies."""
    if path.is_dir():
        names = FilmNames(films)
        for file in map_files(path):
            inside = file.relative_to(path).as_posix()
            split = names.split(inside)
            yield inside, None if split is None else (films[split[0]], canonical(split[1])), file
    elif not path.is_file():
        raise MapError(f"there are no maps at {path}; give a folder, a CSV table or a JSON file")
    elif path.suffix.lower() == ".json":
        yield from _predictions(path, films)
    else:
        rows = list(read_rows(path, _COLUMNS))
        places = _places((row.name("film") for row in rows), films)
        for row in rows:
            film_id = places.get(path_key(row.name("film")))
            key = None if film_id is None else (film_id, canonical(row.name("finding")))
            yield row.name("map"), key, path.parent / row.name("map")


def _predictions(path: Path, films: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, str] | None, MapPlace]]:
    content = read_object(path)
    places = _places(content, films)
    for film, findings in content.items():
        if not isinstance(findings, dict):
            raise MapError(f"{path.name}, {film}: expected findings, each with a run-length mask")
        for finding, mask in findings.items():
            film_id, where = places.get(path_key(film)), f"{film}, {finding}"
            place = coco_runs(mask, f"{path.name}, {where}")
            yield where, None if film_id is None else (film_id, canonical(finding)), place


def _places(names: Iterable[str], films: Mapping[str, str]) -> dict[str, str]:
    """The ids of films that a table names, by :func:`path_key`."""
    keys = dict.fromkeys(path_key(name) for name in names)
    return {name: films[film] for film, name in match(keys, films).names.items()}


def map_files(folder: Path) -> list[Path]:
    """The files in a folder, and in those below it, that may be maps, in the order of their names."""
    found = (Path(root, name) for root, _, names in os.walk(folder) for name in names if not name.startswith("."))
    return sorted(path for path in found if path.suffix.lower() in MAP_SUFFIXES)


def maps_digest(path: Path) -> str:
    """Sixteen hexadecimal digits of the content of all maps at ``path``: other maps are another set of parameters.

    Raises:
        MapError: a file cannot be read.
    """
    try:
        files = map_files(path) if path.is_dir() else [path, *_named_files(path)]
        return _digest(path, tuple((file, file.stat().st_size, file.stat().st_mtime_ns) for file in files))
    except (OSError, AnnotationError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        raise MapError(f"the maps at {path} cannot be read: {words}") from error


def _named_files(table: Path) -> list[Path]:
    if table.suffix.lower() == ".json":
        return []
    return [table.parent / row.name("map") for row in read_rows(table, _COLUMNS)]


@lru_cache(maxsize=32)
def _digest(path: Path, files: tuple[tuple[Path, int, int], ...]) -> str:
    whole = hashlib.sha256()
    for file, _, _ in files:
        with file.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").digest()
        whole.update(os.path.relpath(file, path).encode(errors="replace") + content)
    return whole.hexdigest()[:16]


@dataclass(frozen=True, eq=False)
class PlacedMap:
    """A map of a film: (H, W) in the film's own pixels, and (S, S) float32 on a model's input grid."""

    on_film: np.ndarray
    on_grid: np.ndarray | None


def place_map(place: MapPlace, finding: str, film: Radiograph, classifier: ChestClassifier | None = None) -> PlacedMap:
    """Read a map of other code and bring it to the film.

    The map has the film's own pixels or those of the model's input grid. Where the film was turned or stretched when
    it was read, a map of the size of the picture in the file is taken to lie as that does, as outlines are; a map that
    ``lightbox explain`` wrote lies as the film hangs.

    Raises:
        MapError: it cannot be read, has another size, or says that it is of another film, finding or model.
    """
    frames = [film.shape, *([] if classifier is None else [(classifier.side, classifier.side)])]
    name = place.name if isinstance(place, Path) else "the predicted mask"
    raw = read_raw_map(place, frames) if isinstance(place, Path) else RawMap(place.full().astype(np.float32))
    _refuse_others(raw, name, finding, film, classifier)
    shape, stored = raw.values.shape, film.stored
    lies_as_file = stored is not None and "film" not in raw.facts and not (stored.shown_turned and shape == film.shape)
    if stored is not None and lies_as_file and shape == stored.shape:
        turned = np.ascontiguousarray(stored.turn.apply(raw.values))
        on_film = turned if turned.shape == film.shape else resample_pixels(turned, film.shape)
    elif shape == film.shape:
        on_film = raw.values
    elif classifier is not None and shape == frames[1]:
        grid = raw.values.astype(np.float32)
        return PlacedMap(classifier.to_film(grid, film), grid)
    else:
        grid_words = "" if classifier is None else f" or those of the model's input grid ({size_words(frames[1])})"
        raise MapError(
            f"{name} has {size_words(shape)} pixels (rows x columns); a map has the film's own pixels "
            f"({size_words(film.shape)}){grid_words}. Resize it where it is made, so that it is known how"
        )
    return PlacedMap(on_film, None if classifier is None else classifier.preprocessing.prepare_map(on_film))


def _refuse_others(raw: RawMap, name: str, finding: str, film: Radiograph, classifier: ChestClassifier | None) -> None:
    """Refuse a map that says of itself that it is of something else."""
    facts = raw.facts
    if facts.get("film", film.digest) != film.digest:
        raise MapError(f"{name} says that it was made of another film; name it after the film it is of")
    if canonical(str(facts.get("finding", finding))) != canonical(finding):
        raise MapError(f"{name} says that it is of {facts['finding']}; name it after the finding it is of")
    if classifier is not None and facts.get("classifier", classifier.digest) != classifier.digest:
        raise MapError(f"{name} says that it explains another model than {classifier.name}; leave it out of this plan")
