"""Counterfactual: what would have to look different for the model to answer otherwise."""

import streamlit as st

from dashboard.compare.facts import describe
from dashboard.counterfactual import page
from dashboard.shared import style
from dashboard.shared.redrawing import by_itself
from evaluation.counterfactuals.exaggerated import Exaggerated, ExaggeratedPlane, in_words, plane_in_words


def draw(asked: page.Asked) -> None:
    st.markdown(f"**{asked.film.reference}** · {describe(asked.film)} · {asked.classifier.card.title}")
    status = page.start(asked)
    if status is None or status.pending:
        by_itself(page.draw_waiting, ticking=True)(asked)
    elif status.state == "failed":
        st.error(status.error, icon=":material/error:")
    else:
        draw_made(asked, status.result)


def draw_made(asked: page.Asked, made: Exaggerated | ExaggeratedPlane) -> None:
    refusal = made.series.refusal if isinstance(made, Exaggerated) else made.plane.refusal
    if refusal:
        st.warning(f"Refused: {refusal}", icon=":material/block:")
    else:
        page.draw_player(asked, made)
        st.markdown(in_words(made) if isinstance(made, Exaggerated) else plane_in_words(made))
    if isinstance(made, Exaggerated):
        if not refusal:
            page.draw_course(made)
            page.draw_downloads(asked, made)
        page.draw_trust(made)
    elif not refusal:
        page.draw_plane(made)


style.heading(page.TITLE)
st.markdown(page.WHAT)
asked = page.ask()
if asked is not None:
    draw(asked)
