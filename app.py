"""XAI Lightbox: navigation and page configuration."""

import streamlit as st

from radiographs.places import asset

st.set_page_config(page_title="XAI Lightbox", page_icon=str(asset("icon.png")), layout="wide")
st.navigation(
    [
        st.Page("pages/compare.py", title="Compare", icon=":material/compare:", default=True),
        st.Page("pages/stability.py", title="Stability", icon=":material/vibration:"),
        st.Page("pages/about.py", title="About", icon=":material/info:"),
    ],
    position="top",
).run()
