"""One person's session: who they are to the job manager, what they chose, and the page's address."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from classifiers.registry import ModelEntry
from dashboard.compare.question import Question
from dashboard.settings import settings
from dashboard.shared import caches, choosing
from dashboard.shared.display import View
from dashboard.shared.state import UPLOAD, Choice, Known, differing, from_query, to_query
from xai_methods import get_method, methods

_log = logging.getLogger(__name__)
KEPT = ("collection", "film_id", "model", "second")
"""Widgets that keep their value from page to page."""


def owner() -> str:
    """A random name by which the job manager knows this session: the server's own, which tells whether it is there."""
    context = get_script_run_ctx()
    return context.session_id if context is not None else "nobody"


def restored(models: list[ModelEntry]) -> tuple[Choice, list[str]]:
    """What was chosen before, or what the address asks for, or the example; sets the widgets where they are new.

    Returns:
        The choice, and a sentence for each thing in the address that could not be followed.
    """
    state = st.session_state
    for key in KEPT:
        if key in state:
            # Said again, a widget's value outlives a visit to a page that does not draw the widget.
            state[key] = state[key]
    if "choice" not in state:
        choice, state["link_words"] = _from_address(models)
        if settings.load().hide_outline and "outline" not in st.query_params:
            choice = replace(choice, view=replace(choice.view, outline=False))
        state["choice"] = choice
        state["run_at_once"] = state["choice"].run
    choice = state["choice"]
    if "collection" not in state:
        collection, _, film_id = (choice.film or choosing.first_film()).partition("/")
        if collection:
            state["collection"] = collection
        if collection != UPLOAD and film_id:
            state["film_id"] = film_id
    if "second" not in state and choice.second:
        state["second"] = choice.second
    if "model" not in state and models:
        available = [entry.name for entry in models if entry.available] or [entry.name for entry in models]
        state["model"] = choice.model or choosing.first_model(available, choice.film or choosing.first_film())
    return choice, state["link_words"]


def _from_address(models: list[ModelEntry]) -> tuple[Choice, list[str]]:
    at_hand = {entry.name for entry in models if entry.available}
    query = {key: st.query_params.get_all(key) for key in st.query_params}
    known = Known(
        film_exists=choosing.film_exists,
        models=[entry.name for entry in models],
        findings=lambda name: _findings_of(name) if name in at_hand else None,
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


def remember(question: Question, view: View, second: str = "") -> None:
    """Keep what was chosen for this session and write it into the page's address."""
    state = st.session_state
    parameters = {name: differing(get_method(name), given.as_dict()) for name, given in question.parameters.items()}
    choice = Choice(
        film=question.film.reference,
        model=question.classifier.name,
        second=second,
        findings=question.findings,
        methods=tuple(question.parameters),
        parameters={name: given for name, given in parameters.items() if given},
        seed=question.seed,
        view=view,
        run=any(caches.manager().status(key) is not None for key in question.keys()),
    )
    state["choice"] = choice
    query = to_query(replace(choice, methods=() if choice.methods == choosing.usual_methods() else choice.methods))
    if {key: st.query_params.get_all(key) for key in st.query_params} != query:
        st.query_params.from_dict(query)
