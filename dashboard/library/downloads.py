"""Downloads, scans of folders and trials of models, in the background; apart from explanations and their cores."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable

import streamlit as st

from dashboard.jobs import JobManager, Status, Work
from dashboard.shared.background import draw_progress
from dashboard.shared.fragments import fragment
from dashboard.shared.unforeseen import safely

WORKERS = 3
"""At once; they wait for the network or the disk most of the time."""


class BackgroundDownloads:
    """Work by name that can be done again and again: what was fetched and removed can be fetched anew."""

    def __init__(self) -> None:
        self._jobs = JobManager(workers=WORKERS, keep=64, waiting=20)
        self._times: dict[Hashable, int] = {}
        self._lock = threading.Lock()

    def start(self, name: Hashable, work: Work) -> None:
        """Begin ``work``, unless work of this name waits or runs.

        Raises:
            QueueFullError: too much is waiting.
        """
        with self._lock:
            status = self.status(name)
            if status is not None and status.pending:
                return
            self._times[name] = self._times.get(name, 0) + 1
            self._jobs.submit(self._key(name), work, owner=self._owner(name))

    def status(self, name: Hashable) -> Status | None:
        """What is known of the last time that ``name`` was begun; None where it never was."""
        return self._jobs.status(self._key(name)) if name in self._times else None

    def cancel(self, name: Hashable) -> None:
        """Stop the work; whoever looks at it sees it cancelled."""
        self._jobs.cancel(self._owner(name))

    def forget(self, name: Hashable) -> None:
        """Speak no longer of the last time; running work is stopped."""
        self.cancel(name)
        with self._lock:
            self._times[name] = self._times.get(name, 0) + 1

    def close(self) -> None:
        """Stop everything."""
        self._jobs.close()

    def _key(self, name: Hashable) -> Hashable:
        return ("download", name, self._times[name])

    def _owner(self, name: Hashable) -> str:
        return f"download {name}"


@st.cache_resource(show_spinner=False)
def downloads() -> BackgroundDownloads:
    """The server's downloads, scans and trials."""
    return BackgroundDownloads()


def draw_work(name: Hashable, doing: str, draw_done: Callable[[Status], None]) -> None:
    """Draw where the work of this name stands: how far it is, with a button that stops it, why it failed, or what came.

    Args:
        doing: words on what is being done. draw_done: draws what came of it.
    """
    status = downloads().status(name)
    if status is not None:
        fragment(_draw_state, ticking=status.pending)(name, doing, draw_done, status.pending)


def _draw_state(name: Hashable, doing: str, draw_done: Callable[[Status], None], was_busy: bool) -> None:
    status = downloads().status(name)
    if status is None or status.pending != was_busy:
        st.rerun()
    elif status.pending:
        draw_progress(doing, status, f"{status.seconds:.0f} s")
        st.button("Stop", icon=":material/stop:", on_click=safely(downloads().forget), args=(name,), key="stop_work")
    elif status.state == "failed":
        st.error(status.error, icon=":material/error:")
    elif status.state == "done":
        draw_done(status)
