"""What is known of the film and what the model says of it, before any map."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.compare.question import Film, Question
from dashboard.shared import caches
from dashboard.shared.film_notes import draw_notes
from radiographs.findings import display_name

MOST_ROWS = 5


def describe(film: Film) -> str:
    """The film in a line: its collection, size, view, and what was outlined."""
    height, width = film.radiograph.shape
    parts = [film.card.title if film.card else "Uploaded film", f"{width} × {height} pixels"]
    entry = film.entry
    view = film.radiograph.view or (entry.view if entry else None)
    if view:
        parts.append(f"{view} view")
    if entry is not None and entry.age is not None:
        parts.append(f"age {entry.age}")
    if film.radiograph.pixel_spacing_mm:
        parts.append(f"{film.radiograph.pixel_spacing_mm[0]:.2f} mm a pixel")
    return " · ".join(parts)


def draw_facts(question: Question) -> None:
    """Draw the film's line and the model's probabilities, the likeliest first."""
    film, model = question.film, question.classifier
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{film.reference}** · {describe(film)}", width="content")
        said = st.popover(f"The model says: {_words(question)}", icon=":material/bar_chart:")
    draw_notes(film.radiograph)
    with said:
        outlined = tuple(sorted(name for name in model.findings if film.outlines(name)))
        _table(film.radiograph.digest, model.digest, outlined, question)


@st.cache_data(max_entries=64, show_spinner=False)
def _table(film_digest: str, model_digest: str, outlined: tuple[str, ...], _question: Question) -> None:
    """Streamlit replays what was drawn: the model's probabilities, the likeliest first."""
    film, model = _question.film, _question.classifier
    chances = caches.probabilities(film.radiograph.digest, model.digest, film, model)
    rows = sorted(chances.items(), key=lambda item: -item[1])
    table = pd.DataFrame(
        [(display_name(name), value, "yes" if name in outlined else "") for name, value in rows],
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
            "outlined": st.column_config.TextColumn("Outlined by an expert"),
        },
        alt="The model's probability for each finding",
    )
    st.caption(model.card.limits)


def _words(question: Question) -> str:
    film, model = question.film, question.classifier
    chances = caches.probabilities(film.radiograph.digest, model.digest, film, model)
    top = sorted(chances.items(), key=lambda item: -item[1])[:3]
    return ", ".join(f"{display_name(name)} {value:.0%}" for name, value in top)
