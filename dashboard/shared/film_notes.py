"""What the reader did to a film, or is not sure of, said where the film is shown; a person may overrule the doubts."""

from __future__ import annotations

import streamlit as st

from classifiers.film_check import correction_of
from dashboard.shared import corrections, style
from dashboard.shared.unforeseen import safely
from evaluation.validity.outline_fit import CODE as MISPLACED
from radiographs import Radiograph


def draw_notes(film: Radiograph) -> None:
    """Draw a warning with the doubts about a film, until they are overruled, and a line with what was done to it.

    While a doubt stands, the page's numbers are grey and the cure, where there is one, is offered.
    """
    if film.doubts:
        words = " ".join(note.words for note in film.doubts)
        if is_overruled(film):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.caption(f"Overruled by you: {words}", width="content")
                st.button(
                    "Doubt it again", type="tertiary", key="doubt_again", on_click=safely(_overrule), args=(film, False)
                )
        else:
            _draw_doubts(film, words)
    done = [note.words for note in film.notes if not note.doubt]
    if done or corrections.corrected_by_hand(film):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(" ".join(done), width="content")
            if corrections.corrected_by_hand(film):
                st.button(
                    "As it lay", type="tertiary", icon=":material/undo:", key="undo_correction",
                    on_click=safely(corrections.undo), args=(film,),
                    help="Show the film as it was before you corrected it.",
                )  # fmt: skip


def _draw_doubts(film: Radiograph, words: str) -> None:
    style.grey_numbers()
    said = (
        "Scores against it stand"
        if all(n.code == MISPLACED for n in film.doubts)
        else "What a model makes of this film stands"
    )
    st.warning(f"{words} {said} under that doubt.", icon=":material/help:")
    cure = correction_of(film)
    with st.container(horizontal=True, vertical_alignment="center"):
        if cure is not None:
            st.button(
                f"Correct it: {cure.words}", icon=":material/rotate_right:", key="correct_film",
                on_click=safely(corrections.correct), args=(film, cure),
                help="The film is shown and given to the model so; exports say what was done.",
            )  # fmt: skip
        st.button(
            "Continue anyway", type="tertiary", icon=":material/check:",
            key="overrule_doubt", on_click=safely(_overrule), args=(film, True),
            help="You have looked: takes the warning off this film, and the grey off its numbers, until this page is "
            "closed; reports say that you overruled it.",
        )  # fmt: skip


def is_overruled(film: Radiograph) -> bool:
    """Whether the person has overruled these doubts about the film in this session."""
    return _doubts_key(film) in st.session_state.get("overruled_doubts", ())


def _doubts_key(film: Radiograph) -> tuple[str, ...]:
    """The film and its doubts: under another model there may be others, which nobody has overruled."""
    return film.digest, *(note.words for note in film.doubts)


def _overrule(film: Radiograph, overruled: bool) -> None:
    films: set[tuple[str, ...]] = st.session_state.setdefault("overruled_doubts", set())
    (films.add if overruled else films.discard)(_doubts_key(film))
