"""Fragments and dialogs of a page, drawn again apart from the rest: while work goes on, or when a widget is used."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, ParamSpec

import streamlit as st

from dashboard.shared import caches
from dashboard.shared.drawing_again import wait_until_enqueued
from dashboard.shared.unforeseen import guarded

TICK_SECONDS, LONGEST_TICK = 1.0, 4.0
"""How often a fragment is drawn again while it waits for work: alone, and where many wait."""
FEW = 3
"""People who may wait before their pages look less often: their looks together must not take what they wait for."""

P = ParamSpec("P")
_inside: ContextVar[bool] = ContextVar("inside a fragment", default=False)


def fragment(draw: Callable[P, None], ticking: bool = False) -> Callable[P, None]:
    """Make ``draw`` a fragment of the page that keeps its place, and may be called.

    When a fragment begins to run, Streamlit drops what it drew before and has not yet sent, but not what fragments in
    it or after it drew. The browser then gets things whose surroundings it never heard of: with a fragment in a
    fragment it shows a blank page ("Bad delta path index"), with one after another the second moves up. So each has a
    container of its own that belongs to the page, and none stands in another.

    Args:
        draw: draws the fragment. ticking: whether it is drawn again and again, see :func:`tick_seconds`.

    Raises:
        RuntimeError: called inside another fragment.
    """
    if _inside.get():
        raise RuntimeError(f"{draw.__name__} would be a fragment inside a fragment; call it plainly there")

    every = tick_seconds() if ticking else None

    @functools.wraps(draw)
    def part(*args: P.args, **kwargs: P.kwargs) -> None:
        if every is not None and not 1 / 2 < tick_seconds() / every < 2:
            st.rerun()  # only the whole page can change how often it looks
        outside = _inside.set(True)
        try:
            with guarded("This part of the page cannot be shown"):
                draw(*args, **kwargs)
            wait_until_enqueued()
        finally:
            _inside.reset(outside)

    def drawn(*args: P.args, **kwargs: P.kwargs) -> None:
        with st.container():
            st.fragment(part, run_every=every)(*args, **kwargs)

    return drawn


def tick_seconds() -> float:
    """Seconds until a page that waits for work looks again: the more people wait, the longer."""
    return min(TICK_SECONDS * max(1.0, len(caches.manager().pending_people()) / FEW), LONGEST_TICK)


def dialog(title: str, **options: Any) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """As ``st.dialog``, of which an unforeseen error is a sentence too.

    Args:
        title: of the dialog. options: as ``st.dialog`` takes them.
    """

    def made(draw: Callable[P, None]) -> Callable[P, None]:
        @functools.wraps(draw)
        def shown(*args: P.args, **kwargs: P.kwargs) -> None:
            with guarded("This dialog cannot be shown"):
                draw(*args, **kwargs)

        return st.dialog(title, **options)(shown)

    return made
