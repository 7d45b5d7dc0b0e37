"""Sharing a view with one's own film or regions: on purpose, by a link with a secret word, until its owner ends it."""

from __future__ import annotations

import streamlit as st

from dashboard.compare.request import CompareRequest
from dashboard.jobs import sentence
from dashboard.shared import own_regions, shares
from dashboard.shared.state import SHARE, UPLOAD


def draw(request: CompareRequest) -> None:
    """Draw the menu where there is something of one's own to share; a link without it shows neither."""
    film = request.film.radiograph
    upload = request.film.reference.startswith(f"{UPLOAD}/")
    drawn = bool(own_regions.regions_on(film))
    if not (upload or drawn) or (upload and SHARE in st.session_state):
        return
    with st.popover("Share", icon=":material/share:"):
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
            st.button("End it", icon=":material/link_off:", key=f"end {word}", on_click=shares.end, args=(word,))
