"""Whether what experts outlined is shown: a person may look first and have it revealed, film by film."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboard.settings import settings
from dashboard.shared.film_context import FilmContext

KEY = "hide_reference"
"""Session key of the widget by which the reference is hidden."""
HELP = (
    "For teaching: nothing tells what experts outlined, no outline, label, sentence or score, until you reveal it, "
    "film by film. What you draw is always shown."
)


def begin(by_link: bool) -> None:
    """Set the widget where the session is new; ``by_link``: whether the link hides the outline."""
    if KEY not in st.session_state:
        st.session_state[KEY] = by_link or settings.load().hide_outline


def draw_toggle() -> None:
    """Draw the widget by which the reference is hidden."""
    st.toggle("Hide reference annotations", key=KEY, help=HELP, persist_state="session")


def hiding() -> bool:
    """Whether the reference of a film is hidden before it is revealed."""
    return bool(st.session_state.get(KEY, False))


def revealed(reference: str) -> bool:
    """Whether the film's reference may be shown."""
    return not hiding() or reference in st.session_state.get("revealed_films", ())


def reveal(reference: str) -> None:
    """Show the reference of this film from now on."""
    st.session_state.setdefault("revealed_films", set()).add(reference)


def as_shown(film: FilmContext) -> FilmContext:
    """The film, without what experts outlined where that is hidden."""
    return film if revealed(film.reference) else replace(film, annotations=(), reference_hidden=True)
