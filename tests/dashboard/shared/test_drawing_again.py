"""What a page drew reaches the browser whole, also where it is drawn again at that moment."""

import threading
import time
from types import SimpleNamespace

from streamlit.runtime.app_session import AppSession

from dashboard.shared import drawing_again


def test_a_page_waits_until_the_servers_thread_has_what_it_drew(monkeypatch):
    taken = []

    def later(callback):
        threading.Timer(0.2, lambda: (taken.append("what was drawn"), callback())).start()

    session = object.__new__(AppSession)
    session._call_soon_on_event_loop = later
    monkeypatch.setattr(AppSession, "__del__", lambda self: None)
    monkeypatch.setattr(drawing_again, "get_script_run_ctx", lambda **_: SimpleNamespace(session_id="one"))
    server = SimpleNamespace(
        exists=lambda: True, get_instance=lambda: SimpleNamespace(get_app_session=lambda _: session)
    )
    monkeypatch.setattr(drawing_again, "runtime", server)
    drawing_again.await_delivery()
    assert taken == ["what was drawn"]


def test_a_page_without_a_server_waits_for_nobody():
    start = time.perf_counter()
    drawing_again.await_delivery()
    assert time.perf_counter() - start < 1
