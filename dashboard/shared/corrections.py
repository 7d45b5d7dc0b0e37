"""Films that a person turned, mirrored or inverted, for the session: by the digest of the film as it lay."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboard.shared.caches import BY_CONTENT
from dashboard.shared.film_context import FilmContext
from radiographs import Radiograph
from radiographs.corrections import Correction


def _made() -> dict[str, Correction]:
    return st.session_state.setdefault("corrections", {})


def _results() -> dict[str, str]:
    """Digest of each corrected film -> digest of the film before."""
    return st.session_state.setdefault("corrected_films", {})


def correct(film: Radiograph, correction: Correction) -> None:
    """Show the film corrected from now on."""
    _made()[film.digest] = correction


def undo(film: Radiograph) -> None:
    """Show the film again as it lay before anything was done to it by hand."""
    before = _results().pop(film.digest, None)
    while before is not None:
        _made().pop(before, None)
        before = _results().pop(before, None)


def corrected_by_hand(film: Radiograph) -> bool:
    """Whether the film was corrected in this session."""
    return film.digest in _results()


def with_corrections(film: FilmContext) -> FilmContext:
    """The film as the person corrected it, its outlines carried along."""
    seen = {film.radiograph.digest}
    while film.radiograph.digest in _made():
        before = film.radiograph.digest
        film = _corrected(film, _made()[before])
        if film.radiograph.digest in seen:
            break
        seen.add(film.radiograph.digest)
        _results()[film.radiograph.digest] = before
    return film


@st.cache_resource(max_entries=4, show_spinner=False, scope="session", hash_funcs=BY_CONTENT)
def _corrected(film: FilmContext, correction: Correction) -> FilmContext:
    annotations = tuple(correction.carry(annotation) for annotation in film.annotations)
    return replace(film, radiograph=correction.apply(film.radiograph), annotations=annotations)
