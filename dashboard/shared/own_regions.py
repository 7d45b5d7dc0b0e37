"""Regions that a person drew, held for the session under the film's digest."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboard.shared.film_context import FilmContext
from radiographs import Annotation, Radiograph
from radiographs.findings import canonical


def _regions() -> dict[str, list[Annotation]]:
    return st.session_state.setdefault("own_regions", {})


def regions_on(film: Radiograph) -> list[Annotation]:
    """What this person drew on the film, in order."""
    return list(_regions().get(film.digest, []))


def add(film: Radiograph, region: Annotation) -> None:
    """Add a region; from now on scores go by it."""
    _regions().setdefault(film.digest, []).append(region)
    st.session_state["score_against_mine"] = True


def remove(film: Radiograph, first: int = 0) -> None:
    """Remove the film's regions from number ``first`` on; -1 is the one drawn last."""
    del _regions()[film.digest][first:]


def with_own(film: FilmContext) -> FilmContext:
    """The film with what this person drew; their region of a finding stands in for the experts' where they say so."""
    drawn = regions_on(film.radiograph)
    if not drawn:
        return film
    mine = {canonical(a.finding) for a in drawn} if st.session_state.get("score_against_mine", True) else set()
    experts = [a for a in film.annotations if canonical(a.finding) not in mine]
    outlined = {canonical(a.finding) for a in experts}
    return replace(film, annotations=(*experts, *(a for a in drawn if canonical(a.finding) not in outlined)))
