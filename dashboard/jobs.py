"""Slow work in the background: a bounded pool, progress, cancellation, and results kept by content."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

from xai_methods import Cancelled

State = Literal["queued", "running", "done", "failed", "cancelled"]
Work = Callable[[Callable[[float], None], Callable[[], bool]], Any]
"""Called with a progress callback (share done, 0 to 1) and a question whether to stop; returns the result."""
logger = logging.getLogger(__name__)


class QueueFullError(RuntimeError):
    """Too much work is waiting. The message says so to the person who asked."""


@dataclass(frozen=True)
class Status:
    """What is known of a piece of work at one moment.

    Attributes:
        state: queued, running, done, failed or cancelled. share: of the work done, 0 to 1.
        seconds: running time so far, or in all. result: what it returned, once done.
        error: why it failed, in one sentence.
    """

    state: State
    share: float = 0.0
    seconds: float = 0.0
    result: Any = None
    error: str = ""

    @property
    def pending(self) -> bool:
        """Whether it is still waiting or running."""
        return self.state in ("queued", "running")


@dataclass(eq=False)
class _Job:
    key: Hashable
    work: Work
    owners: set[str]
    state: State = "queued"
    share: float = 0.0
    started: float = 0.0
    seconds: float = 0.0
    result: Any = None
    error: str = ""
    stop: threading.Event = field(default_factory=threading.Event)


class JobManager:
    """Runs work by key, the urgent first; the same key is never run twice at once, and its result is kept.

    Args:
        workers: threads. keep: how many finished pieces of work are remembered, the least recently used go first.
        waiting: how many may wait.
        prepare: called once in each thread before it works.
    """

    def __init__(
        self, workers: int = 2, keep: int = 256, waiting: int = 200, prepare: Callable[[], None] = lambda: None
    ) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="lightbox", initializer=prepare)
        self._lock = threading.Lock()
        self._jobs: OrderedDict[Hashable, _Job] = OrderedDict()
        self._queue: list[tuple[int, int, _Job]] = []
        self._order = itertools.count()
        self._keep = keep
        self._waiting = waiting

    def submit(self, key: Hashable, work: Work, *, owner: str, urgency: int = 0) -> None:
        """Ask for ``work``; nothing happens where ``key`` is done, or waits or runs already.

        Args:
            key: content address of the result. work: see :data:`Work`.
            owner: who asks; shared work stops only when all who asked have cancelled.
            urgency: lower runs first.

        Raises:
            QueueFullError: too much is waiting.
        """
        with self._lock:
            job = self._jobs.get(key)
            if job is not None and not job.stop.is_set() and job.state in ("queued", "running", "done"):
                job.owners.add(owner)
                return
            if sum(1 for _, _, queued in self._queue if queued.state == "queued") >= self._waiting:
                raise QueueFullError("Too much work is waiting already. Wait until some of it is done, then run again.")
            job = _Job(key, work, {owner})
            self._jobs[key] = job
            self._jobs.move_to_end(key)
            heapq.heappush(self._queue, (urgency, next(self._order), job))
            self._forget()
        self._pool.submit(self._run_next)

    def status(self, key: Hashable) -> Status | None:
        """What is known of ``key``; None where nobody asked for it, or it was forgotten."""
        with self._lock:
            job = self._jobs.get(key)
            if job is None:
                return None
            self._jobs.move_to_end(key)
            seconds = time.perf_counter() - job.started if job.state == "running" else job.seconds
            return Status(job.state, job.share, seconds, job.result, job.error)

    def cancel(self, owner: str, *, keep: Collection[Hashable] = ()) -> None:
        """Withdraw all unfinished work that ``owner`` asked for, except for the keys in ``keep``."""
        with self._lock:
            for job in self._jobs.values():
                if owner in job.owners and job.state in ("queued", "running") and job.key not in keep:
                    job.owners.discard(owner)
                    if not job.owners:
                        job.stop.set()
                        if job.state == "queued":
                            job.state = "cancelled"

    def close(self) -> None:
        """Stop everything and let the threads end."""
        with self._lock:
            for job in self._jobs.values():
                job.stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _forget(self) -> None:
        finished = [key for key, job in self._jobs.items() if job.state not in ("queued", "running")]
        for key in finished[: max(0, len(finished) - self._keep)]:
            del self._jobs[key]

    def _run_next(self) -> None:
        with self._lock:
            job = heapq.heappop(self._queue)[2]
            if job.state != "queued":
                return
            job.state, job.started = "running", time.perf_counter()
        state, result, error = self._attempt(job)
        with self._lock:
            job.state, job.result, job.error = state, result, error
            job.seconds = time.perf_counter() - job.started
            job.share = 1.0 if state == "done" else job.share
            job.work = _done
            self._forget()

    def _attempt(self, job: _Job) -> tuple[State, Any, str]:
        def progress(share: float) -> None:
            job.share = max(job.share, min(share, 1.0))

        try:
            return "done", job.work(progress, job.stop.is_set), ""
        except Cancelled:
            return "cancelled", None, ""
        except MemoryError:
            return "failed", None, "There was not enough memory. Try fewer samples or a smaller film."
        except (ValueError, LookupError, RuntimeError, TypeError, ArithmeticError, OSError) as error:
            logger.warning("background work failed", exc_info=error)
            return "failed", None, sentence(error)
        except Exception as error:
            logger.exception("background work failed unexpectedly")
            return "failed", None, f"It stopped with an unexpected error ({type(error).__name__})."


def _done(progress: Callable[[float], None], cancelled: Callable[[], bool]) -> None:
    """What a finished job holds in place of its work, so that films and models can be freed."""


def sentence(error: BaseException, longest: int = 300) -> str:
    """The first line of an error's message as a sentence for people."""
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error).strip()
    line = text.splitlines()[0][:longest].strip() if text else ""
    if not line:
        return f"It stopped with an unexpected error ({type(error).__name__})."
    return line[0].upper() + line[1:] + ("" if line.endswith((".", "!", "?")) else ".")
