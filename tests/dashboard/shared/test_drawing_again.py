"""What a page drew reaches the browser whole, also where it is drawn again at that moment."""

import asyncio
import inspect
import threading
import time
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from streamlit.runtime.app_session import AppSession

from dashboard.shared import drawing_again


@pytest.fixture
def loop():
    """An event loop that runs in a thread of its own."""
    running = asyncio.new_event_loop()
    thread = threading.Thread(target=running.run_forever)
    thread.start()
    yield running
    running.call_soon_threadsafe(running.stop)
    thread.join()
    running.close()


@pytest.fixture
def served(monkeypatch):
    """Puts a session into the place of the one that the script runs for."""

    def put(session) -> None:
        server = SimpleNamespace(
            exists=lambda: True, get_instance=lambda: SimpleNamespace(get_app_session=lambda _: session)
        )
        monkeypatch.setattr(drawing_again, "runtime", server)
        context = SimpleNamespace(session_id="one", query_string="")
        monkeypatch.setattr(drawing_again, "get_script_run_ctx", lambda **_: context)

    return put


def test_a_script_waits_until_the_event_loop_has_handled_its_messages(served, loop):
    handled = []
    served(SimpleNamespace(_event_loop=loop))
    loop.call_soon_threadsafe(lambda: (time.sleep(0.2), handled.append("the last message")))
    drawing_again.wait_until_enqueued()
    assert handled == ["the last message"]


def test_a_page_is_drawn_again_on_the_event_loop(served, loop):
    asked: list[str] = []
    done = threading.Event()

    def request_rerun(state) -> None:
        asked.append(threading.current_thread().name)
        done.set()

    served(SimpleNamespace(_event_loop=loop, page_script_hash="page", request_rerun=request_rerun))
    assert drawing_again.drawing_again()()
    assert done.wait(5)
    assert asked != [threading.current_thread().name]


@pytest.mark.parametrize(
    "session", [None, MagicMock(), SimpleNamespace()], ids=["closed", "AppTest", "another release"]
)
def test_without_an_event_loop_nobody_waits_and_nothing_breaks(served, session):
    served(session)
    start = time.perf_counter()
    drawing_again.wait_until_enqueued()
    assert not drawing_again.drawing_again()()
    assert time.perf_counter() - start < 1


def test_streamlit_keeps_its_event_loop_where_it_is_looked_for():
    assert "self._event_loop = " in inspect.getsource(AppSession.__init__)
