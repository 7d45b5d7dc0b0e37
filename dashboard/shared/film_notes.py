"""What the reader did to a film, or is not sure of, said where the film is shown; a person may overrule the doubts."""

from __future__ import annotations

import streamlit as st

from dashboard.shared.unforeseen import safely
from radiographs import Radiograph


def draw_notes(film: Radiograph) -> None:
    """Draw a warning with the doubts about a film, until they are overruled, and a line with what was done to it."""
    if film.doubts:
        words = " ".join(note.words for note in film.doubts)
        if is_overruled(film):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.caption(f"Overruled by you: {words}", width="content")
                st.button(
                    "Doubt it again", type="tertiary", key="doubt_again", on_click=safely(_overrule), args=(film, False)
                )
        else:
            st.warning(f"{words} What a model makes of this film stands under that doubt.", icon=":material/help:")
            st.button(
                "I have looked: it is a chest film, shown as it should be", type="tertiary", icon=":material/check:",
                key="overrule_doubt", on_click=safely(_overrule), args=(film, True),
                help="Takes the warning off this film until this page is closed; reports say that you overruled it.",
            )  # fmt: skip
    done = [note.words for note in film.notes if not note.doubt]
    if done:
        st.caption(" ".join(done))


def is_overruled(film: Radiograph) -> bool:
    """Whether the person has overruled the doubts about a film in this session."""
    return film.digest in st.session_state.get("overruled_doubts", ())


def _overrule(film: Radiograph, overruled: bool) -> None:
    films: set[str] = st.session_state.setdefault("overruled_doubts", set())
    (films.add if overruled else films.discard)(film.digest)
