"""Two models beside each other on the compare page: what their maps have in common."""

from __future__ import annotations

import streamlit as st

from dashboard.compare import caches
from evaluation.one_film.compare import FindingResult
from evaluation.one_film.two_models import between_models
from radiographs.findings import display_name


def draw(first: FindingResult, second: FindingResult) -> None:
    """Draw how far each method's maps of the two models agree, where a method has explained both."""
    both = [n for n, done in first.methods.items() if done.on_film is not None and n in second.methods]
    if any(second.methods[name].on_film is not None for name in both):
        with st.expander("What the two models' maps have in common", icon=":material/join_inner:"):
            _draw_table(first, second)
            st.caption(
                "Overlap of the top 10 % of pixels, on the film: 1 is the same, two random maps share 0.05. "
                "High between the models: what both look at, or a habit of the method, such as edges or the centre. "
                "Low: the map owes much to the one model."
            )


@st.cache_data(max_entries=128, show_spinner=False, hash_funcs=caches.RESULT_BY_CONTENT)
def _draw_table(first: FindingResult, second: FindingResult) -> None:
    st.dataframe(
        between_models(first, second)
        .style.format("{:.2f}", na_rep="–")
        .background_gradient(cmap="Blues", vmin=0, vmax=1.6),
        alt=f"Agreement of the two models' maps for {display_name(first.finding)}",
    )
