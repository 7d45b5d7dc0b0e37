"""The user's own folders that the program remembers from one start to the next."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path

from radiographs.collections.folder import FolderCollection
from radiographs.errors import CollectionError
from radiographs.files import write_text
from radiographs.places import home_folder

_FILE = "folders.json"


def remembered_folders() -> list[FolderCollection]:
    """The remembered folders, in the order they were given; also those that are not there at the moment."""
    return [_collection(name, path) for name, path in _read().items()]


def remember_folder(path: Path | str) -> FolderCollection:
    """Add a folder, from now on; one that is there already keeps its name.

    The collection is named folder-1, folder-2 ...: the folder's own name stays on this machine and is never part of a
    link or a result.

    Raises:
        CollectionError: it is not a folder, or the list cannot be written.
    """
    folder = None if "\0" in str(path) else Path(os.path.expanduser(path)).resolve()
    if folder is None or not os.path.isdir(folder):
        raise CollectionError(f"{path} is not a folder; give the folder that holds the films")
    known = _read()
    for name, remembered in known.items():
        if remembered == str(folder):
            return _collection(name, remembered)
    number = next(n for n in range(1, len(known) + 2) if f"folder-{n}" not in known)
    _write({**known, f"folder-{number}": str(folder)})
    return _collection(f"folder-{number}", str(folder))


def forget_folder(name: str) -> None:
    """Remove a folder from the list; nothing in it is touched.

    Raises:
        CollectionError: no folder of this name is remembered, or the list cannot be written.
    """
    known = _read()
    if name not in known:
        raise CollectionError(
            f"no folder is remembered under the name {name!r}; there are: {', '.join(known) or 'none'}"
        )
    _write({n: path for n, path in known.items() if n != name})


@cache
def _collection(name: str, path: str) -> FolderCollection:
    """One object a folder, so that its scan is kept."""
    return FolderCollection(Path(path), name=name)


def _read() -> dict[str, str]:
    path = home_folder() / _FILE
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise CollectionError(
            f"the list of your folders, {path}, cannot be read; remove it and add them again"
        ) from error
    if not isinstance(known, dict) or not all(isinstance(path_, str) and "\0" not in path_ for path_ in known.values()):
        raise CollectionError(f"the list of your folders, {path}, is damaged; remove it and add them again")
    return known


def _write(known: dict[str, str]) -> None:
    path = home_folder() / _FILE
    try:
        write_text(path, json.dumps(known, indent=1))
    except OSError as error:
        raise CollectionError(
            f"the list of your folders cannot be written to {path.parent}: {error.strerror}"
        ) from error
