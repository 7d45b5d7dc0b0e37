"""Another name for a model of one's own."""

from __future__ import annotations

import streamlit as st

from classifiers.own_models import rename_model
from dashboard.jobs import sentence
from dashboard.people.roles import permit
from dashboard.shared import caches
from dashboard.shared.fragments import dialog
from dashboard.shared.unforeseen import safely


def rename(name: str, title: str) -> None:
    """Ask for another short name and title of a model of one's own."""
    st.session_state.pop("renaming", None)
    _ask(name, title)


@dialog("Rename a model")
def _ask(name: str, title: str) -> None:
    failure = st.session_state.pop("renaming", None)
    if failure == "":
        st.rerun()
    st.text_input("Short name", name, key="rename_model_name")
    st.text_input("Name for people", title, key="rename_model_title")
    if failure:
        st.error(failure, icon=":material/error:")
    st.button("Rename", type="primary", key="rename_model", on_click=safely(_try_to_rename), args=(name,))


def _try_to_rename(name: str) -> None:
    state = st.session_state
    try:
        permit("add model", name)
        rename_model(name, state["rename_model_name"].strip(), state["rename_model_title"].strip() or None)
    except (ValueError, LookupError, OSError) as error:
        state["renaming"] = sentence(error)
    else:
        caches.classifier.clear()
        state["renaming"] = ""
