"""Work in the background, as pages ask for it: submit it, say where it stands, and say where there is no room."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager

import streamlit as st

from dashboard.jobs import QueueFullError, Status, Work, sentence
from dashboard.people import identity
from dashboard.people.roles import NotAllowedError
from dashboard.shared import belongings, caches


def owner(purpose: str = "") -> str:
    """The name by which the job manager knows what this session has done: its person's, and the server's for it.

    Args:
        purpose: a part of the session whose work is cancelled apart from the rest, such as a page.
    """
    session = identity.session()
    return f"{belongings.person()} {session} {purpose}".strip()


@contextmanager
def warning_when_full() -> Iterator[None]:
    """Say on the page that too much work waits already, where the block finds it so."""
    try:
        yield
    except QueueFullError as error:
        st.warning(sentence(error), icon=":material/hourglass:")


@contextmanager
def warning_when_not_allowed() -> Iterator[None]:
    """Say on the page that this person may not do what the block is about, where it finds it so."""
    try:
        yield
    except NotAllowedError as error:
        st.warning(sentence(error), icon=":material/lock:")


def worked_out(key: Hashable, work: Work, purpose: str, *, start: bool = True) -> Status | None:
    """Have one thing worked out, unless it is; this person's earlier work for the same purpose is cancelled.

    Args:
        key: content address of the result. work: the computation. purpose: see :func:`owner`.
        start: whether to begin where the work was never done; work that failed is not begun again.

    Returns:
        Where it stands; None where it was never begun.
    """
    jobs, me = caches.manager(), owner(purpose)
    jobs.cancel(me, keep=(key,))
    status = jobs.status(key)
    if start and (status is None or status.state == "cancelled") and not _waits_for_a_press(key, purpose):
        with warning_when_full():
            jobs.submit(key, work, owner=me)
    return jobs.status(key)


def _waits_for_a_press(key: Hashable, purpose: str) -> bool:
    """Whether only a link wants this work, which opened the session on the page ``purpose``; draws a button then."""
    state = st.session_state
    if state.get("opened on") != purpose or state.setdefault("work of the link", key) != key:
        return False
    return not st.button("Compute", type="primary", icon=":material/play_arrow:", key=f"start {purpose}")


def draw_progress(doing: str, status: Status, words: str = "") -> None:
    """Draw how far unfinished work is, after words on what is being done; ``words`` stand in for the status's own."""
    st.progress(status.share, f"{doing} · {words or status.words}")


def draw_until_done(key: Hashable, doing: str) -> None:
    """Draw how far the work is; draw the whole page again once it has ended."""
    status = caches.manager().status(key)
    if status is None or not status.pending:
        st.rerun()
    else:
        draw_progress(doing, status)
