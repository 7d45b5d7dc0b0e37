"""Another name for a model of one's own."""

from __future__ import annotations

import streamlit as st

from classifiers.own_models import rename_model
from dashboard.jobs import sentence
from dashboard.shared import caches


@st.dialog("Rename a model")
def rename(name: str, title: str) -> None:
    """Ask for another short name and title of a model of one's own."""
    new = st.text_input("Short name", name, key="rename_model_name")
    called = st.text_input("Name for people", title, key="rename_model_title")
    if st.button("Rename", type="primary", key="rename_model"):
        try:
            rename_model(name, new.strip(), called.strip() or None)
        except (ValueError, LookupError, OSError) as error:
            st.error(sentence(error), icon=":material/error:")
            return
        caches.classifier.clear()
        st.rerun()
