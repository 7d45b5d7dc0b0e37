"""Regions that a person drew, theirs alone, until they remove them."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboard.people import belongings, shares
from dashboard.shared.film_context import FilmContext
from dashboard.shared.state import SHARE
from radiographs import Annotation, Radiograph
from radiographs.findings import canonical


def regions_on(film: Radiograph) -> list[Annotation]:
    """What this person drew on the film, in order."""
    return belongings.regions(film)


def add(film: Radiograph, region: Annotation) -> None:
    """Add a region; from now on scores go by it."""
    belongings.set_regions(film, [*regions_on(film), region])
    st.session_state["score_against_mine"] = True


def remove(film: Radiograph, first: int = 0) -> None:
    """Remove the film's regions from number ``first`` on; -1 is the one drawn last."""
    belongings.set_regions(film, regions_on(film)[:first])


def with_own(film: FilmContext) -> FilmContext:
    """The film with what this person drew; their region of a finding stands in for the experts' where they say so."""
    drawn = regions_on(film.radiograph)
    if not drawn:
        drawn = shares.shared_regions(st.session_state.get(SHARE, ""), film.radiograph)
    if not drawn:
        return film
    mine = {canonical(a.finding) for a in drawn} if st.session_state.get("score_against_mine", True) else set()
    experts = [a for a in film.annotations if canonical(a.finding) not in mine]
    outlined = {canonical(a.finding) for a in experts}
    return replace(film, annotations=(*experts, *(a for a in drawn if canonical(a.finding) not in outlined)))
