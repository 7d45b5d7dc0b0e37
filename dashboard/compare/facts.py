"""What is known of the film and the model's output, before any map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

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


def draw_facts(film: FilmContext, classifiers: Sequence[ChestClassifier], further: Callable[[], None]) -> None:
    """Draw the film's line and each model's probabilities, the first model's likeliest findings first.

    Args:
        film: the film. classifiers: the models. further: draws what else stands in the line.
    """
    outputs = []
    for classifier in classifiers:
        known = sorted(caches.probabilities(film.radiograph, classifier).items(), key=lambda item: -item[1])
        top = ", ".join(
            f"{display_name(name)} {value:.0%}" for name, value in known[: 3 if len(classifiers) == 1 else 2]
        )
        outputs.append(top if len(classifiers) == 1 else f"{classifier.card.title} {top}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{film.title} · {film.description()}", width="content")
        with st.container(key="model_output", width="content"):
            said = st.popover(f"Model output: {' · '.join(outputs)}", icon=":material/bar_chart:")
        regions.draw_own(film)
        further()
        if film.reference_hidden:
            st.button(
                "Reveal the reference", icon=":material/visibility:", on_click=safely(reveal), args=(film.reference,)
            )
    draw_notes(film.radiograph)
    with said:
        _table(film, tuple(classifiers))


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs=caches.BY_CONTENT)
def _table(film: FilmContext, classifiers: tuple[ChestClassifier, ...]) -> None:
    """Streamlit replays what was drawn: the models' probabilities, the first one's likeliest first."""
    titles = [classifier.card.title for classifier in classifiers]
    columns = titles if len(titles) > 1 else ["Probability"]
    table = pd.DataFrame(
        {title: caches.probabilities(film.radiograph, model) for title, model in zip(columns, classifiers)}
    ).sort_values(columns[0], ascending=False)
    table.insert(0, "finding", [display_name(name) for name in table.index])
    table["outlined"] = ["yes" if film.outlines(str(name)) else "" for name in table.index]
    st.dataframe(
        table,
        hide_index=True,
        width="content",
        column_config={
            "finding": "Finding",
            **{title: _bar(title) for title in columns},
            "outlined": st.column_config.TextColumn("Reference annotation"),
        },
        alt="Each model's probability for each finding",
    )
    for title, classifier in zip(titles, classifiers):
        st.caption(classifier.card.limits if len(titles) == 1 else f"{title}: {classifier.card.limits}")


def _bar(title: str) -> Any:
    return st.column_config.ProgressColumn(title, format="percent", min_value=0.0, max_value=1.0, color="auto")
