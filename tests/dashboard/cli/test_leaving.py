"""What nobody looks at is forgotten; what stands on somebody's page is not."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from dashboard.cli import leaving
from dashboard.cli.leaving import LOOK_SECONDS, UNUSED_SECONDS, end_sessions
from dashboard.shared import belongings
from radiographs.bounded_cache import bounded_cache, clear_all


@pytest.fixture
def clock(monkeypatch):
    """The time of all that forgets, which a test sets forward."""
    begun = time.monotonic()
    clock = SimpleNamespace(now=begun, monotonic=lambda: clock.now)
    for module in ("dashboard.cli.leaving", "dashboard.shared.belongings", "radiographs.bounded_cache"):
        monkeypatch.setattr(f"{module}.time", clock)
    monkeypatch.setattr(leaving, "_looked", begun)
    monkeypatch.setattr(belongings, "_visits", {})
    clear_all()
    return clock


def test_what_is_on_nobodys_page_is_forgotten_after_a_while(clock, monkeypatch):
    runtime = SimpleNamespace(
        is_active_session={"open"}.__contains__,
        close_session=lambda session: None,
        uploaded_file_mgr=SimpleNamespace(remove_session_files=lambda session: None),
    )
    asked = []

    @bounded_cache(1, key=str)
    def made(name: str) -> str:
        asked.append(name)
        return name

    monkeypatch.setattr("radiographs.bounded_cache._session", lambda: "open")
    belongings._visits["open"] = belongings._Visit("reader", clock.now, clock.now)
    made("before")
    clock.now += UNUSED_SECONDS + 1
    belongings._visits["open"] = belongings._Visit("reader", clock.now, clock.now)
    made("on the page")
    assert end_sessions(runtime), "nobody has looked at the first for long"
    made("on the page")
    assert asked == ["before", "on the page"]
    clock.now += 10 * UNUSED_SECONDS
    assert not end_sessions(runtime), "the page stands there still"
    runtime.is_active_session = set().__contains__
    clock.now += LOOK_SECONDS + 1
    assert end_sessions(runtime), "it was closed"
    assert not belongings._visits
    made("on the page")
    assert asked[2:] == ["on the page"]
