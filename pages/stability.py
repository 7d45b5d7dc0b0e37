"""Stability: how small changes of the film move the answer, and whether the Jacobian may be believed."""

import streamlit as st

from dashboard.shared import style
from dashboard.shared.film_and_model import draw_heading
from dashboard.stability import page, words

style.heading(words.TITLE)
st.markdown(words.WHAT)
chosen = page.choose()
if chosen is not None:
    draw_heading(*chosen)
    page.draw(*chosen)
