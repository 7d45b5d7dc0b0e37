"""Settings: what holds from one start to the next."""

import streamlit as st

from dashboard.settings import form

st.header("Settings", anchor=False)
form.draw()
