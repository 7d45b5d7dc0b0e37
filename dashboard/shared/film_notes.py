"""What the reader did to a film, or is not sure of, said where the film is shown."""

from __future__ import annotations

import streamlit as st

from radiographs import Radiograph


def draw_notes(film: Radiograph) -> None:
    """Draw a warning with the doubts about a film, and a line with what was done to it; nothing where there is none."""
    if film.doubts:
        words = " ".join(note.words for note in film.doubts)
        st.warning(f"{words} What a model makes of this film stands under that doubt.", icon=":material/help:")
    done = [note.words for note in film.notes if not note.doubt]
    if done:
        st.caption(" ".join(done))
