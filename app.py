"""XAI Lightbox: navigation and page configuration."""

import streamlit as st

from dashboard import tour
from radiographs.places import asset

st.set_page_config(page_title="XAI Lightbox", page_icon=str(asset("icon.png")), layout="wide")
page = st.navigation(
    [
        st.Page("pages/compare.py", title="Compare", icon=":material/compare:", default=True),
        st.Page("pages/stability.py", title="Stability", icon=":material/vibration:"),
        st.Page("pages/counterfactual.py", title="Counterfactual", icon=":material/compare_arrows:"),
        st.Page("pages/benchmark.py", title="Benchmark", icon=":material/leaderboard:"),
        st.Page("pages/methods.py", title="Methods", icon=":material/menu_book:"),
        st.Page("pages/library.py", title="Library", icon=":material/photo_library:"),
        st.Page("pages/settings.py", title="Settings", icon=":material/settings:"),
        st.Page("pages/about.py", title="About", icon=":material/info:"),
    ],
    position="top",
)
# Streamlit writes a chosen pill in the accent on its own tint, which is too dark to read where the theme is dark.
st.html("<style>button[data-selected='true'] * {color: light-dark(#0b6e8a, #7cc7dc)}</style>")
tour.offer(first_page=page.url_path == "")
page.run()
