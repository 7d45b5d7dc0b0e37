"""Benchmark: methods over whole collections, started, watched and read here."""

import streamlit as st

from dashboard.benchmark import page as benchmark
from dashboard.benchmark import results as benchmark_results
from dashboard.shared import style
from dashboard.shared.redrawing import by_itself

style.heading("Benchmark")
st.markdown(
    "Score methods over all outlined films of a collection. A run works in the background, can be stopped, and goes on "
    "where it was; results show as they come."
)
folder = benchmark.choose()
if folder is not None:
    by_itself(benchmark.draw_status, ticking=benchmark.live(folder))(folder)
    benchmark_results.draw(folder)
