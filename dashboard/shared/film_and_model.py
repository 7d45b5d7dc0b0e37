"""The film and the model that a page is about: their widgets, and what is said where one of them is not available."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from classifiers import ChestClassifier
from classifiers import registry as model_registry
from classifiers.film_check import checked
from dashboard.jobs import sentence
from dashboard.shared import caches, choosing
from dashboard.shared.film_context import FilmContext
from dashboard.shared.film_notes import draw_notes
from dashboard.shared.reference import draw_toggle, revealed
from dashboard.shared.session import opened_with
from dashboard.shared.state import Choice
from evaluation.validity.outline_fit import with_outline_doubts
from radiographs import FilmError


def film_and_models(second: bool = False) -> tuple[FilmContext, list[ChestClassifier], Choice] | None:
    """Draw the film's and the model's widgets; None, with words on the page, where one of them is not available.

    Args:
        second: whether a second model may be set beside the first.

    Returns:
        The film, the model or models, and what the link asked for with which the session was opened.
    """
    known = model_registry.list_models()
    link, said = opened_with(known)
    for text in said:
        st.warning(text, icon=":material/link_off:")
    with st.sidebar:
        reference = choosing.choose_film()
        draw_toggle()
        entry = choosing.choose_model(known, reference) if known else None
        beside = choosing.choose_second(known, entry.name) if second and entry else ""
    if entry is None:
        st.info("There is no model yet. See the About page for how to get one.", icon=":material/download:")
        return None
    if not reference or not entry.available:
        st.info("Choose an available film and model on the left to begin.", icon=":material/arrow_back:")
        return None
    try:
        film = choosing.open_film(reference)
        models = [caches.classifier(name) for name in (entry.name, beside) if name]
        seen = checked(film.radiograph, *(model.card for model in models), entry=film.entry)
        if revealed(film.reference):
            seen = with_outline_doubts(seen, film.annotations)
        return replace(film, radiograph=seen), models, link
    except (FilmError, LookupError, ValueError, OSError) as error:
        st.error(sentence(error), icon=":material/error:")
        return None


def film_and_model() -> tuple[FilmContext, ChestClassifier] | None:
    """As :func:`film_and_models`, for a page about one model."""
    found = film_and_models()
    return None if found is None else (found[0], found[1][0])


def draw_heading(film: FilmContext, classifier: ChestClassifier) -> None:
    """Say in a line what the page is about, and what was found on reading the film."""
    st.markdown(f"{film.title} · {film.description()} · {classifier.card.title}")
    draw_notes(film.radiograph)
