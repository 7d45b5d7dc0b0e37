"""Pages that ask for one film and one model: the two widgets, and the one thing that is worked out for them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

import streamlit as st

from classifiers import ChestClassifier
from classifiers import registry as model_registry
from dashboard.compare.question import Film
from dashboard.jobs import QueueFullError, Status, Work, sentence
from dashboard.shared import caches, choosing
from dashboard.shared.film_notes import draw_notes
from dashboard.shared.session import owner, restored
from radiographs import FilmError


def film_and_model() -> tuple[Film, ChestClassifier] | None:
    """Draw the film's and the model's widgets; None, with words on the page, where one of them is not at hand."""
    models = model_registry.list_models()
    choice, said = restored(models)
    for text in said:
        st.warning(text, icon=":material/link_off:")
    with st.sidebar:
        reference = choosing.choose_film()
        entry = choosing.choose_model(models) if models else None
    if entry is None:
        st.info("There is no model yet. See the About page for how to get one.", icon=":material/download:")
        return None
    if not reference or not entry.available:
        st.info("Choose a film and a model that are at hand on the left to begin.", icon=":material/arrow_back:")
        return None
    try:
        chosen = choosing.open_film(reference), caches.classifier(entry.name)
    except (FilmError, LookupError, ValueError, OSError, KeyError) as error:
        st.error(sentence(error), icon=":material/error:")
        return None
    draw_notes(chosen[0].radiograph)
    # The other pages open with the same film and model.
    st.session_state["choice"] = replace(choice, film=reference, model=entry.name)
    return chosen


def write_address(address: dict[str, str]) -> None:
    """Make the page's address say what is shown."""
    if dict(st.query_params) != address:
        st.query_params.from_dict(address)


def worked_out(key: Hashable, work: Work, purpose: str) -> Status | None:
    """Have one thing worked out, unless it is; what this person asked before for this purpose is dropped.

    Args:
        key: content address of the result. work: the computation, for the job manager.
        purpose: the page, so that pages do not cancel each other's work.
    """
    jobs, me = caches.manager(), f"{owner()} {purpose}"
    jobs.cancel(me, keep=(key,))
    status = jobs.status(key)
    if status is None or status.state == "cancelled":
        try:
            jobs.submit(key, work, owner=me)
        except QueueFullError as error:
            st.warning(sentence(error), icon=":material/hourglass:")
    return jobs.status(key)


def draw_progress(key: Hashable, doing: str) -> None:
    """Draw how far the work is, after words on what is being done; draw the whole page again once it has ended."""
    status = caches.manager().status(key)
    if status is None or not status.pending:
        st.rerun()
        return
    st.progress(status.share, f"{doing} · {status.words}")
