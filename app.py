"""XAI Lightbox: navigation and page configuration."""

import streamlit as st

from dashboard.cli import first_page

first_page.wait()

from dashboard.shared import admission, resumption, style, tour  # noqa: E402
from dashboard.shared.drawing_again import wait_until_enqueued  # noqa: E402
from dashboard.shared.unforeseen import guarded  # noqa: E402
from radiographs.places import asset  # noqa: E402

st.set_page_config(page_title="XAI Lightbox", page_icon=str(asset("icon.png")), layout="wide")
page = st.navigation(
    [
        st.Page("pages/compare.py", title="Compare", icon=":material/compare:", default=True),
        st.Page("pages/stability.py", title="Stability", icon=":material/vibration:"),
        st.Page("pages/counterfactual.py", title="Counterfactual", icon=":material/compare_arrows:"),
        st.Page("pages/benchmark.py", title="Benchmark", icon=":material/leaderboard:"),
        st.Page("pages/class.py", title="Class", icon=":material/school:"),
        st.Page("pages/study.py", title="Study", icon=":material/rule:"),
        st.Page("pages/methods.py", title="Methods", icon=":material/menu_book:"),
        st.Page("pages/library.py", title="Library", icon=":material/photo_library:"),
        st.Page("pages/glossary.py", title="Glossary", icon=":material/dictionary:"),
        st.Page("pages/settings.py", title="Settings", icon=":material/settings:"),
        st.Page("pages/about.py", title="About", icon=":material/info:"),
    ],
    position="top",
)
style.apply()
admission.admit(page.url_path)
with guarded("What was broken off cannot be shown"):
    resumption.offer()
with guarded("The tour cannot be shown"):
    tour.offer(first_page=page.url_path == "")
with guarded("This page cannot be shown"):
    page.run()
wait_until_enqueued()
first_page.drawn()
