"""Counterfactual: what would have to look different for the model to answer otherwise."""

import streamlit as st

from dashboard.counterfactual import page as counterfactual
from dashboard.facts import describe
from evaluation.exaggerated import in_words

TICK_SECONDS = 0.7


def draw(asked: counterfactual.Asked) -> None:
    st.markdown(f"**{asked.film.reference}** · {describe(asked.film)} · {asked.classifier.card.title}")
    status = counterfactual.start(asked)
    if status is None or status.pending:
        st.fragment(counterfactual.draw_waiting, run_every=TICK_SECONDS)(asked)
    elif status.state == "failed":
        st.error(status.error, icon=":material/error:")
    else:
        made = status.result
        if made.series.refusal:
            st.warning(f"Refused: {made.series.refusal}", icon=":material/block:")
            counterfactual.draw_trust(made)
            return
        st.fragment(counterfactual.draw_slider)(made)
        st.markdown(in_words(made))
        counterfactual.draw_course(made)
        counterfactual.draw_trust(made)
        st.fragment(counterfactual.draw_animation)(asked, made)


st.header(counterfactual.TITLE, anchor=False)
st.caption("For research and teaching, not for diagnosis.")
st.markdown(counterfactual.WHAT)
asked = counterfactual.ask()
if asked is not None:
    draw(asked)
