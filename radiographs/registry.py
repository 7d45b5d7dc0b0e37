"""Registry of collections: what there is, and the film that a reference speaks of."""

from __future__ import annotations

import importlib
import logging
import os
import pkgutil
from functools import cache
from pathlib import Path
from typing import TypeVar

from radiographs import extensions
from radiographs.collection import Collection, CollectionCard, FilmEntry
from radiographs.collections.remembered import remembered_folders
from radiographs.decoding.pool import read_film
from radiographs.errors import CollectionError
from radiographs.nearness import near
from radiographs.radiograph import Radiograph

_log = logging.getLogger(__name__)


_registered: dict[str, Collection] = {}
T = TypeVar("T", bound=type[Collection])


def register(collection: T) -> T:
    """Class decorator: add a collection, of which there is one object, under its ``name``.

    Raises:
        ValueError: the name is taken.
        TypeError: it lacks something that every collection has (see :class:`Collection`).
    """
    if not collection.__module__.startswith(f"{__package__}."):
        _load_own()  # so that a name that the program uses is refused to others, whichever is imported first
    if collection.name in _registered:
        raise ValueError(f"a collection named {collection.name!r} is registered already")
    if not isinstance(getattr(collection, "card", None), CollectionCard):
        raise TypeError(f"the collection {collection.name} has no card")
    _registered[collection.name] = collection()
    return collection


@cache
def _load_own() -> None:
    """Import every module of ``radiographs.collections``, each of which registers what it holds."""
    for module in pkgutil.iter_modules([str(Path(__file__).with_name("collections"))]):
        importlib.import_module(f"{__package__}.collections.{module.name}")


def collections() -> dict[str, Collection]:
    """All collections by name: those that are registered, then the user's remembered folders, also without films.

    Where the list of folders is damaged, they are left out; :func:`damaged_folders` says so.
    """
    folders = [] if damaged_folders() else remembered_folders()
    _load_own()
    extensions.load("collections")
    in_order = sorted(_registered.values(), key=lambda collection: (collection.order, collection.name))
    return {collection.name: collection for collection in (*in_order, *folders)}


def damaged_folders() -> str:
    """Why the list of the user's folders cannot be used, "" where it can."""
    try:
        remembered_folders()
    except CollectionError as error:
        _tell(str(error))
        return str(error)
    return ""


@cache
def _tell(words: str) -> None:
    _log.warning("your folders are left out: %s", words)


def get_collection(name: str) -> Collection:
    """The collection of this name.

    Raises:
        CollectionError: there is none; the message names those that are near.
    """
    found = collections()
    if name not in found:
        raise CollectionError(f"there is no collection {name!r}; {near(name, found)}")
    return found[name]


def find_film(reference: str) -> tuple[Radiograph, FilmEntry | None, Collection | None]:
    """Read the film that ``reference`` speaks of: the path of a file, or ``collection/film-id``.

    A path that exists wins; a film in one of the user's folders is known as such, with what was outlined on it.

    Returns:
        The film; its line in the collection's list and the collection, both None where ``reference`` is a file.

    Raises:
        CollectionError: there is neither such a file nor such a film; the message names what is near.
        FilmError: the file cannot be read as a film.
    """
    path = os.path.expanduser(reference)
    if os.path.isfile(path):
        for folder in [] if damaged_folders() else remembered_folders():
            film_id = folder.film_id_of(Path(path))
            if film_id is not None:
                return folder.read(film_id), folder.entry(film_id), folder
        return read_film(Path(path)), None, None
    if os.path.isdir(path):
        raise CollectionError(f"{reference} is a folder; name one film in it")
    name, slash, film_id = reference.partition("/")
    if not slash or not film_id or name not in collections():
        raise CollectionError(
            f"{reference[:200]!r} is neither a file nor a film of a collection. A film is the path of a file, or "
            f"collection/film-id; {near(name, collections())}"
        )
    collection = get_collection(name)
    missing = collection.missing()
    if missing:
        raise CollectionError(missing)
    try:
        entry = collection.entry(film_id)
    except CollectionError as error:
        meant = near(film_id, (one.film_id for one in collection.entries()), otherwise="", cutoff=0.85)
        if not meant:
            raise
        raise CollectionError(f"{str(error).rstrip('.')}; {meant}") from error
    return collection.read(film_id), entry, collection
