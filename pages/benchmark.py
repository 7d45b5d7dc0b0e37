"""Benchmark: methods over whole collections, started, watched and read here."""

import streamlit as st

from dashboard.benchmark import page, results
from dashboard.shared import style
from dashboard.shared.fragments import fragment
from dashboard.shared.unforeseen import guarded

style.heading("Benchmark")
st.markdown(
    "Score methods over all outlined films of a collection. A run works in the background, can be stopped, and goes on "
    "where it was; results show as they come."
)
folder = page.choose()
if folder is not None:
    fragment(page.draw_status, ticking=page.live(folder))(folder)
    with guarded("The results cannot be shown"):
        results.draw(folder)
