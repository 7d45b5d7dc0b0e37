"""The job manager: order, progress, sharing, cancellation, memory."""

from __future__ import annotations

import threading
import time

import pytest

from dashboard.jobs import JobManager, QueueFullError, sentence
from xai_methods import Cancelled


@pytest.fixture
def manager():
    made = JobManager(workers=1, keep=3, waiting=5)
    yield made
    made.close()


def wait(manager: JobManager, *keys, seconds: float = 5.0) -> None:
    until = time.monotonic() + seconds
    while any((s := manager.status(k)) is not None and s.pending for k in keys):
        assert time.monotonic() < until, "work did not finish"
        time.sleep(0.005)


def blocker(started: threading.Event, release: threading.Event):
    def work(progress, cancelled):
        started.set()
        progress(0.25)
        while not release.is_set():
            if cancelled():
                raise Cancelled
            time.sleep(0.002)
        return "released"

    return work


def test_a_result_is_kept_and_not_computed_twice(manager):
    runs = []
    for _ in range(2):
        manager.submit("a", lambda progress, cancelled: runs.append(1) or 42, owner="x")
        wait(manager, "a")
    status = manager.status("a")
    assert (status.state, status.result, status.share) == ("done", 42, 1.0)
    assert len(runs) == 1


def test_unknown_key_has_no_status(manager):
    assert manager.status("never") is None


def test_progress_is_reported_while_running(manager):
    started, release = threading.Event(), threading.Event()
    manager.submit("a", blocker(started, release), owner="x")
    assert started.wait(5)
    time.sleep(0.05)
    status = manager.status("a")
    assert status.state == "running"
    assert status.share == 0.25
    assert status.seconds > 0
    release.set()
    wait(manager, "a")
    assert manager.status("a").result == "released"


def test_urgent_work_goes_first(manager):
    started, release, order = threading.Event(), threading.Event(), []
    manager.submit("first", blocker(started, release), owner="x")
    assert started.wait(5)
    manager.submit("slow", lambda p, c: order.append("slow"), owner="x", urgency=1)
    manager.submit("fast", lambda p, c: order.append("fast"), owner="x", urgency=0)
    release.set()
    wait(manager, "first", "slow", "fast")
    assert order == ["fast", "slow"]


def test_cancel_stops_running_and_waiting_work(manager):
    started, never = threading.Event(), threading.Event()
    manager.submit("running", blocker(started, never), owner="x")
    assert started.wait(5)
    ran = []
    manager.submit("waiting", lambda p, c: ran.append(1), owner="x")
    manager.cancel("x")
    wait(manager, "running", "waiting")
    assert manager.status("running").state == "cancelled"
    assert manager.status("waiting").state == "cancelled"
    assert ran == []


def test_cancelled_work_can_be_asked_for_again(manager):
    started, never = threading.Event(), threading.Event()
    manager.submit("a", blocker(started, never), owner="x")
    assert started.wait(5)
    manager.cancel("x")
    manager.submit("a", lambda p, c: "again", owner="x")
    wait(manager, "a")
    assert manager.status("a").result == "again"


def test_shared_work_stops_only_when_all_have_cancelled(manager):
    started, release = threading.Event(), threading.Event()
    manager.submit("a", blocker(started, release), owner="x")
    manager.submit("a", blocker(started, release), owner="y")
    assert started.wait(5)
    manager.cancel("x")
    release.set()
    wait(manager, "a")
    assert manager.status("a").result == "released"


def test_cancel_spares_what_is_kept(manager):
    started, release = threading.Event(), threading.Event()
    manager.submit("a", blocker(started, release), owner="x")
    manager.submit("b", lambda p, c: 1, owner="x")
    manager.cancel("x", keep={"a"})
    release.set()
    wait(manager, "a", "b")
    assert manager.status("a").state == "done"
    assert manager.status("b").state == "cancelled"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("the map is empty"), "The map is empty."),
        (MemoryError(), "There was not enough memory. Try fewer samples or a smaller film."),
        (AttributeError("secret/path"), "It stopped with an unexpected error (AttributeError)."),
    ],
)
def test_a_failure_is_one_sentence_and_can_be_retried(manager, error, words):
    def fail(progress, cancelled):
        raise error

    manager.submit("a", fail, owner="x")
    wait(manager, "a")
    assert manager.status("a").state == "failed"
    assert manager.status("a").error == words
    manager.submit("a", lambda p, c: 1, owner="x")
    wait(manager, "a")
    assert manager.status("a").result == 1


def test_old_results_are_forgotten_recent_ones_kept(manager):
    for key in "abcd":
        manager.submit(key, lambda p, c: 1, owner="x")
        wait(manager, key)
    assert manager.status("a") is None
    assert manager.status("d").state == "done"


def test_too_much_waiting_work_is_refused(manager):
    started, release = threading.Event(), threading.Event()
    manager.submit("first", blocker(started, release), owner="x")
    assert started.wait(5)
    for i in range(5):
        manager.submit(i, lambda p, c: 1, owner="x")
    with pytest.raises(QueueFullError, match="Too much work"):
        manager.submit("more", lambda p, c: 1, owner="x")
    release.set()


def test_sentence():
    assert sentence(LookupError("no such film\nTraceback")) == "No such film."
    assert sentence(KeyError("there is no model")) == "There is no model."
    assert sentence(ValueError()) == "It stopped with an unexpected error (ValueError)."
