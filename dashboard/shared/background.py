"""Work in the background, as pages ask for it: submit it, say where it stands, and say where there is no room."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.jobs import QueueFullError, Status, Work, sentence
from dashboard.shared import caches


def owner(purpose: str = "") -> str:
    """The name by which the job manager knows this session: the server's own, which tells whether it is there.

    Args:
        purpose: a part of the session whose work is cancelled apart from the rest, such as a page.
    """
    context = get_script_run_ctx()
    return f"{context.session_id if context is not None else 'nobody'} {purpose}".strip()


@contextmanager
def warning_when_full() -> Iterator[None]:
    """Say on the page that too much work waits already, where the block finds it so."""
    try:
        yield
    except QueueFullError as error:
        st.warning(sentence(error), icon=":material/hourglass:")


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
    if start and (status is None or status.state == "cancelled"):
        with warning_when_full():
            jobs.submit(key, work, owner=me)
    return jobs.status(key)


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
