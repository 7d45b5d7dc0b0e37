"""Stability: how far the film can move before the answer does, and whether the Jacobian may be believed."""

import streamlit as st

from dashboard.compare.facts import describe
from dashboard.shared import style
from dashboard.shared.redrawing import by_itself
from dashboard.stability import page as stability
from dashboard.stability import words as stability_words


def draw(asked: stability.Asked) -> None:
    st.markdown(f"**{asked.film.reference}** · {describe(asked.film)} · {asked.classifier.card.title}")
    status = stability.start(asked)
    if status is None or status.pending:
        by_itself(stability.draw_waiting, ticking=True)(asked)
    elif status.state == "failed":
        st.error(status.error, icon=":material/error:")
    else:
        found = status.result
        stability.draw_verdict(found)
        by_itself(stability.draw_slider)(found)
        by_itself(stability.draw_findings)(asked, found)
        by_itself(stability.draw_shaken)(found)
        stability.draw_spectrum(found)
        stability.draw_availability(found)
        stability.draw_download(asked, found)


style.heading(stability_words.TITLE)
st.markdown(stability_words.WHAT)
asked = stability.ask()
if asked is not None:
    draw(asked)
