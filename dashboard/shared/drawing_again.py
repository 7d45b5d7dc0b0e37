"""Having a page drawn once more from outside it, and having all that was drawn reach the browser."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from streamlit import runtime
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.scriptrunner import get_script_run_ctx

if TYPE_CHECKING:
    from streamlit.runtime.app_session import AppSession

_PATIENCE = 5.0
"""Seconds after which a script no longer waits for the event loop."""


def wait_until_enqueued() -> None:
    """Wait until the session has enqueued all messages that this script run has made so far for the browser.

    A session handles messages of its present ScriptRunner only. A request to rerun that comes after the script has
    ended, and before the event loop has handled its messages, starts another ScriptRunner, and the rest of the messages
    is dropped: the browser shows part of a page. As long as the script waits here, its ScriptRunner takes the request.
    """
    context = get_script_run_ctx(suppress_warning=True)
    session = _session(context.session_id) if context else None
    loop = _event_loop(session)
    if loop is not None:
        enqueued = threading.Event()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            loop.call_soon_threadsafe(enqueued.set)
            enqueued.wait(_PATIENCE)


def _session(number: str) -> AppSession | None:
    return runtime.get_instance().get_app_session(number) if runtime.exists() else None


def _event_loop(session: AppSession | None) -> asyncio.AbstractEventLoop | None:
    """The server's event loop; None without a session, and where a release of Streamlit keeps it elsewhere."""
    loop = getattr(session, "_event_loop", None)
    return loop if isinstance(loop, asyncio.AbstractEventLoop) else None


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
        session = _session(context.session_id) if context else None
        loop = _event_loop(session)
        if context is None or session is None or loop is None:
            return False
        state = ClientState(
            query_string=context.query_string, page_script_hash=session.page_script_hash, fragment_id=part
        )
        # A session may be asked on the event loop only; Streamlit has no public way to reach that from another thread.
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(session.request_rerun, state)
        return True

    return draw_again


def _current_fragment() -> str:
    """The fragment that is being drawn; "" where Streamlit does not tell, and then the whole page is drawn again."""
    with contextlib.suppress(ImportError, LookupError):
        from streamlit.runtime.scriptrunner_utils.script_run_context import ThreadState

        return ThreadState.get().fragment_id or ""
    return ""
