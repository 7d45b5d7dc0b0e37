"""What is known of the film and the model's output, before any map."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from classifiers import ChestClassifier
from dashboard.compare import regions
from dashboard.shared import caches
from dashboard.shared.film_context import FilmContext
from dashboard.shared.film_notes import draw_notes
from dashboard.shared.reference import reveal
from dashboard.shared.unforeseen import safely
from radiographs.findings import display_name


def draw_facts(film: FilmContext, classifier: ChestClassifier) -> None:
    """Draw the film's line and the model's probabilities, the likeliest first."""
    rows = sorted(caches.probabilities(film.radiograph, classifier).items(), key=lambda item: -item[1])
    top = ", ".join(f"{display_name(name)} {value:.0%}" for name, value in rows[:3])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{film.title} · {film.description()}", width="content")
        with st.container(key="model_output", width="content"):
            said = st.popover(f"Model output: {top}", icon=":material/bar_chart:")
        regions.draw_own(film)
        if film.reference_hidden:
            st.button(
                "Reveal the reference", icon=":material/visibility:", on_click=safely(reveal), args=(film.reference,)
            )
    draw_notes(film.radiograph)
    with said:
        _table(film, classifier)


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs=caches.BY_CONTENT)
def _table(film: FilmContext, classifier: ChestClassifier) -> None:
    """Streamlit replays what was drawn: the model's probabilities, the likeliest first."""
    rows = sorted(caches.probabilities(film.radiograph, classifier).items(), key=lambda item: -item[1])
    table = pd.DataFrame(
        [(display_name(name), value, "yes" if film.outlines(name) else "") for name, value in rows],
        columns=["finding", "probability", "outlined"],
    )
    st.dataframe(
        table,
        hide_index=True,
        width="content",
        column_config={
            "finding": "Finding",
            "probability": st.column_config.ProgressColumn(
                "Probability", format="percent", min_value=0.0, max_value=1.0, color="auto"
            ),
            "outlined": st.column_config.TextColumn("Reference annotation"),
        },
        alt="The model's probability for each finding",
    )
    st.caption(classifier.card.limits)
