"""Work that the server's end broke off: which views it was for, so that their people can go on with it."""

from __future__ import annotations

import json
import logging
import threading
from typing import Any
from urllib.parse import urlencode, urlsplit

import streamlit as st

from dashboard.people import identity
from dashboard.shared import caches
from dashboard.shared.unforeseen import safely
from radiographs.files import read_json, write_text

MOST = 5
"""Views that are offered to one person."""
_log = logging.getLogger(__name__)
_lock = threading.Lock()
_views: dict[str, tuple[str, dict[str, Any]]] = {}


def note_view(address: dict[str, list[str]]) -> None:
    """Take note of the view that this session looks at."""
    person = identity.name()
    if person:
        page = urlsplit(st.context.url or "").path or "/"
        with _lock:
            _views[identity.session()] = person, {"page": page, "address": address}
            while len(_views) > 1000:
                _views.pop(next(iter(_views)))


def mark_unfinished() -> None:
    """Store, for each person whose work is not done, the views that they look at; called when the server ends."""
    pending = caches.manager().pending_people()
    with _lock:
        views = list(_views.values())
    for person in pending & {person for person, _ in views}:
        wanted = [view for owner, view in views if owner == person][-MOST:]
        try:
            write_text(identity.folder(person) / "unfinished.json", json.dumps(wanted))
        except OSError as error:
            _log.warning("unfinished work cannot be noted: %s", error.strerror)


def offer() -> None:
    """Offer this person, once, the views whose work the server's end broke off."""
    state = st.session_state
    if "unfinished" not in state:
        state["unfinished"] = _taken(identity.name())
    for place, view in enumerate(state["unfinished"]):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.info("The server was stopped while it worked for you.", icon=":material/resume:")
            st.link_button(
                "Go on", f"{view['page']}?{urlencode(view['address'], doseq=True)}", icon=":material/play_arrow:"
            )
            st.button("Leave it", key=f"leave {place}", on_click=safely(state["unfinished"].remove), args=(view,))


def _taken(person: str) -> list[dict[str, Any]]:
    if not person:
        return []
    place = identity.folder(person) / "unfinished.json"
    try:
        found = read_json(place)
        place.unlink()
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        _log.warning("what was noted of unfinished work cannot be read (%s)", type(error).__name__)
        return []
    views = [view for view in found if isinstance(view, dict)] if isinstance(found, list) else []
    return [view for view in views if isinstance(view.get("page"), str) and isinstance(view.get("address"), dict)]
