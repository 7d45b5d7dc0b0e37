"""Regions that the person at the page drew on a film: added, undone, done again, named."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboard.settings import settings
from dashboard.settings.settings import LONGEST_NAME
from dashboard.shared import belongings, shares
from dashboard.shared.film_context import FilmContext
from dashboard.shared.state import SHARE
from radiographs import Annotation, Radiograph


def regions_on(film: Radiograph) -> list[Annotation]:
    """What this person drew on the film, in order, under the name by which they go."""
    return [replace(region, reader=reader()) for region in belongings.regions(film)]


def add(film: Radiograph, region: Annotation) -> None:
    """Add a region; what was undone before cannot be done again."""
    belongings.set_regions(film, [*belongings.regions(film), region])
    _undone().pop(film.digest, None)


def undo(film: Radiograph) -> None:
    """Take away the region drawn last; :func:`redo` brings it back."""
    drawn = belongings.regions(film)
    if drawn:
        belongings.set_regions(film, drawn[:-1])
        _undone().setdefault(film.digest, []).append(drawn[-1])


def redo(film: Radiograph) -> None:
    """Bring back the region that was undone last."""
    undone = _undone().get(film.digest)
    if undone:
        belongings.set_regions(film, [*belongings.regions(film), undone.pop()])


def can_redo(film: Radiograph) -> bool:
    """Whether a region was undone and none drawn since."""
    return bool(_undone().get(film.digest))


def remove_all(film: Radiograph) -> None:
    """Take away all regions on the film; :func:`redo` brings them back one by one."""
    _undone().setdefault(film.digest, []).extend(belongings.regions(film)[::-1])
    belongings.set_regions(film, [])


def reader() -> str:
    """The name beside the regions, else the one in the settings, else "you"."""
    name = st.session_state.get("own_name")
    return (settings.load().reader if name is None else str(name)).strip()[:LONGEST_NAME] or "you"


def with_own(film: FilmContext) -> FilmContext:
    """The film with what this person drew; maps are scored by that too where they say so."""
    drawn = tuple(regions_on(film.radiograph))
    if not drawn:
        drawn = tuple(shares.shared_regions(st.session_state.get(SHARE, ""), film.radiograph))
    if not drawn:
        return film
    return replace(film, drawn=drawn, score_drawn=bool(st.session_state.get("score_against_mine", False)))


def _undone() -> dict[str, list[Annotation]]:
    return st.session_state.setdefault("undone_regions", {})
