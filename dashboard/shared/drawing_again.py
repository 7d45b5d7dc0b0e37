"""Having a page drawn once more from outside it, and having what was drawn reach the browser whole."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from streamlit import runtime
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner import get_script_run_ctx

_PATIENCE = 5.0
"""Seconds after which a page no longer waits for the server's own thread."""


def await_delivery() -> None:
    """Wait until the server's own thread has taken over what the page, or the fragment, drew so far.

    Streamlit listens to one runner of a session. Where a script has ended and the page is asked to be drawn again
    before that thread came to its messages, a new runner takes its place and those messages are dropped: the browser
    keeps half a page. While the script waits here, its runner takes such a request itself.
    """
    context = get_script_run_ctx(suppress_warning=True)
    session = runtime.get_instance().get_app_session(context.session_id) if context and runtime.exists() else None
    # Streamlit's tests of pages put a stand-in there, which has no thread of its own.
    if isinstance(session, AppSession):
        taken = threading.Event()
        session._call_soon_on_event_loop(taken.set)
        taken.wait(_PATIENCE)


def drawing_again(fragment: bool = False) -> Callable[[], bool]:
    """What has the page that is being drawn now drawn once more, called from any thread later on.

    Args:
        fragment: whether the fragment that is being drawn is enough.

    Returns:
        A function that says whether the page is still open.
    """
    context = get_script_run_ctx(suppress_warning=True)
    part = _current_fragment() if fragment else ""

    def draw_again() -> bool:
        session = runtime.get_instance().get_app_session(context.session_id) if context and runtime.exists() else None
        if context is None or session is None:
            return False
        state = ClientState(
            query_string=context.query_string, page_script_hash=session.page_script_hash, fragment_id=part
        )
        # A session is told on the server's own thread; Streamlit has no public way to reach that from another.
        session._call_soon_on_event_loop(lambda: session.request_rerun(state))
        return True

    return draw_again


def _current_fragment() -> str:
    """The fragment that is being drawn; "" where Streamlit does not tell, and then the whole page is drawn again."""
    with contextlib.suppress(ImportError, LookupError):
        from streamlit.runtime.scriptrunner_utils.script_run_context import ThreadState

        return ThreadState.get().fragment_id or ""
    return ""
