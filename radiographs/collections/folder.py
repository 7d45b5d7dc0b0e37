"""A folder of the user's own: films, and what somebody outlined on them."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from radiographs.annotation import Annotation
from radiographs.annotation_readers.matching import patient_in_path
from radiographs.collection import Collection, CollectionCard, FilmEntry
from radiographs.collections.folder_tables import FilmFrame, FolderRecords, read_records
from radiographs.decoding.pool import DECODERS, read_film, read_film_and_patient
from radiographs.errors import AnnotationError, CollectionError, FilmError
from radiographs.plain_text import neutral
from radiographs.radiograph import Radiograph
from radiographs.reading import film_bytes

_NOT_FILMS = frozenset({".csv", ".tsv", ".json", ".txt", ".md", ".xlsx"})
_PACKED_TABLES = (".csv.gz", ".json.gz", ".csv.zip")
_DICOMDIR = "DICOMDIR"
_ID_LENGTH = 12
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FolderScan:
    """What a folder holds, for the person who pointed at it; the names are for their screen alone.

    Attributes:
        read: names of the films, relative to the folder.
        refused: (name, reason) of films, masks and tables that cannot be used.
    """

    read: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Stamp:
    """A file as it was when it was looked at."""

    path: Path
    size: int
    changed_ns: int


@dataclass(frozen=True)
class _Content:
    """What was found in a folder: files by film id, what the tables say, and what was refused."""

    paths: dict[str, Path]
    records: FolderRecords
    refused: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Look:
    """What one file is: a film with its id, size and patient's digest, or the reason why it is none."""

    film_id: str = ""
    frame: FilmFrame | None = None
    reason: str = ""
    patient: str = ""


class FolderCollection(Collection):
    """Any folder of films (PNG, JPEG, DICOM by content, also in subfolders), with what lies beside them.

    Outlines come from ``masks/<film>_<finding>.png`` and from every table of a known format (see
    :func:`radiographs.annotation_readers.read_table`); labels and patients from ``films.csv`` (image, labels separated
    by ``|``, patient) or a published data set's (see :mod:`radiographs.collections.folder_labels`). All of these lie
    directly in the folder.
    A line or an outline that cannot be used is named and costs itself alone. A film's id is made from its content, so
    that file names stay on this machine. Where no table names the patient, films are of one patient whose DICOM files
    say so, or that lie under one name like ``patient0123``; a patient's pseudonym is made from the ids of their films.
    """

    name = "folder"
    card = CollectionCard(
        title="A folder of yours",
        summary="Films in a folder on this machine.",
        annotators="Whoever outlined the findings in this folder.",
        licence="Yours to know",
        citation="None",
    )

    def __init__(self, path: Path | str, name: str = "folder", title: str = "") -> None:
        self._path = Path(os.path.expanduser(path)).resolve()
        self.name = name  # type: ignore[misc]
        self.card = CollectionCard(  # type: ignore[misc]
            title=neutral(title or self._path.name or str(self._path)),
            summary=FolderCollection.card.summary,
            annotators=FolderCollection.card.annotators,
            licence=FolderCollection.card.licence,
            citation=FolderCollection.card.citation,
        )
        self._lock = threading.Lock()
        self._looked_at: dict[_Stamp, _Look] = {}
        self._content: tuple[list[_Stamp], _Content] | None = None

    @property
    def path(self) -> Path:
        """The folder: for the user's own screen, never for a link or a result."""
        return self._path

    def adopt(self, other: FolderCollection) -> None:
        """Take over which files of the same folder ``other`` has looked at, so that they are not read again."""
        with self._lock:
            self._looked_at |= other._looked_at

    def missing(self) -> str | None:
        """None where the folder is there; else one sentence that says what to do."""
        if os.path.isdir(self._path):
            return None
        return f"The folder {self._path} is not there; put it back, or take {self.name} off the list of your folders."

    def scan(self) -> FolderScan:
        """Look at every file: which are films, and which are refused and why.

        Raises:
            CollectionError: the folder is not there.
        """
        content = self._look()
        read = tuple(sorted(self._relative(path) for path in content.paths.values()))
        return FolderScan(read, content.refused)

    def display_name(self, film_id: str) -> str:
        """The film's file name, relative to the folder: for the user's screen alone, never for a link or a result.

        Raises:
            CollectionError: the folder has no such film.
        """
        return self._relative(self._file(film_id))

    def display_names(self) -> dict[str, str]:
        """The :meth:`display_name` of every film by its id; empty where the folder is not there."""
        if self.missing() is not None:
            return {}
        return {film_id: self._relative(path) for film_id, path in self._look().paths.items()}

    def film_id_of(self, path: Path) -> str | None:
        """The id of the film in this file; None where the folder holds no such film."""
        given = path.resolve()
        if self.missing() is not None or self._path not in given.parents:
            return None
        return next((film_id for film_id, known in self._look().paths.items() if known == given), None)

    def entries(self) -> list[FilmEntry]:
        """All films in the order of their names; empty where the folder is not there."""
        if self.missing() is not None:
            return []
        content = self._look()
        return [self._line(film_id, content) for film_id in content.paths]

    def read(self, film_id: str) -> Radiograph:
        """Read one film.

        Raises:
            CollectionError: the folder has no such film.
            FilmError: the file cannot be read.
        """
        return read_film(self._file(film_id))

    def annotations(self, film_id: str) -> list[Annotation]:
        """What was outlined on one film, in the film's own pixels.

        Raises:
            CollectionError: the folder has no such film.
            FilmError: the film's file cannot be read.
        """
        outlines = self._look().records.outlines.get(film_id, ())
        if not outlines:
            self._file(film_id)
            return []
        film = self.read(film_id)
        drawn = []
        for outline in outlines:
            try:
                mask = outline.place(film.shape, film.stored)
            except AnnotationError as error:
                _log.warning("an outline of %s is left out: %s", self.name, type(error).__name__)
                continue
            if mask.any():
                drawn.append(Annotation(outline.finding, mask, outline.kind, outline.reader))
        return drawn

    def _line(self, film_id: str, content: _Content) -> FilmEntry:
        records = content.records
        return FilmEntry(
            film_id=film_id,
            labels=records.labels.get(film_id, ()),
            annotated=tuple(sorted({outline.finding for outline in records.outlines.get(film_id, ())})),
            patient=records.patients.get(film_id, film_id),
        )

    def _relative(self, path: Path) -> str:
        # A name of bytes that are no UTF-8 could be neither shown nor written.
        return path.relative_to(self._path).as_posix().encode(errors="replace").decode()

    def _file(self, film_id: str) -> Path:
        path = self._look().paths.get(film_id)
        if path is None:
            raise CollectionError(f"the collection {self.name} has no film {film_id!r}")
        return path

    def _look(self) -> _Content:
        """The folder's content; looked at again only where a file was added, changed or taken away."""
        missing = self.missing()
        if missing:
            raise CollectionError(missing)
        with self._lock:
            stamps = _stamps(self._path)
            if self._content is None or self._content[0] != stamps:
                self._content = (stamps, self._look_at(stamps))
            return self._content[1]

    def _look_at(self, stamps: list[_Stamp]) -> _Content:
        candidates = [stamp for stamp in stamps if self._may_be_film(stamp.path)]
        fresh = [stamp for stamp in candidates if stamp not in self._looked_at]
        # One decoder is left to the people who wait for a film.
        with ThreadPoolExecutor(min(4, DECODERS - 1), thread_name_prefix="scan") as pool:
            self._looked_at |= dict(zip(fresh, pool.map(_look_at_file, fresh)))
        paths: dict[str, Path] = {}
        frames: dict[str, FilmFrame] = {}
        patients: dict[str, str] = {}
        refused = []
        for stamp in candidates:
            look = self._looked_at[stamp]
            reason = look.reason
            if look.film_id in paths:
                reason = f"the same film as {self._relative(paths[look.film_id])}"
            if reason or look.frame is None:
                refused.append((self._relative(stamp.path), reason))
            else:
                paths[look.film_id], frames[look.film_id] = stamp.path, look.frame
                patients[look.film_id] = look.patient or patient_in_path(self._relative(stamp.path))
        records = read_records(self._path, paths, frames, patients)
        return _Content(paths, records, (*refused, *records.problems))

    def _may_be_film(self, path: Path) -> bool:
        """Whether a file is looked into: masks, tables and a medium's index of its files are none."""
        name = path.name.lower()
        known = path.suffix.lower() in _NOT_FILMS or name.endswith(_PACKED_TABLES) or path.name.upper() == _DICOMDIR
        return not known and not self._is_mask(path)

    def _is_mask(self, path: Path) -> bool:
        return "masks" in path.relative_to(self._path).parts[:-1]


def _stamps(folder: Path) -> list[_Stamp]:
    """All files below ``folder`` but hidden ones, in the order of their paths."""
    found = []
    for place, below, names in os.walk(folder):
        below[:] = [name for name in below if not name.startswith(".")]
        for name in names:
            path = Path(place, name)
            if not name.startswith(".") and path.is_file():
                state = path.stat()
                found.append(_Stamp(path, state.st_size, state.st_mtime_ns))
    return sorted(found, key=lambda stamp: stamp.path.as_posix())


def _look_at_file(stamp: _Stamp) -> _Look:
    try:
        data = film_bytes(stamp.path)
        film, patient = read_film_and_patient(data)
    except FilmError as error:
        return _Look(reason=str(error))
    film_id = hashlib.sha256(data).hexdigest()[:_ID_LENGTH]
    return _Look(film_id, FilmFrame(film.shape, film.stored), patient=patient)
