"""Which study, and which of its readers sits here: by account where people sign in, else by the code they have."""

from __future__ import annotations

import streamlit as st

from dashboard.people import audit, identity
from dashboard.shared import belongings
from dashboard.shared.session import write_address
from dashboard.shared.style import literal
from dashboard.shared.unforeseen import safely
from evaluation.reader_study.store import StudyStore, studies

KEY = "study"
"""Of the choice of a study, in the session's state and in the address."""
REFUSED = "study code refused"


def choose() -> StudyStore | None:
    """The study that the reader chose, or the only one; None, with words on the page, where there is none."""
    found = {one.slug: one for one in studies() if not one.closed}
    if not found:
        st.info(
            "No study is open on this computer. `lightbox study open FILE` opens one; docs/reader-study.md says how.",
            icon=":material/info:",
        )
        return None
    if KEY not in st.session_state and st.query_params.get(KEY) in found:
        st.session_state[KEY] = st.query_params[KEY]
    slug = next(iter(found))
    if len(found) > 1:
        names = {slug: one.study.name for slug, one in found.items()}
        slug = st.selectbox("Study", list(found), format_func=names.__getitem__, key=KEY)
    write_address({KEY: [slug]})
    return found[slug]


def reader(store: StudyStore) -> int | None:
    """The number of the reader at this page; None, with what lets them in on the page, where nobody is known."""
    if identity.sign_in_required():
        return _by_account(store)
    known = store.reader_at(belongings.person())
    if known is None:
        _draw_code(store)
        return None
    with st.sidebar:
        st.caption(f"You are reader {known}.")
        st.button("Somebody else reads", icon=":material/logout:", on_click=safely(_leave), args=(store,))
    return known


def _by_account(store: StudyStore) -> int | None:
    known = store.reader_of(identity.name())
    if known is None:
        st.markdown(f"You are about to read in the study **{literal(store.study.name)}**, under your account.")
        st.button("Take part", type="primary", key="take_part", on_click=safely(store.join), args=(identity.name(),))
    return known


def _draw_code(store: StudyStore) -> None:
    with st.form("reader's code", width=420):
        st.text_input("Your reader's code", key="reader_code", max_chars=20, placeholder="eight letters and digits")
        st.form_submit_button("Begin, or go on", type="primary", on_click=safely(_enter), args=(store,))
    if st.session_state.pop(REFUSED, False):
        st.error("No reader of this study has that code. Compare it letter by letter.", icon=":material/key_off:")
    st.caption("The same code goes on where you stopped, on any device.")


def _enter(store: StudyStore) -> None:
    found = store.reader_of(st.session_state["reader_code"])
    if found is None:
        st.session_state[REFUSED] = True
        audit.note("refused: study code", store.slug)
    else:
        store.remember(belongings.person(), found)
        st.session_state.pop("reader_code", None)


def _leave(store: StudyStore) -> None:
    store.remember(belongings.person(), None)
