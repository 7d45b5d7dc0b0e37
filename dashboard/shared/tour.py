"""A tour for first-time users: five short steps, shown once, skipped at any time, never in the way of a link."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import streamlit as st

from dashboard.settings import settings
from dashboard.settings.settings import SettingsError
from dashboard.shared.fragments import dialog
from dashboard.shared.unforeseen import safely

_log = logging.getLogger(__name__)
STATE = "tour_step"


@dataclass(frozen=True)
class TourStep:
    """One step: its heading, and what it says."""

    title: str
    text: str


STEPS = (
    TourStep(
        "What this is",
        "A classifier looks at a chest film and gives a probability for each finding. XAI Lightbox shows, side by "
        "side, where **explanation methods** say it looked. It is for research and teaching, not for diagnosis.",
    ),
    TourStep(
        "Choose",
        "On the left, choose a **film**, a **model**, a **finding** and the **methods**. The first film shows a "
        "mass whose place is known: an expert outlined it, or it was planted by computation, exact to the pixel.",
    ),
    TourStep(
        "Run and look",
        "Press **Run**. Maps appear as they are done. Zoom with the wheel, drag to move, right-drag for window and "
        "level; all panels move together. The green line is the expert's outline. Press **?** for all keys.",
    ),
    TourStep(
        "Read the scores",
        "The table says how far each map agrees with the annotation, beside **chance** and **model-independent "
        "baselines**. Where the model does not look at the finding, the page says so.",
    ),
    TourStep(
        "Go on",
        "**Methods** says what each map asks, and when it misleads. **Library** has films and models, and takes in "
        "your own folder. The address of a view is a link to it. This tour is under **About**.",
    ),
)


def offer(first_page: bool) -> None:
    """Show the tour where it was never shown, on a first visit to the first page without a link; or where it is open.

    Args:
        first_page: whether the page about to be drawn is the one a first visit opens with.
    """
    state = st.session_state
    if "tour_offered" not in state:
        state["tour_offered"] = True
        if first_page and _address_is_bare() and not settings.load().tour_seen:
            state[STATE] = 0
    if STATE in state:
        _show()


def _address_is_bare() -> bool:
    """Whether the address names no view and no page: one that is not there also leads to the first page."""
    path, base = urlsplit(st.context.url or "").path, str(st.get_option("server.baseUrlPath") or "")
    return not st.query_params and path.strip("/") == base.strip("/")


def begin() -> None:
    """Open the tour at its first step with the next drawing of the page."""
    st.session_state[STATE] = 0


def end() -> None:
    """Close the tour, and remember that it was seen."""
    st.session_state.pop(STATE, None)
    try:
        saved = settings.load()
        if not saved.tour_seen:
            settings.save(replace(saved, tour_seen=True))
    except SettingsError as error:
        _log.warning("that the tour was seen cannot be remembered: %s", error)


def _go(step: int) -> None:
    st.session_state[STATE] = step


@dialog("A short tour", on_dismiss=safely(end))
def _show() -> None:
    number = st.session_state.get(STATE)
    if number is None:
        st.rerun()
        return
    step = STEPS[number]
    st.subheader(step.title, anchor=False)
    st.markdown(step.text)
    st.caption(f"Step {number + 1} of {len(STEPS)}")
    with st.container(horizontal=True):
        last = number == len(STEPS) - 1
        if number:
            st.button("Back", key="tour_back", on_click=safely(_go), args=(number - 1,))
        if last:
            st.button("Begin", type="primary", key="tour_done", on_click=safely(end))
        else:
            st.button("Next", type="primary", key="tour_next", on_click=safely(_go), args=(number + 1,))
            st.button("Skip", type="tertiary", key="tour_skip", on_click=safely(end))
