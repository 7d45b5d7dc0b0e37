"""Slow work in the background: a bounded pool, progress, cancellation, and results by content."""

from __future__ import annotations

import logging
import statistics
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, field
from typing import Any, Protocol

from dashboard.jobs.fair_queue import FairQueue, person_of
from dashboard.jobs.sentences import SentenceError, failure
from dashboard.jobs.status import State, Status
from dashboard.jobs.worker_threads import WorkerThreads
from xai_methods import Cancelled


class Progress(Protocol):
    """How work tells where it stands."""

    def __call__(self, share: float, early: Any = None) -> None:
        """Tell the share done, 0 to 1; and, where there is one, a result as it stands now."""
        ...


Work = Callable[[Progress, Callable[[], bool]], Any]
"""Called with a progress callback and a question whether to stop; returns the result."""
TELLING_SHARE, TELLING_SECONDS = 0.05, 0.5
"""From this share and these seconds on, progress tells how long the rest takes."""
RECENT = 5
"""Runs of a kind of work of which the middle one is what it usually takes: one that waited for much else to be loaded,
as a server's first does, must not count."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """Work that knows more of itself.

    Attributes:
        run: the work. kind: work of the same kind takes about as long; "" where that is not known.
        known: returns the result where it is cached somewhere already, else None; called in the caller's thread.
    """

    run: Work
    kind: str = ""
    known: Callable[[], Any] = lambda: None

    def __call__(self, progress: Progress, cancelled: Callable[[], bool]) -> Any:
        """Do the work."""
        return self.run(progress, cancelled)


def stopping(progress: Callable[[float], None], cancelled: Callable[[], bool]) -> Callable[[float], None]:
    """``progress`` for work that looks at nothing else: it raises ``Cancelled`` once the work is to stop."""

    def report(share: float) -> None:
        if cancelled():
            raise Cancelled
        progress(share)

    return report


class QueueFullError(RuntimeError):
    """Too much work is waiting. The message says so to the person who wants more."""


@dataclass(eq=False)
class _Job:
    key: Hashable
    work: Work
    owners: set[str]
    kind: str = ""
    urgency: int = 0
    state: State = "queued"
    share: float = 0.0
    started: float = 0.0
    seconds: float = 0.0
    result: Any = None
    early: Any = None
    error: str = ""
    worker: int = 0
    stop: threading.Event = field(default_factory=threading.Event)


class JobManager:
    """Runs work by key; the same key is never run twice at once, and its result is remembered.

    The urgent goes first; among equally urgent work people take turns, each in their own order. An owner is a person's
    name, or it and more after a blank.

    Args:
        workers: threads that do all work. urgent_workers: more, which do work of urgency 0 only, so that it never waits
            for what is less urgent.
        keep: finished pieces of work that are remembered, the least recently used go first.
        waiting: how many may wait. each: how many of one person may wait.
        prepare: called once in each thread before it works.
        present: whether an owner is still there. The work of those who left goes on until :meth:`withdraw`, for they
            may come back, but they no longer hold it when the last of the others cancels.
    """

    def __init__(
        self,
        workers: int = 2,
        keep: int = 256,
        waiting: int = 1200,
        prepare: Callable[[], None] = lambda: None,
        *,
        urgent_workers: int = 0,
        each: int = 120,
        present: Callable[[str], bool] = lambda owner: True,
    ) -> None:
        self._threads = WorkerThreads(workers + urgent_workers, self._run_next, prepare)
        self._lock = threading.Lock()
        self._ended = threading.Condition(self._lock)
        self._jobs: OrderedDict[Hashable, _Job] = OrderedDict()
        self._queue: FairQueue[_Job] = FairQueue()
        self._took: dict[str, deque[float]] = {}
        self._workers, self._urgent_workers = workers, urgent_workers
        self._keep, self._waiting, self._each = keep, waiting, each
        self._present = present

    def submit(self, key: Hashable, work: Work, *, owner: str, urgency: int = 0) -> None:
        """Queue ``work``; nothing happens where ``key`` is done, or waits or runs already.

        Args:
            key: content address of the result.
            work: see :data:`Work`; of a :class:`Task`, the result is taken from where it is cached already.
            owner: whose work it is; shared work stops only when all its owners have cancelled.
            urgency: lower runs first.

        Raises:
            QueueFullError: too much is waiting, of this owner or in all.
        """
        task = work if isinstance(work, Task) else Task(work)
        if self._joined(key, owner):
            return
        found = task.known()
        with self._lock:
            if self._join(key, owner):
                return
            job = _Job(key, task.run, {owner}, task.kind, urgency)
            if found is not None:
                job.state, job.share, job.result, job.work = "done", 1.0, found, _done
            else:
                self._check_room(owner)
                self._queue.add(job)
            self._jobs[key] = job
            self._jobs.move_to_end(key)
            self._forget()
        if found is None:
            self._threads.wake()

    def status(self, key: Hashable) -> Status | None:
        """What is known of ``key``; None where it was never queued, or was forgotten."""
        with self._lock:
            job = self._jobs.get(key)
            if job is None:
                return None
            self._jobs.move_to_end(key)
            ahead = self._queue.order().index(job) if job.state == "queued" else 0
            left = self._seconds_left(job) if job.state in ("queued", "running") else None
            return Status(job.state, job.share, self._seconds(job), job.result, job.error, ahead, left, job.early)

    def wait(self, keys: Collection[Hashable], seconds: float) -> None:
        """Wait until one of ``keys`` has ended, but ``seconds`` at most."""
        with self._ended:
            jobs = [self._jobs[key] for key in keys if key in self._jobs]
            self._ended.wait_for(lambda: any(job.state not in ("queued", "running") for job in jobs), timeout=seconds)

    def cancel(self, owner: str, *, keep: Collection[Hashable] = ()) -> None:
        """Withdraw all unfinished work of ``owner``, except for the keys in ``keep``.

        Of work that stops, its status keeps what it told as it stood.
        """
        with self._lock:
            for job in self._jobs.values():
                if owner in job.owners and job.state in ("queued", "running") and job.key not in keep:
                    job.owners = {other for other in job.owners if other != owner and self._present(other)}
                    if not job.owners:
                        job.stop.set()
                        if job.state == "queued":
                            self._queue.remove(job)
                            job.state = "cancelled"

    def withdraw(self, person: str) -> None:
        """Withdraw all unfinished work of a person who is gone."""
        with self._lock:
            owners = {owner for job in self._jobs.values() for owner in job.owners if person_of(owner) == person}
        for owner in owners:
            self.cancel(owner)

    def forget(self, digest: str) -> None:
        """Forget all results whose key holds ``digest``; what of it is unfinished stops."""
        with self._lock:
            for key in [key for key in self._jobs if _holds(key, digest)]:
                job = self._jobs.pop(key)
                job.stop.set()
                self._queue.remove(job)
                job.result = job.early = None

    def pending_people(self) -> set[str]:
        """People of whom work waits or runs."""
        with self._lock:
            unfinished = [job for job in self._jobs.values() if job.state in ("queued", "running")]
            return {person_of(owner) for job in unfinished for owner in job.owners}

    def _joined(self, key: Hashable, owner: str) -> bool:
        with self._lock:
            return self._join(key, owner)

    def _join(self, key: Hashable, owner: str) -> bool:
        job = self._jobs.get(key)
        if job is None or job.stop.is_set() or job.state not in ("queued", "running", "done"):
            return False
        job.owners.add(owner)
        return True

    def _check_room(self, owner: str) -> None:
        waiting, person = self._queue.order(), person_of(owner)
        if sum(any(person_of(other) == person for other in job.owners) for job in waiting) >= self._each:
            raise QueueFullError("Too much work of yours is waiting already. Wait until some is done, then run again.")
        if len(waiting) >= self._waiting:
            raise QueueFullError("Too much work is waiting already. Wait until some of it is done, then run again.")

    def _seconds(self, job: _Job) -> float:
        return time.perf_counter() - job.started if job.state == "running" else job.seconds

    def _seconds_left(self, job: _Job) -> float | None:
        """Seconds until the job is likely done: every worker takes the next piece that it may do once it is free."""
        if job.state == "running":
            return self._running_left(job)
        order = self._queue.order()
        running = [other for other in self._jobs.values() if other.state == "running"]
        before = order[: order.index(job)]
        left = [self._running_left(other) for other in running]
        usual = [self._usual(other.kind) for other in (*before, job)]
        if any(part is None for part in (*left, *usual)):
            return None
        free = {place: 0.0 for place in range(self._workers + self._urgent_workers)}
        free.update({other.worker: float(part or 0) for other, part in zip(running, left)})
        ends = 0.0
        for other, part in zip((*before, job), usual):
            able = [place for place in free if place < self._workers or other.urgency <= 0]
            worker = min(able, key=free.__getitem__)
            ends = free[worker] = free[worker] + float(part or 0)
        return ends

    def _usual(self, kind: str) -> float | None:
        """Seconds that work of a kind usually takes; None where none was done."""
        took = self._took.get(kind)
        return statistics.median_low(took) if took else None

    def _running_left(self, job: _Job) -> float | None:
        seconds, usual = self._seconds(job), self._usual(job.kind)
        if job.share >= TELLING_SHARE and seconds >= TELLING_SECONDS:
            # Early on the pace is a guess: what such work usually takes counts more, until it is nearly done or late.
            weight = max(job.share, min(seconds / usual, 1.0)) if usual else 1.0
            return (weight * seconds / job.share + (1 - weight) * (usual or 0.0)) * (1 - job.share)
        return None if usual is None else max(usual - seconds, 0.0)

    def close(self) -> None:
        """Stop everything and let the threads end."""
        with self._lock:
            for job in self._jobs.values():
                job.stop.set()
        self._threads.close()

    def _forget(self) -> None:
        finished = [key for key, job in self._jobs.items() if job.state not in ("queued", "running")]
        for key in finished[: max(0, len(finished) - self._keep)]:
            del self._jobs[key]

    def _run_next(self, worker: int) -> bool:
        with self._lock:
            job = self._queue.take(None if worker < self._workers else 0)
            if job is None:
                return False
            job.state, job.started, job.worker = "running", time.perf_counter(), worker
        state, result, error = self._attempt(job)
        with self._lock:
            job.state, job.result, job.error = state, result, error
            job.seconds = time.perf_counter() - job.started
            job.share = 1.0 if state == "done" else job.share
            job.early = job.early if state == "cancelled" else None
            if state == "done" and job.kind:
                self._took.setdefault(job.kind, deque(maxlen=RECENT)).append(job.seconds)
            job.work = _done
            self._forget()
            self._ended.notify_all()
        return True

    def _attempt(self, job: _Job) -> tuple[State, Any, str]:
        def progress(share: float, early: Any = None) -> None:
            job.share = max(job.share, min(share, 1.0))
            job.early = job.early if early is None else early

        try:
            return "done", job.work(progress, job.stop.is_set), ""
        except Cancelled:
            return "cancelled", None, ""
        except Exception as error:
            if not isinstance(error, SentenceError):
                logger.warning("background work failed", exc_info=error)
            return "failed", None, failure(error)


def _done(progress: Callable[[float], None], cancelled: Callable[[], bool]) -> None:
    """What a finished job holds in place of its work, so that films and models can be freed."""


def _holds(key: Hashable, digest: str) -> bool:
    return key == digest or (isinstance(key, tuple) and any(_holds(part, digest) for part in key))
