"""What the program stores on this computer: what it can fetch, how much room that takes, and how it goes again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from classifiers.xrv_weights import XRV_NAMES, release_of, weights_path
from dashboard.jobs import Work
from evaluation.validity.outline_fit import OutlineFit, fit_of
from radiographs.collections.folder import FolderCollection
from radiographs.collections.remembered import remember_folder
from radiographs.errors import AnnotationError, CollectionError
from radiographs.fetching.chest_det_files import chest_det_downloads
from radiographs.fetching.fetch import NIH_DEMO_FILMS, FetchCancelled, fetch, nih_downloads, outlined_by_chest_det
from radiographs.places import home_folder
from radiographs.registry import collections
from xai_methods import Cancelled
from xai_methods.counterfactual import xrv_autoencoder

NIH = "nih-boxes"
CHEST_DET = "chestx-det"
_FILM_SETS = {NIH: ("nih-demo", NIH), CHEST_DET: (CHEST_DET,)}
"""What can be fetched of each collection, the smaller first."""
MOST_FILES = 20_000
"""Files in a folder that is looked into; a larger one is probably not what was meant."""


@dataclass(frozen=True)
class Fetchable:
    """Something that can be downloaded: its name for ``lightbox fetch``, words for people, bytes (None: not known)."""

    name: str
    title: str
    size: int | None


def film_sets(collection: str) -> list[Fetchable]:
    """What can be downloaded of a collection, the smaller first; nothing of most."""
    return [_film_set(name) for name in _FILM_SETS.get(collection, ())]


def _film_set(name: str) -> Fetchable:
    wanted = nih_downloads(_films_folder())
    if name == CHEST_DET:
        return Fetchable(name, "The outlines and 62 films (about 11 MB)", None)
    if name == NIH:
        return Fetchable(name, f"All {len(wanted)} films", sum(d.size for d in wanted))
    demo = [d for d in wanted if d.path.stem in NIH_DEMO_FILMS]
    return Fetchable(name, f"{len(demo)} films, two for each finding", sum(d.size for d in demo))


def weights_of(name: str) -> Fetchable:
    """The weights of a torchxrayvision model, or of its autoencoder, as something to download.

    Raises:
        LookupError: there is no such model.
    """
    if name == xrv_autoencoder.WEIGHTS:
        return Fetchable(name, xrv_autoencoder.TITLE, None)
    release = release_of(name)
    return Fetchable(name, release.title, release.size)


def fetching(name: str) -> Work:
    """The download of ``name``, for a job manager.

    Raises:
        LookupError: there is nothing to fetch under this name.
    """
    films = {wanted for sets in _FILM_SETS.values() for wanted in sets}
    if name not in (*films, *XRV_NAMES, xrv_autoencoder.WEIGHTS):
        raise LookupError(f"there is nothing to fetch under the name {name!r}")

    def work(progress: Callable[[float], None], cancelled: Callable[[], bool]) -> Path:
        def report(files: int, all_files: int, done: int, size: int) -> None:
            progress(done / size if size else 0.0)

        try:
            if name in films:
                return fetch(name, progress=report, cancelled=cancelled)
            if name == xrv_autoencoder.WEIGHTS:
                return xrv_autoencoder.fetch_xrv_autoencoder(report, cancelled)
            from classifiers.xrv import fetch_xrv

            return fetch_xrv(name, progress=report, cancelled=cancelled)
        except FetchCancelled as error:
            raise Cancelled from error

    return work


def is_fetched(wanted: Fetchable) -> bool:
    """Whether all of a download is here."""
    if wanted.name == CHEST_DET:
        try:
            films = outlined_by_chest_det(nih_downloads(_films_folder()))
        except AnnotationError:  # a table is damaged, which fetching mends
            return False
        return all(download.path.is_file() for download in (*chest_det_downloads(), *films))
    return wanted.size is not None and fetched(wanted.name) >= wanted.size


def fetched(name: str) -> int:
    """Bytes that only a download of ``name`` takes here (films, outlines or a model's weights); 0 without one."""
    return sum(path.stat().st_size for path in _files_of(name))


def remove_fetched(name: str) -> int:
    """Remove what was downloaded under ``name``, and nothing else; returns the bytes freed.

    Raises:
        OSError: a file cannot be removed.
    """
    freed = 0
    for path in _files_of(name):
        size = path.stat().st_size
        path.unlink()
        freed += size
    return freed


def _files_of(name: str) -> list[Path]:
    if name in _FILM_SETS[NIH]:
        names = [d.path for d in nih_downloads(_films_folder())]
    elif name == CHEST_DET:
        names = [d.path for d in chest_det_downloads()]
    elif name in XRV_NAMES:
        names = [weights_path(name), weights_path(name).with_suffix(".first.pt")]
    elif name == xrv_autoencoder.WEIGHTS:
        path = xrv_autoencoder.weights_path()
        names = [path, path.with_suffix(".first.pt")]
    else:
        return []
    return [p for whole in names for p in (whole, whole.with_name(whole.name + ".part")) if p.is_file()]


def _films_folder() -> Path:
    return home_folder() / NIH / "images"


def disk_use() -> int:
    """Bytes of everything in the home folder."""
    total = 0
    for place, _, names in os.walk(home_folder()):
        for name in names:
            path = Path(place, name)
            if path.is_file() and not path.is_symlink():
                total += path.stat().st_size
    return total


@dataclass(frozen=True)
class Preview:
    """What a folder holds, before it is put in the registry; names are for the person's own screen alone.

    Attributes:
        collection: the folder, read. read: names of films. refused: (name, reason). outlined: films with an outline.
        findings: what is labelled or outlined, sorted. fit: how the outlines lie.
    """

    collection: FolderCollection
    read: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    outlined: int
    findings: tuple[str, ...]
    fit: OutlineFit


def look_into(path: str) -> Preview:
    """Read a folder without putting it in the registry.

    Raises:
        CollectionError: it is not a folder, cannot be opened, or holds far too many files.
    """
    given = path.strip().strip("\"'")
    try:
        folder = Path(given).expanduser()
        if not given or "\0" in given or not folder.is_dir():
            raise CollectionError("There is no such folder on this computer. Give its whole path.")
        if _more_than(MOST_FILES, folder):
            raise CollectionError(
                f"The folder holds more than {MOST_FILES:,} files. Give the folder that holds the films, not one above."
            )
        next(iter(folder.iterdir()), None)
    except RuntimeError as error:
        raise CollectionError("There is no such home folder on this computer. Give the folder's whole path.") from error
    except OSError as error:
        raise CollectionError(f"The folder cannot be opened: {error.strerror}.") from error
    collection = FolderCollection(folder)
    scan, entries = collection.scan(), collection.entries()
    named = {finding for e in entries for finding in (*e.labels, *e.annotated)}
    outlined = sum(1 for entry in entries if entry.annotated)
    return Preview(collection, scan.read, scan.refused, outlined, tuple(sorted(named)), fit_of(collection))


def _more_than(most: int, folder: Path) -> bool:
    count = 0
    for _, _, names in os.walk(folder):
        count += len(names)
        if count > most:
            return True
    return False


def add_folder(preview: Preview, title: str = "") -> str:
    """Put a folder that was scanned in the registry, and return its name there; nothing in it is read again.

    Args:
        preview: what the folder holds. title: what a person calls the collection, "" for the folder's name.

    Raises:
        CollectionError: it is gone, or the list cannot be written.
    """
    folder = remember_folder(preview.collection.path, title, taken=collections())
    folder.adopt(preview.collection)
    return folder.name


def said_size(size: int) -> str:
    """Bytes in words, in decimal units."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}" if size < 100 * factor else f"{size / factor:.0f} {unit}"
    return f"{size} bytes"


def findings_in_words(names: Iterable[str], most: int = 8) -> str:
    """Names joined by commas, cut after ``most``."""
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more
