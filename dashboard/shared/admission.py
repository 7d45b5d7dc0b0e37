"""The door: who may open a page at all, and what stands there for those who may not."""

from __future__ import annotations

import os
import time

import streamlit as st

from dashboard.people import audit, identity
from dashboard.shared import belongings
from dashboard.shared.unforeseen import safely


def refusal() -> str:
    """Why the person whose page is drawn may not come in, in a sentence; "" where they may."""
    if identity.sign_in_required():
        said = identity.signed_in_as()
        if not said:
            return "Sign in to use this dashboard."
        if not identity.account_of(said, time.time()):
            return "Your sign-in has run out, or names no account. Sign in again."
        return ""
    if identity.is_local() or os.environ.get(identity.OPEN_VARIABLE) == "1":
        return ""
    return (
        "This dashboard is for the computer that it runs on. To serve it to others, its keeper sets up sign-in, or "
        "starts it with --open-to-network (docs/deployment.md)."
    )


def admit(page: str) -> None:
    """Let this person in and take note that they are there, or say why not and draw no more.

    Args:
        page: the address of the page about to be drawn, "" for the first.
    """
    words = refusal()
    if words:
        _draw_door(words)
        st.stop()
    state = st.session_state
    if "opened on" not in state:
        state["opened on"] = page
        audit.note("open", page)
    belongings.visited()
    if identity.sign_in_required():
        _draw_account()


def _draw_door(words: str) -> None:
    st.header("XAI Lightbox", anchor=False)
    st.info(words, icon=":material/lock:")
    if identity.sign_in_required():
        st.button("Sign in", type="primary", icon=":material/login:", key="sign_in", on_click=safely(st.login))


def _draw_account() -> None:
    said = identity.signed_in_as()
    with (
        st.sidebar,
        st.popover(str(said.get("name") or said.get("email") or "Signed in")[:40], icon=":material/person:"),
    ):
        st.button("Sign out", icon=":material/logout:", key="sign_out", on_click=safely(st.logout))
