"""Stability: how far the film can move before the answer does, and whether the Jacobian may be believed."""

import streamlit as st

from dashboard import style
from dashboard.facts import describe
from dashboard.stability import page as stability
from dashboard.stability import words as stability_words

TICK_SECONDS = 1.0


def draw(asked: stability.Asked) -> None:
    st.markdown(f"**{asked.film.reference}** · {describe(asked.film)} · {asked.classifier.card.title}")
    status = stability.start(asked)
    if status is None or status.pending:
        st.fragment(stability.draw_waiting, run_every=TICK_SECONDS)(asked)
    elif status.state == "failed":
        st.error(status.error, icon=":material/error:")
    else:
        found = status.result
        stability.draw_verdict(found)
        st.fragment(stability.draw_slider)(found)
        st.fragment(stability.draw_findings)(asked, found)
        st.fragment(stability.draw_shaken)(found)
        stability.draw_spectrum(found)
        stability.draw_availability(found)
        stability.draw_download(asked, found)


style.heading(stability_words.TITLE)
st.markdown(stability_words.WHAT)
asked = stability.ask()
if asked is not None:
    draw(asked)
