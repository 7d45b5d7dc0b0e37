"""Settings: what holds from one start to the next."""

import streamlit as st

from dashboard.settings import settings_form

st.header("Settings", anchor=False)
settings_form.draw()
