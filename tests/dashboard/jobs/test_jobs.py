"""The job manager: order, progress, sharing, cancellation, memory."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from dashboard.jobs import JobManager, QueueFullError, Status, Task, sentence
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
        progress(0.25)
        started.set()
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
    status = manager.status("a")
    assert status.state == "running"
    assert status.share == 0.25
    assert status.seconds > 0
    release.set()
    wait(manager, "a")
    assert manager.status("a").result == "released"


def test_a_result_as_it_stands_is_told_and_outlives_cancelling_but_not_the_end(manager):
    started, release = threading.Event(), threading.Event()

    def sharpens(progress, cancelled):
        progress(0.1, "rough")
        progress(0.2, "better")
        progress(0.3)
        return blocker(started, release)(progress, cancelled)

    manager.submit("stopped", sharpens, owner="x")
    assert started.wait(5)
    running = manager.status("stopped")
    assert (running.state, running.early, running.result, running.share) == ("running", "better", None, 0.3)
    manager.cancel("x")
    wait(manager, "stopped")
    stopped = manager.status("stopped")
    assert (stopped.state, stopped.early, stopped.result) == ("cancelled", "better", None)
    release.set()
    manager.submit("stopped", sharpens, owner="x")
    wait(manager, "stopped")
    done = manager.status("stopped")
    assert (done.state, done.early, done.result) == ("done", None, "released")


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


@pytest.fixture
def wide():
    made = JobManager(workers=1, each=20)
    yield made
    made.close()


def hold(manager: JobManager) -> threading.Event:
    started, release = threading.Event(), threading.Event()
    manager.submit("held", blocker(started, release), owner="nobody")
    assert started.wait(5)
    return release


def test_people_take_turns(wide):
    release, order = hold(wide), []
    for name, count in (("a", 4), ("b", 2), ("c", 1)):
        for number in range(count):
            wide.submit(f"{name}{number}", lambda p, c, k=f"{name}{number}": order.append(k), owner=name)
    wide.submit("b-slow", lambda p, c: order.append("b-slow"), owner="b", urgency=1)
    keys = ["a0", "b0", "c0", "a1", "b1", "a2", "a3", "b-slow"]
    assert [wide.status(key).ahead for key in keys] == list(range(8))
    release.set()
    wait(wide, *keys)
    assert order == keys


def test_who_was_served_last_comes_last(wide):
    release, order = hold(wide), []
    wide.submit("a0", lambda p, c: order.append("a0"), owner="a")
    release.set()
    wait(wide, "held", "a0")
    started, go = threading.Event(), threading.Event()
    wide.submit("held again", blocker(started, go), owner="nobody")
    assert started.wait(5)
    wide.submit("a1", lambda p, c: order.append("a1"), owner="a")
    wide.submit("b0", lambda p, c: order.append("b0"), owner="b")
    go.set()
    wait(wide, "a1", "b0")
    assert order == ["a0", "b0", "a1"]


def test_one_person_cannot_fill_the_line(wide):
    release = hold(wide)
    for number in range(20):
        wide.submit(f"a{number}", lambda p, c: 1, owner="a")
    with pytest.raises(QueueFullError, match="yours"):
        wide.submit("a more", lambda p, c: 1, owner="a")
    wide.submit("b", lambda p, c: 1, owner="b")
    assert wide.status("b").ahead == 1
    release.set()


def test_cancelled_work_leaves_the_line(wide):
    release = hold(wide)
    wide.submit("a", lambda p, c: 1, owner="a")
    wide.submit("b", lambda p, c: 1, owner="b")
    assert wide.status("b").ahead == 1
    wide.cancel("a")
    assert wide.status("b").ahead == 0
    release.set()
    wait(wide, "b")
    assert wide.status("a").state == "cancelled"


def test_what_is_kept_elsewhere_is_done_at_once(wide):
    release = hold(wide)
    wide.submit("a", Task(lambda p, c: "computed", known=lambda: "kept"), owner="x")
    assert (wide.status("a").state, wide.status("a").result) == ("done", "kept")
    wide.submit("b", Task(lambda p, c: "computed"), owner="x")
    assert wide.status("b").state == "queued"
    release.set()
    wait(wide, "b")
    assert wide.status("b").result == "computed"


@pytest.fixture
def now(monkeypatch):
    """The time of the job manager, in a list, which a test sets."""
    now = [0.0]
    monkeypatch.setattr("dashboard.jobs.manager.time", SimpleNamespace(perf_counter=lambda: now[0]))
    return now


def passing(now: list[float], seconds: float):
    """Work that takes so long."""

    def work(progress, cancelled):
        now[0] += seconds

    return work


def test_time_left_is_told_from_earlier_runs_and_from_progress(wide, now):
    wide.submit("first", Task(passing(now, 0.2), "slow"), owner="x")
    wait(wide, "first")
    started, release = threading.Event(), threading.Event()
    wide.submit("running", Task(blocker(started, release), "slow"), owner="x")
    wide.submit("next", Task(lambda p, c: 1, "slow"), owner="x")
    wide.submit("unknown", Task(lambda p, c: 1, "new"), owner="x")
    assert started.wait(5)
    now[0] += 0.05
    assert wide.status("running").left == pytest.approx(0.15)
    assert wide.status("next").left == pytest.approx(0.35), "it waits for the one that runs, and then takes as long"
    assert wide.status("unknown").left is None
    now[0] += 0.55
    assert wide.status("running").left == pytest.approx(3 * 0.6), "a quarter is done"
    release.set()
    wait(wide, "running", "next", "unknown")
    assert wide.status("next").left is None


@pytest.mark.parametrize(("taken", "usual"), [((30.0,), 30.0), ((30.0, 10.0), 10.0), ((10.0, 12.0, 30.0, 11.0), 11.0)])
def test_one_slow_run_is_not_what_such_work_usually_takes(taken, usual, now, manager):
    for number, seconds in enumerate(taken):
        manager.submit(number, Task(passing(now, seconds), "lime"), owner="x")
        wait(manager, number)
    started, release = threading.Event(), threading.Event()
    manager.submit("now", Task(blocker(started, release), "lime"), owner="x")
    assert started.wait(5)
    assert manager.status("now").left == usual
    release.set()


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status("queued"), "queued (next)"),
        (Status("queued", ahead=3, left=80.4), "queued (3 ahead) · about 80 s"),
        (Status("running", 0.25, 12.3, left=0.2), "25% · 12 s · about 1 s left"),
        (Status("running", 0.25, 12.3, left=600), "25% · 12 s · about 10 min left"),
        (Status("running", 0.5, 9000, left=9000), "50% · 9000 s · about 2.5 h left"),
        (Status("done", 1.0), ""),
    ],
)
def test_status_in_words(status, words):
    assert status.words == words


def test_a_page_that_comes_back_finds_its_work_and_can_stop_it():
    there = {"before"}
    manager = JobManager(workers=1, present=there.__contains__)
    started, never = threading.Event(), threading.Event()
    manager.submit("a", blocker(started, never), owner="before")
    assert started.wait(5)
    there.clear()
    assert manager.status("a").state == "running"
    there.add("after")
    manager.submit("a", lambda p, c: "not run", owner="after")
    assert manager.status("a").share == 0.25
    manager.cancel("after")
    wait(manager, "a")
    assert manager.status("a").state == "cancelled"
    manager.close()


def test_waiting_ends_with_the_first_that_is_done_or_when_time_is_up(manager):
    gate = threading.Event()
    manager.submit("slow", lambda progress, cancelled: gate.wait(20), owner="me")
    began = time.monotonic()
    manager.wait(["slow"], 0.05)
    assert manager.status("slow").pending
    manager.submit("quick", lambda progress, cancelled: 1, owner="me")
    threading.Timer(0.2, gate.set).start()
    manager.wait(["slow", "quick"], 30)
    assert not (manager.status("slow").pending and manager.status("quick").pending)
    assert time.monotonic() - began < 20


def test_urgent_work_never_waits_for_what_is_less_urgent():
    manager = JobManager(workers=2, urgent_workers=1)
    release = threading.Event()
    started = [threading.Event() for _ in range(4)]
    for number in range(4):
        manager.submit(number, blocker(started[number], release), owner="x", urgency=1)
    for number in range(2):
        assert started[number].wait(5)
    manager.submit("fast", lambda progress, cancelled: "map", owner="y")
    wait(manager, "fast")
    assert manager.status("fast").result == "map"
    assert [manager.status(number).state for number in range(4)] == ["running", "running", "queued", "queued"]
    release.set()
    wait(manager, *range(4))
    manager.close()


def test_one_persons_pages_share_one_bounded_part_of_the_queue():
    manager = JobManager(workers=1, each=3)
    release = threading.Event()
    manager.submit("running", blocker(started := threading.Event(), release), owner="z page")
    assert started.wait(5)
    for number in range(3):
        manager.submit(("ada", number), blocker(threading.Event(), release), owner=f"ada page{number}")
    with pytest.raises(QueueFullError, match="yours"):
        manager.submit("more", blocker(threading.Event(), release), owner="ada page9")
    manager.submit("grace", blocker(threading.Event(), release), owner="grace page")
    assert manager.status("grace").ahead == 1, "her first turn comes after his first, not after his third"
    release.set()
    manager.close()


def test_work_of_a_person_who_left_is_withdrawn_and_shared_work_goes_on():
    there = {"ada", "grace"}
    manager = JobManager(workers=1, present=lambda owner: owner.split()[0] in there)
    started, release = threading.Event(), threading.Event()
    manager.submit("shared", blocker(started, release), owner="ada page")
    assert started.wait(5)
    manager.submit("shared", blocker(started, release), owner="grace page")
    manager.submit("alone", blocker(threading.Event(), release), owner="ada other")
    there.remove("ada")
    manager.withdraw("ada")
    assert manager.status("alone").state == "cancelled"
    assert manager.status("shared").state == "running"
    assert manager.pending_people() == {"grace"}
    there.clear()
    manager.withdraw("grace")
    wait(manager, "shared")
    assert manager.status("shared").state == "cancelled"
    manager.close()


def test_results_of_a_film_are_forgotten_by_its_digest(manager):
    for key in (("d1", "m", 0), ("scorecard", (("d1", "m"),), ""), ("d2", "m", 0)):
        manager.submit(key, lambda progress, cancelled: "map", owner="x")
        wait(manager, key)
    manager.forget("d1")
    assert manager.status(("d1", "m", 0)) is None
    assert manager.status(("scorecard", (("d1", "m"),), "")) is None
    assert manager.status(("d2", "m", 0)).result == "map"


class Clock:
    """Time that passes only once all work that runs sleeps."""

    def __init__(self) -> None:
        self.now, self._wakes, self._changed = 0.0, [], threading.Condition()

    def perf_counter(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._changed:
            wake = self.now + seconds
            self._wakes.append(wake)
            self._changed.wait_for(lambda: self.now >= wake)
            self._wakes.remove(wake)

    def pass_on(self, sleepers: Callable[[], int]) -> None:
        """Let time pass until the first of so many wakes; none where there are none."""
        until = time.monotonic() + 60
        while len(self._wakes) < (wanted := sleepers()) or (wanted and min(self._wakes) <= self.now):
            assert time.monotonic() < until, "work did not begin"
            time.sleep(0.001)
        if not wanted:
            return
        with self._changed:
            self.now = min(self._wakes)
            self._changed.notify_all()


def test_the_time_that_is_told_holds_within_a_factor_of_two(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("dashboard.jobs.manager.time", clock)
    manager = JobManager(workers=2)
    rng = random.Random(0)

    def lasting(seconds):
        """Work of one kind that takes some more or less each time, and tells how far it is."""

        def run(progress, cancelled):
            parts = 10
            for part in range(parts):
                progress(part / parts)
                clock.sleep(seconds * rng.uniform(0.6, 1.5) / parts)

        return Task(run, f"kind {seconds}")

    def until_done(keys):
        """Let time pass until all is done; when each was."""
        took = {}

        def running():
            done = [key for key in keys if manager.status(key).state == "done"]
            took.update({key: clock.now for key in done if key not in took})
            return min(len(keys) - len(done), 2)

        while len(took) < len(keys):
            clock.pass_on(running)
        return took

    for seconds in (5, 40):
        manager.submit(seconds, lasting(seconds), owner="x")
        until_done([seconds])
    start, keys = clock.now, [f"{person} {number}" for person in "abc" for number in range(4)]
    for key in keys:
        manager.submit(key, lasting(40 if key.endswith(("0", "1")) else 5), owner=key[0])
    clock.pass_on(lambda: 2)
    told = {key: manager.status(key).left for key in keys if manager.status(key).pending}
    at = clock.now
    took = until_done(keys)
    assert len(told) >= 10
    wrong = {
        key: (told[key], took[key] - at)
        for key in told
        if not (took[key] - at) / 2 <= told[key] <= 2 * (took[key] - at)
    }
    assert wrong == {}
    assert max(took.values()) - start > 100
    manager.close()
