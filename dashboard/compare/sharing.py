"""Sharing a view with one's own film or regions: on purpose, by a link with a secret word, until its owner ends it."""

from __future__ import annotations

import streamlit as st

from dashboard.compare.request import CompareRequest
from dashboard.jobs import sentence
from dashboard.shared import corrections, own_regions, shares
from dashboard.shared.state import SHARE, UPLOAD
from dashboard.shared.unforeseen import safely


def draw(request: CompareRequest) -> None:
    """Draw the menu of what is one's own; it stands there always, so that a region that comes pushes nothing down."""
    film = request.film.radiograph
    upload = request.film.reference.startswith(f"{UPLOAD}/")
    drawn = bool(own_regions.regions_on(film))
    if upload and SHARE in st.session_state:
        return
    with st.popover("Share", icon=":material/share:"):
        if not (upload or drawn):
            st.caption("The page's address is a link to this view. A film or regions of your own are shared here.")
            return
        if corrections.corrected_by_hand(film):
            st.caption("Others see a film as it lies in its file. Undo your correction of it to share it.")
            return
        what = " and ".join(["my film"] * upload + ["my regions"] * drawn)
        st.caption("Whoever has the link sees it until you end it here" + (", or close this page." if upload else "."))
        if st.button(f"Make a link to {what}", icon=":material/link:", key="share"):
            try:
                shares.begin(film, upload=upload, regions=drawn)
            except ValueError as error:
                st.warning(sentence(error), icon=":material/cookie_off:")
        for word in shares.mine(film):
            st.code(
                f"{(st.context.url or '').partition('?')[0]}?film={request.film.reference}&{SHARE}={word}",
                language=None,
            )
            st.button(
                "End it", icon=":material/link_off:", key=f"end {word}", on_click=safely(shares.end), args=(word,)
            )
