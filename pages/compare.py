"""Compare: one film, one model or two, and what each method says of it, side by side."""

from __future__ import annotations

import streamlit as st

from dashboard.compare import page, sharing
from dashboard.compare.facts import draw_facts
from dashboard.shared import style
from dashboard.shared.background import owner
from dashboard.shared.caches import manager
from dashboard.shared.fragments import fragment
from dashboard.shared.unforeseen import guarded, safely

style.heading("Compare explanations")
requests = page.choose()
if requests:
    with st.sidebar, st.container(horizontal=True, key="run_bar"):
        st.button(
            "Run", type="primary", icon=":material/play_arrow:", disabled=not requests[0].parameters, key="run",
            on_click=safely(page.press_run),
        )  # fmt: skip
        place = st.empty()
    pressed, by_link = st.session_state.get("run_pressed", False), st.session_state.get("run_at_once", False)
    if pressed or by_link:
        page.start(requests, by_link=not pressed)
        # Forgotten only now: this run of the page may have been broken off before it came here.
        st.session_state["run_pressed"] = st.session_state["run_at_once"] = False
    # After the start, which waits for the first maps: nothing may be left to cancel.
    if place.button(
        "Stop here", icon=":material/stop:", disabled=not page.pending(requests), key="cancel", help=page.STOPS
    ):
        manager().cancel(owner())
        st.rerun()
    with guarded("What is known of the film cannot be shown"):
        models = [request.classifier for request in requests]
        draw_facts(requests[0].film, models, further=lambda: sharing.draw(requests[0]))
    busy = page.pending(requests)
    fragment(page.draw_results, ticking=busy)(requests, busy)
