"""What is one person's alone: films they uploaded, in memory for their session; regions they drew, until removed.

Regions lie in the home folder under the person's name, a digest; an uploaded film lies on no disk.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import streamlit as st

from dashboard.people import identity
from radiographs import Annotation, Radiograph
from radiographs.annotation import Kind
from radiographs.arrays import read_arrays, write_arrays
from radiographs.places import home_folder

GRACE_VARIABLE = "XAI_LIGHTBOX_GRACE_SECONDS"
"""Environment variable: so long after a page's end what it uploaded, and its work, wait for the page to come back."""
USUAL_GRACE = 50.0
MOST_UPLOADS = 4
"""Films that one person's session holds."""
MOST_REGIONS, MOST_FILMS = 50, 200
"""Regions on one film, and films with regions, of one person."""
_log = logging.getLogger(__name__)
_lock = threading.RLock()


@dataclass
class _Visit:
    person: str
    seen: float = field(default_factory=time.monotonic)


@dataclass
class _Upload:
    film: Radiograph
    sessions: set[str]


_visits: dict[str, _Visit] = {}
_uploads: dict[str, OrderedDict[str, _Upload]] = {}
_drawn: OrderedDict[tuple[str, str], list[Annotation]] = OrderedDict()


def folder(person: str) -> Path:
    """Where a person's own files lie."""
    return home_folder() / "people" / person


def visited() -> None:
    """Take note that this session's person is there."""
    with _lock:
        _visits[identity.session()] = _Visit(_me())


def present(person: str) -> bool:
    """Whether a session of the person is open, or was until a moment ago."""
    with _lock:
        return any(visit.person == person for visit in _visits.values())


def end_sessions(active: Callable[[str], bool]) -> tuple[list[str], list[str], list[str]]:
    """Forget sessions that ended, and what only they held.

    Args:
        active: whether a session is open.

    Returns:
        The sessions that ended; the people of whom none is left; the digests of uploaded films that nobody holds now.
    """
    given = os.environ.get(GRACE_VARIABLE, "")
    grace = float(given) if given.isascii() and given.isdecimal() else USUAL_GRACE
    now = time.monotonic()
    with _lock:
        for name, visit in _visits.items():
            visit.seen = now if active(name) else visit.seen
        ended = [name for name, visit in _visits.items() if visit.seen < now and now - visit.seen >= grace]
        people = {_visits.pop(name).person for name in ended}
        gone = [person for person in people if not present(person)]
        films = [film for person in list(_uploads) for film in _drop_uploads(person, set(ended))]
        for key in [key for key in _drawn if key[0] in gone]:
            del _drawn[key]
    return ended, gone, films


def _drop_uploads(person: str, ended: set[str]) -> list[str]:
    held = _uploads[person]
    for upload in held.values():
        upload.sessions -= ended
    dropped = [short for short, upload in held.items() if not upload.sessions]
    digests = [held.pop(short).film.digest for short in dropped]
    if not held:
        del _uploads[person]
    others = {upload.film.digest for uploads in _uploads.values() for upload in uploads.values()}
    return [digest for digest in digests if digest not in others]


def hold_upload(film: Radiograph, short: str) -> None:
    """Hold an uploaded film for this session, under the start of its digest; the oldest of too many goes."""
    with _lock:
        held = _uploads.setdefault(_me(), OrderedDict())
        upload = held.setdefault(short, _Upload(film, set()))
        upload.sessions.add(identity.session())
        held.move_to_end(short)
        while len(held) > MOST_UPLOADS:
            held.popitem(last=False)


def upload_of(short: str = "") -> Radiograph | None:
    """The person's uploaded film of which ``short`` is the start of the digest, the latest where it is left out."""
    if not identity.name():
        return None
    with _lock:
        held = _uploads.get(_me(), OrderedDict())
        name = short or next(reversed(held), "")
        if name not in held:
            return None
        held[name].sessions.add(identity.session())
        return held[name].film


def upload_held_by(person: str, digest: str) -> Radiograph | None:
    """A person's uploaded film of this digest, while a session of theirs holds it."""
    with _lock:
        held = _uploads.get(person, OrderedDict()).values()
        return next((upload.film for upload in held if upload.film.digest == digest), None)


def forget_uploads() -> None:
    """Let go of all that this person uploaded."""
    with _lock:
        _uploads.pop(_me(), None)


def regions(film: Radiograph, person: str = "") -> list[Annotation]:
    """What a person, by default the one whose page is drawn, drew on the film, in order."""
    if not (person or identity.name()):
        return list(_session_regions().get(film.digest, []))
    with _lock:
        key = (person or _me(), film.digest)
        if key not in _drawn:
            _drawn[key] = [drawn for drawn in _read(_regions_file(film, key[0])) if drawn.mask.shape == film.shape]
        _drawn.move_to_end(key)
        while len(_drawn) > 4 * MOST_FILMS:
            _drawn.popitem(last=False)
        return list(_drawn[key])


def set_regions(film: Radiograph, drawn: list[Annotation]) -> None:
    """Make ``drawn`` what this person drew on the film, now and in later sessions."""
    held = drawn[-MOST_REGIONS:]
    if not identity.name():
        _session_regions()[film.digest] = held
        return
    with _lock:
        path = _regions_file(film, _me())
        _drawn[_me(), film.digest] = held
        try:
            if held:
                _write(path, held)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            _log.warning("a region cannot be stored: %s", error.strerror)


def forget_person(person: str) -> None:
    """Remove all files of a person.

    Raises:
        OSError: a file cannot be removed.
    """
    with _lock:
        for key in [key for key in _drawn if key[0] == person]:
            del _drawn[key]
        if folder(person).is_dir():
            shutil.rmtree(folder(person))


def _me() -> str:
    return identity.name() or identity.session()


def _session_regions() -> dict[str, list[Annotation]]:
    """The regions, by film, of a person whom the next session would not know again."""
    return st.session_state.setdefault("own_regions", {})


def _regions_file(film: Radiograph, person: str) -> Path:
    return folder(person) / "regions" / f"{film.digest}.npz"


def _write(path: Path, drawn: list[Annotation]) -> None:
    arrays = {f"mask{place}": region.mask for place, region in enumerate(drawn)}
    write_arrays(path, arrays, [[region.finding, region.kind, region.reader] for region in drawn])
    files = sorted(path.parent.glob("*.npz"), key=lambda file: file.stat().st_mtime)
    for file in files[: max(0, len(files) - MOST_FILMS)]:
        file.unlink(missing_ok=True)


def _read(path: Path) -> list[Annotation]:
    if not path.is_file():
        return []
    try:
        arrays, meta = read_arrays(path)
        return [
            Annotation(str(finding), arrays[f"mask{place}"], kind if kind in get_args(Kind) else "mask", str(reader))
            for place, (finding, kind, reader) in enumerate(meta)
        ]
    except Exception as error:  # a damaged file raises what its damage happens to raise
        _log.warning("stored regions are damaged and are left out (%s)", type(error).__name__)
        return []
