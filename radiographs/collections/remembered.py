"""The user's own folders that the program remembers from one start to the next."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Container, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from radiographs.collections.folder import FolderCollection
from radiographs.errors import CollectionError
from radiographs.files import read_json, write_text
from radiographs.nearness import near
from radiographs.places import home_folder

_FILE = "folders.json"
LONGEST_TITLE = 60


def remembered_folders() -> list[FolderCollection]:
    """The remembered folders, in the order they were given; also those that are not there at the moment."""
    return [_collection(name, *entry) for name, entry in _read().items()]


def remember_folder(path: Path | str, title: str = "", taken: Container[str] = ()) -> FolderCollection:
    """Add a folder, from now on; one that is there already keeps its name.

    The collection is named after ``title`` or, without one, folder-1, folder-2 ...: the folder's own name stays on this
    machine and is never part of a link or a result.

    Args:
        path: the folder. title: what a person calls the collection. taken: names of other collections.

    Raises:
        CollectionError: it is not a folder, or the list cannot be written.
    """
    folder = None if "\0" in str(path) else Path(os.path.expanduser(path)).resolve()
    if folder is None or not os.path.isdir(folder):
        raise CollectionError(f"{path} is not a folder; give the folder that holds the films")
    known = _read()
    for name, (remembered, called) in known.items():
        if remembered == str(folder):
            return _collection(name, remembered, called)
    called = " ".join(title.split())[:LONGEST_TITLE]
    slug = re.sub(r"[^a-z0-9]+", "-", called.lower()).strip("-")
    wished = [slug] if slug else []
    numbered = (f"{slug or 'folder'}-{number}" for number in itertools.count(2 if slug else 1))
    name = next(n for n in itertools.chain(wished, numbered) if n not in known and n not in taken)
    _write({**known, name: (str(folder), called)})
    return _collection(name, str(folder), called)


def forget_folder(name: str) -> None:
    """Remove a folder from the list; nothing in it is touched.

    Raises:
        CollectionError: no folder of this name is remembered, or the list cannot be written.
    """
    known = _read()
    if name not in known:
        raise CollectionError(f"no folder is remembered under the name {name!r}; {near(name, known)}")
    _write({n: entry for n, entry in known.items() if n != name})


@cache
def _collection(name: str, path: str, title: str) -> FolderCollection:
    """One object a folder, so that its scan is kept."""
    return FolderCollection(Path(path), name=name, title=title)


def _read() -> dict[str, tuple[str, str]]:
    """Path and title ("" for none) by name; a title stands in the file only where there is one."""
    path = home_folder() / _FILE
    try:
        known = read_json(path)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise CollectionError(
            f"the list of your folders, {path}, cannot be read; remove it and add them again"
        ) from error
    entries = {n: [entry] if isinstance(entry, str) else entry for n, entry in _items(known)}
    whole = isinstance(known, dict) and all(
        isinstance(entry, list) and 1 <= len(entry) <= 2 and all(isinstance(part, str) for part in entry)
        for entry in entries.values()
    )
    if not whole or any("\0" in entry[0] for entry in entries.values()):
        raise CollectionError(f"the list of your folders, {path}, is damaged; remove it and add them again")
    return {name: (entry[0], entry[1] if len(entry) > 1 else "") for name, entry in entries.items()}


def _items(known: Any) -> Iterable[tuple[str, Any]]:
    return known.items() if isinstance(known, dict) else ()


def _write(known: dict[str, tuple[str, str]]) -> None:
    path = home_folder() / _FILE
    listed = {name: [folder, title] if title else folder for name, (folder, title) in known.items()}
    try:
        write_text(path, json.dumps(listed, indent=1))
    except OSError as error:
        raise CollectionError(
            f"the list of your folders cannot be written to {path.parent}: {error.strerror}"
        ) from error
