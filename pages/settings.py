"""Settings: what holds from one start to the next."""

import streamlit as st

from dashboard import settings_form

st.header("Settings", anchor=False)
settings_form.draw()
