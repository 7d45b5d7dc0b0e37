"""One person's session: what their link asked for, and what they chose since."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import streamlit as st

from classifiers.registry import ModelEntry
from dashboard.shared import caches, choosing, reference, resumption
from dashboard.shared.state import SHARE, UPLOAD, Choice, Known, from_query
from xai_methods import methods

_log = logging.getLogger(__name__)
SHARED = ("collection", "film_id", "model", "only_finding", "only_outlined", "only_held_out", reference.KEY)
"""Widgets that several pages draw."""


def opened_with(models: list[ModelEntry]) -> tuple[Choice, list[str]]:
    """What the link asked for with which the session was opened; sets the shared widgets where they are new.

    Returns:
        The link's choice, and a sentence for each thing in it that could not be followed.
    """
    state = st.session_state
    for key in SHARED:
        if key in state:
            # persist_state alone shows the default for a moment where one page that draws the widget follows another.
            state[key] = state[key]
    if "link" not in state:
        if SHARE in st.query_params:
            state[SHARE] = st.query_params[SHARE][:100]
        state["link"], state["link_words"] = _from_address(models)
        state["run_at_once"] = state["link"].run
    link: Choice = state["link"]
    if "collection" not in state:
        _take_film(link.film or choosing.first_film())
    reference.begin(by_link=not link.view.outline)
    if "second" not in state and link.second:
        state["second"] = link.second
    if "model" not in state and models:
        available = [entry.name for entry in models if entry.available] or [entry.name for entry in models]
        state["model"] = link.model or choosing.first_model(available, link.film or choosing.first_film())
    return link, state["link_words"]


def _take_film(film: str) -> None:
    """Set the widgets to a film, by its reference."""
    collection, _, film_id = film.partition("/")
    if collection:
        st.session_state["collection"] = collection
    if film_id:
        st.session_state["own_film" if collection == UPLOAD else "film_id"] = film_id


def forget_link(*widgets: str) -> None:
    """Have the next page read its address anew; ``widgets`` are keys of those that start over as well."""
    for key in ("link", *widgets):
        st.session_state.pop(key, None)


# Streamlit's bind="query-params" is not used: it names a parameter by one widget's key and a value by the words on the
# screen, leaves out defaults although they differ from computer to computer, and drops unknown values in silence.
def write_address(address: dict[str, list[str]]) -> None:
    """Make the page's address say what is shown."""
    if SHARE in st.session_state:
        address = address | {SHARE: [st.session_state[SHARE]]}
    resumption.note_view(address)
    if {key: st.query_params.get_all(key) for key in st.query_params} != address:
        st.query_params.from_dict(address)


def _from_address(models: list[ModelEntry]) -> tuple[Choice, list[str]]:
    available = {entry.name for entry in models if entry.available}
    query = {key: st.query_params.get_all(key) for key in st.query_params}
    known = Known(
        film_exists=choosing.film_exists,
        models=[entry.name for entry in models],
        findings=lambda name: _findings_of(name) if name in available else None,
        methods=methods(),
    )
    return from_query(query, known)


def _findings_of(name: str) -> Sequence[str] | None:
    """What a model knows; None where it cannot be loaded, which the page will say itself."""
    try:
        return caches.classifier(name).findings
    except (LookupError, ValueError, OSError) as error:
        _log.warning("a link names a model that cannot be loaded: %s", error)
        return None
