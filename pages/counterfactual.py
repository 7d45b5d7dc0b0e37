"""Counterfactual: the film generated so that the model answers otherwise."""

import streamlit as st

from dashboard.counterfactual import page
from dashboard.shared import style
from dashboard.shared.film_and_model import draw_heading

style.heading(page.TITLE)
st.markdown(page.WHAT)
request = page.choose()
if request is not None:
    draw_heading(request.film, request.classifier)
    page.draw(request)
