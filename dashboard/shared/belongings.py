"""What belongs to one person and outlives a reload of the page: the regions they drew, and the film they uploaded.

:func:`person` alone says whose things these are. Regions lie on disk until they are removed: masks under the film's
digest, never its pixels or its name. An uploaded film stays in memory.
"""

from __future__ import annotations

import logging
import re
import secrets
import threading
import time
import zipfile
import zlib
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import streamlit as st

from dashboard.shared.film_context import short_digest
from radiographs import Annotation, Radiograph
from radiographs.arrays import read_arrays, write_arrays
from radiographs.places import home_folder

COOKIE = "lightbox_person"
"""Cookie that holds a browser's random name: 32 hexadecimal digits."""
MOST_REGIONS = 60
"""On one film, of one person."""
MOST_UPLOADS = 16
"""Films held in memory, of all people; the one not looked at for longest goes first."""
UPLOAD_SECONDS = 4 * 3600
"""How long an uploaded film is held after it was last looked at."""
_YEAR = 365 * 24 * 3600
_DAMAGED = (OSError, ValueError, KeyError, TypeError, EOFError, zlib.error, zipfile.BadZipFile)
_log = logging.getLogger(__name__)
_lock = threading.Lock()
_uploads: OrderedDict[tuple[str, str], tuple[Radiograph, float]] = OrderedDict()
_read: OrderedDict[Path, list[Annotation]] = OrderedDict()


def person() -> str:
    """The name of the person whose page is drawn: their browser's, else one that holds for this session."""
    given = str(st.context.cookies.get(COOKIE, ""))
    if re.fullmatch(r"[0-9a-f]{32}", given):
        return given
    return str(st.session_state.setdefault("person", secrets.token_hex(16)))


def introduce() -> None:
    """Hand a browser that has no name yet the one of this session, so that it is known again after a reload."""
    if COOKIE in st.context.cookies:
        return
    cookie = f"{COOKIE}={person()}; path=/; max-age={_YEAR}; samesite=lax"
    script = f'if (!document.cookie.includes("{COOKIE}=")) document.cookie = "{cookie}";'
    st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)


def uploaded(short: str) -> Radiograph | None:
    """A film that this person uploaded, by the start of its digest; None where it is not held or no longer."""
    with _lock:
        _let_go()
        key = person(), short
        if key not in _uploads:
            return None
        film, _ = _uploads.pop(key)
        _uploads[key] = film, time.monotonic()
        return film


def hold_upload(film: Radiograph) -> str:
    """Hold a film that this person uploaded; returns the start of its digest, by which it is found again."""
    short = short_digest(film.digest)
    with _lock:
        _uploads.pop((person(), short), None)
        _uploads[person(), short] = film, time.monotonic()
        _let_go()
    return short


def drop_upload(short: str) -> None:
    """Let a film of this person's go."""
    with _lock:
        _uploads.pop((person(), short), None)


def _let_go() -> None:
    oldest = time.monotonic() - UPLOAD_SECONDS
    while _uploads and (len(_uploads) > MOST_UPLOADS or next(iter(_uploads.values()))[1] < oldest):
        _uploads.popitem(last=False)


def regions(film: Radiograph) -> list[Annotation]:
    """What this person drew on the film, in order; nothing where the file is damaged."""
    place = _place(film)
    with _lock:
        if place not in _read:
            _read[place] = _stored(place, film.shape)
            while len(_read) > MOST_UPLOADS:
                _read.popitem(last=False)
        return list(_read[place])


def set_regions(film: Radiograph, drawn: list[Annotation]) -> None:
    """Hold these regions in place of what this person drew on the film before.

    Raises:
        ValueError: they are too many. OSError: they cannot be written; they hold until the server ends.
    """
    if len(drawn) > MOST_REGIONS:
        raise ValueError(f"more than {MOST_REGIONS} regions on one film; remove some before you draw more")
    place = _place(film)
    with _lock:
        _read[place] = [replace(region) for region in drawn]
        if not drawn:
            place.unlink(missing_ok=True)
            return
        meta = [{"finding": a.finding, "kind": a.kind, "reader": a.reader} for a in drawn]
        write_arrays(place, {f"{number:03d}": a.mask for number, a in enumerate(drawn)}, meta)


def _place(film: Radiograph) -> Path:
    return home_folder() / "regions" / person() / f"{film.digest}.npz"


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
