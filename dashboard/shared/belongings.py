"""What belongs to one person and outlives a reload of the page: the regions they drew, and the films they uploaded.

:func:`person` alone says whose things these are. Regions lie on disk until they are removed: masks under the film's
digest, never its pixels or its name. An uploaded film stays in memory, for as long as a session that looks at it is
open, and a moment longer, for a page that is loaded again.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.people import identity
from dashboard.shared.film_context import short_digest
from radiographs import Annotation, Radiograph
from radiographs.arrays import read_arrays, write_arrays
from radiographs.bounded_cache import bytes_of

MOST_REGIONS = 60
"""On one film, of one person."""
MOST_UPLOADS = 32
"""Films held in memory, of all people; the one not looked at for longest goes first."""
MOST_UPLOADED, MOST_DRAWN = 1024 << 20, 128 << 20
"""Bytes of all these films, and of all regions held in memory."""
GRACE_VARIABLE = "XAI_LIGHTBOX_GRACE_SECONDS"
"""Environment variable: so long after a page's end what it uploaded, and its work, wait for the page to come back."""
USUAL_GRACE = 50.0
_DAMAGED = (OSError, ValueError, KeyError, TypeError, EOFError, zlib.error, zipfile.BadZipFile)
_log = logging.getLogger(__name__)
_lock = threading.RLock()


@dataclass
class _Visit:
    """A session: whose it is, when it was last open, and when its page was last drawn whole."""

    person: str
    seen: float = field(default_factory=time.monotonic)
    drawn: float = field(default_factory=time.monotonic)


@dataclass
class _Upload:
    film: Radiograph
    sessions: set[str]
    digests: set[str]


_visits: dict[str, _Visit] = {}
_uploads: OrderedDict[tuple[str, str], _Upload] = OrderedDict()
_gone: set[str] = set()
"""Digests of films that were let go since :func:`end_sessions` told of them."""
_read: OrderedDict[Path, list[Annotation]] = OrderedDict()


def person() -> str:
    """The name of the person whose page is drawn; one that holds for this session where they have none."""
    return identity.name() or str(st.session_state.setdefault("person", f"c{secrets.token_hex(16)[1:]}"))


def visited() -> None:
    """Take note that this session's person is there."""
    with _lock:
        _visits[identity.session()] = _Visit(person())


def present(name: str) -> bool:
    """Whether a session of the person is open, or was until a moment ago."""
    with _lock:
        return any(visit.person == name for visit in _visits.values())


def pages_drawn() -> dict[str, float]:
    """For each open session, when its page was last drawn whole (``time.monotonic``)."""
    with _lock:
        return {session: visit.drawn for session, visit in _visits.items()}


def end_sessions(active: Callable[[str], bool]) -> tuple[list[str], list[str], list[str]]:
    """Forget sessions that ended, and what only they held.

    Args:
        active: whether a session is open.

    Returns:
        The sessions that ended; the people of whom none is left; the digests of uploaded films that were let go since
        the last call and that nobody holds now, as they lay and as they were corrected.
    """
    given = os.environ.get(GRACE_VARIABLE, "")
    grace = float(given) if given.isascii() and given.isdecimal() else USUAL_GRACE
    now = time.monotonic()
    with _lock:
        for name, visit in _visits.items():
            visit.seen = now if active(name) else visit.seen
        ended = [name for name, visit in _visits.items() if visit.seen < now and now - visit.seen >= grace]
        people = {_visits.pop(name).person for name in ended}
        for upload in _uploads.values():
            upload.sessions -= set(ended)
        for key in [key for key, upload in _uploads.items() if not upload.sessions]:
            _let_go(key)
        gone = _gone.difference(*(upload.digests for upload in _uploads.values()))
        _gone.clear()
        return ended, [name for name in people if not present(name)], sorted(gone)


def uploaded(short: str) -> Radiograph | None:
    """A film that this person uploaded, by the start of its digest; None where it is not held or no longer."""
    with _lock:
        found = _uploads.get((person(), short))
        if found is None:
            return None
        found.sessions.add(identity.session())
        _uploads.move_to_end((person(), short))
        return found.film


def upload_held_by(name: str, digest: str) -> Radiograph | None:
    """A person's uploaded film of this digest, while a session of theirs holds it."""
    with _lock:
        found = _uploads.get((name, short_digest(digest)))
        return None if found is None else found.film


def hold_upload(film: Radiograph) -> str:
    """Hold a film that this person uploaded; returns the start of its digest, by which it is found again."""
    short = short_digest(film.digest)
    with _lock:
        held = _uploads.setdefault((person(), short), _Upload(film, set(), {film.digest}))
        held.sessions.add(identity.session())
        _uploads.move_to_end((person(), short))
        while _too_much(_uploads, MOST_UPLOADED):
            _let_go(next(iter(_uploads)))
    return short


def shown_as(short: str, digest: str) -> None:
    """Take note of the digest under which an uploaded film is shown, corrected or not: what is of it goes with it."""
    with _lock:
        for (_, held), upload in _uploads.items():
            if held == short:
                upload.digests.add(digest)


def drop_upload(short: str) -> None:
    """Let a film of this person's go."""
    with _lock:
        if (person(), short) in _uploads:
            _let_go((person(), short))


def _too_much(held: OrderedDict[Any, Any], most: int) -> bool:
    """Whether the oldest must go; what came in last never does."""
    return len(held) > 1 and (len(held) > MOST_UPLOADS or bytes_of(list(held.values())) > most)


def _let_go(key: tuple[str, str]) -> None:
    _gone.update(_uploads.pop(key).digests)


def regions(film: Radiograph, name: str = "") -> list[Annotation]:
    """What a person, by default the one at the page, drew on the film, in order; nothing where the file is damaged."""
    place = _place(film, name or person())
    with _lock:
        if place not in _read:
            _read[place] = _stored(place, film.shape)
            while _too_much(_read, MOST_DRAWN):
                _read.popitem(last=False)
        return list(_read[place])


def set_regions(film: Radiograph, drawn: list[Annotation]) -> None:
    """Hold these regions in place of what this person drew on the film before.

    Raises:
        ValueError: they are too many. OSError: they cannot be written; they hold until the server ends.
    """
    if len(drawn) > MOST_REGIONS:
        raise ValueError(f"more than {MOST_REGIONS} regions on one film; remove some before you draw more")
    place = _place(film, person())
    with _lock:
        _read[place] = [replace(region) for region in drawn]
        if not drawn:
            place.unlink(missing_ok=True)
            return
        meta = [{"finding": a.finding, "kind": a.kind, "reader": a.reader} for a in drawn]
        write_arrays(place, {f"{number:03d}": a.mask for number, a in enumerate(drawn)}, meta)


def _place(film: Radiograph, name: str) -> Path:
    return identity.folder(name) / "regions" / f"{film.digest}.npz"


def _stored(place: Path, shape: tuple[int, int]) -> list[Annotation]:
    try:
        masks, meta = read_arrays(place)
        found = [Annotation(m["finding"], masks[f"{n:03d}"], m["kind"], m["reader"]) for n, m in enumerate(meta)]
    except FileNotFoundError:
        return []
    except _DAMAGED as error:
        _log.warning("a file of regions cannot be read: %s", type(error).__name__)
        return []
    return [region for region in found if region.mask.shape == shape]
