"""The gallery: the films of a collection as pictures to click, with findings and outlines, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.jobs import sentence
from dashboard.shared import caches, reference
from dashboard.shared.fragments import dialog
from dashboard.shared.unforeseen import safely
from radiographs import FilmError
from radiographs.findings import display_name

PAGE = 24
"""Films on one page."""
_CARDS = """<style>
[class*=st-key-film_card] { position: relative; gap: .25rem; border-radius: 8px; }
[class*=st-key-film_card] :is([data-testid=stElementContainer], [data-testid=stButton], button) { position: static; }
[class*=st-key-film_card] button::after { content: ""; position: absolute; inset: 0; border-radius: 8px; }
[class*=st-key-film_card]:hover { outline: 2px solid light-dark(#0b6e8a, #7cc7dc); outline-offset: 3px; }
</style>"""
# A card's button reaches over its picture, so that a click on either takes the film, and the keyboard finds one button.


@dialog("Choose a film", width="large")
def show(collection: str, table: pd.DataFrame, captions: Mapping[str, str]) -> None:
    """Show the films of ``table`` (see ``caches.film_table``), the page with the chosen one first.

    Args:
        captions: what each film is called in lists, by its id.
    """
    state, pages = st.session_state, max(1, -(-len(table) // PAGE))
    ids = list(table["film_id"])
    key = f"gallery {collection} {len(ids)}"
    if key not in state:
        state[key] = ids.index(state["film_id"]) // PAGE if state.get("film_id") in ids else 0
    page = min(state[key], pages - 1)
    st.html(_CARDS)
    if pages > 1:
        with st.container(horizontal=True, vertical_alignment="center"):
            for label, step, end in (("Previous", -1, page == 0), ("Next", 1, page == pages - 1)):
                st.button(label, key=f"gallery_{label.lower()}", disabled=end, on_click=safely(_turn), args=(key, step))
            st.caption(f"Page {page + 1} of {pages}, {len(ids):,} films", width="content")
    with st.grid(min_column_width=150):
        for row in table.iloc[page * PAGE : (page + 1) * PAGE].itertuples():
            with st.container(key=f"film_card {row.film_id}"):
                _draw_card(collection, row, captions[row.film_id])
    if state.pop("taken", False):
        state.pop(key)
        st.rerun()


def _draw_card(collection: str, row: Any, caption: str) -> None:
    shown = reference.revealed(f"{collection}/{row.film_id}")
    try:
        picture = caches.small_picture(f"{collection}/{row.film_id}", shown)
        st.image(picture, width="stretch", alt=f"Film {caption}")
    except (FilmError, LookupError) as error:
        st.caption(sentence(error))
    name, _, labels = caption.partition(" · ")
    st.button(name, key=f"take {row.film_id}", type="tertiary", on_click=safely(_take), args=(row.film_id,))
    outlined = f" · outlined: {', '.join(display_name(f).lower() for f in row.annotated)}" if row.annotated else ""
    if shown and labels:
        st.caption(labels + outlined)


def _turn(key: str, step: int) -> None:
    st.session_state[key] += step


def _take(film_id: str) -> None:
    st.session_state["film_id"] = film_id
    st.session_state["taken"] = True
