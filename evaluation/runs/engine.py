"""Run a plan film by film: what is done is skipped, what fails is recorded, what is stopped goes on later."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from itertools import islice

import dask
import pyarrow as pa
from distributed import Future, as_completed
from distributed.scheduler import KilledWorker

from evaluation.runs.cluster import ATTEMPTS, WorkerPool, worker_pool
from evaluation.runs.plan import Plan
from evaluation.runs.run_progress import RunProgress, State
from evaluation.runs.selection import RunModel, WorkItem, open_plan, work_items
from evaluation.runs.store import SCHEMA, Store, StoreError
from evaluation.runs.template import plan_text
from evaluation.runs.verdicts import write_lists
from evaluation.runs.worker import Outcome, failures_of, run_work_item

AHEAD = 3
"""Films a worker has waiting, so that it never waits for the next; no more, so that memory stays flat."""
FLUSH_SECONDS = (5.0, 60.0)
"""Scores are written this often: at first the shorter, later a hundredth of the time gone, at most the longer."""
LEAST_FREE = 200 * 2**20
"""Bytes that must be free where results are written."""
_log = logging.getLogger(__name__)


def run(
    plan: Plan,
    store: Store,
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    retry: bool = False,
    progress: Callable[[RunProgress], None] | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> RunProgress:
    """Run a plan into a folder; started again, it does what is missing.

    Args:
        plan: what to do. store: where results go. scheduler: of a Dask cluster; None works on this machine.
        workers: processes to start here; by default one a GPU, or one for two cores.
        retry: whether what failed before is tried again. progress: told about once a second how far it is.
        stopped: looked at about once a second; True ends the run, and what is finished is written.

    Returns:
        How it ended: done or stopped.

    Raises:
        PlanError: the plan cannot be run. ClusterError: the workers cannot be had.
        StoreError: another run writes there, or results cannot be written.
    """
    with store.held():
        run_ = _Run(plan, store, progress or (lambda told: None), stopped)
        try:
            return run_.go(scheduler, workers, retry)
        except KeyboardInterrupt:
            run_.tell("stopped")
            raise
        except Exception as error:
            run_.tell("failed", " ".join(str(error).split()) or type(error).__name__)
            raise


class _Run:
    def __init__(
        self, plan: Plan, store: Store, progress: Callable[[RunProgress], None], stopped: Callable[[], bool]
    ) -> None:
        self.plan, self.store, self.progress = plan, store, progress
        self.stop_file = store.folder / "stop"
        self.stop_file.unlink(missing_ok=True)
        self.stopped = lambda: stopped() or self.stop_file.exists()
        self.began = time.monotonic()
        self.films = self.done = self.before = self.lost = self.workers = 0
        self.first = self.flushed = self.told = 0.0
        self.outcomes: list[Outcome] = []

    def go(self, scheduler: str | None, workers: int | None, retry: bool) -> RunProgress:
        self.tell("starting")
        _check_disk(self.store)
        models = open_plan(self.plan)
        self.store.write_text("plan.toml", plan_text(self.plan))
        write_lists(self.store, self.plan.collections)
        answered, failed = self.store.answered(), {} if retry else self.store.failed()
        self.films = sum(1 for _ in work_items(self.plan, models))
        waiting = sum(1 for _ in work_items(self.plan, models, answered, failed))
        self.before = self.done = self.films - waiting
        if not waiting:
            return self.tell("done")
        with dask.config.set({"distributed.scheduler.allowed-failures": ATTEMPTS - 1}):
            with worker_pool(scheduler, workers) as pool:
                self.workers = pool.workers
                self.tell("running")
                finished = self._work(pool, models, answered, failed)
        return self.tell("done" if finished else "stopped")

    def _work(
        self,
        pool: WorkerPool,
        models: list[RunModel],
        answered: Mapping[str, frozenset[str]],
        failed: Mapping[str, frozenset[str]],
    ) -> bool:
        todo = work_items(self.plan, models, answered, failed)
        self.first = time.monotonic()
        try:
            return self._stream(pool, todo)
        finally:
            self._flush()

    def _stream(self, pool: WorkerPool, todo: Iterator[WorkItem]) -> bool:
        """Keep every worker busy and no more than that; True where all was done."""
        client, running = pool.client, {}
        stream = as_completed(with_results=True, raise_errors=False, loop=client.loop)

        def send(number: int) -> None:
            for item in islice(todo, number):
                future = client.submit(run_work_item, item, pool.threads, key=_key(item), pure=False, retries=0)
                running[future.key] = (item, future)
                stream.add(future)

        send(AHEAD * pool.workers)
        while running:
            if self.stopped():
                client.cancel([future for _, future in running.values()], force=True)
                return False
            for future, result in _arrived(stream):
                item, _ = running.pop(future.key)
                self._take(item, result)
                send(1)
            self._beat()
        return True

    def _take(self, item: WorkItem, result: object) -> None:
        outcome = result if isinstance(result, Outcome) else _lost(item, result)
        self.outcomes.append(outcome)
        self.done += 1
        self.lost += len(outcome.failures)

    def _beat(self) -> None:
        now = time.monotonic()
        least, most = FLUSH_SECONDS
        if self.outcomes and now - self.flushed > min(most, max(least, (now - self.first) / 100)):
            self._flush()
        if now - self.told > 1:
            self.tell("running")

    def _flush(self) -> None:
        outcomes, self.outcomes = self.outcomes, []
        tables: list[pa.Table] = [outcome.scores for outcome in outcomes]
        failures = [row for outcome in outcomes for row in outcome.failures]
        films = [row for outcome in outcomes for row in outcome.films]
        maps = {key: npz for outcome in outcomes for key, npz in outcome.maps.items()}
        self.store.write(tables, failures, maps, films)
        self.flushed = time.monotonic()

    def tell(self, state: State, error: str = "") -> RunProgress:
        now = time.monotonic()
        fresh = self.done - self.before
        rate = fresh / (now - self.first) if fresh and self.first else 0.0
        left = (self.films - self.done) / rate if rate else None
        said = RunProgress(
            state, self.films, self.done, self.before, self.lost, now - self.began, 60 * rate,
            0.0 if state == "done" else left, self.workers, error, time.time(),
        )  # fmt: skip
        try:
            self.store.write_text("status.json", json.dumps(asdict(said)))
        except StoreError as problem:
            _log.warning("%s", problem)
        self.told = now
        self.progress(said)
        return said


def _key(item: WorkItem) -> str:
    return f"film-{item.collection}-{item.film_id}-{item.classifier}-{item.requests[0].key}"


def _arrived(stream: as_completed) -> list[tuple[Future, object]]:
    """What is finished by now; waits for up to about a second where nothing is."""
    until = time.monotonic() + 1
    while not stream.has_ready():
        if time.monotonic() > until:
            return []
        time.sleep(0.05)
    return list(stream.next_batch(block=False))


def _lost(item: WorkItem, result: object) -> Outcome:
    """The outcome of a item whose worker never answered."""
    error = result[1] if isinstance(result, tuple) and len(result) == 3 else result
    if isinstance(error, KilledWorker):
        reason = f"{ATTEMPTS} worker processes died over this film, perhaps for want of memory"
    else:
        reason = f"the worker lost this film: {error or type(error).__name__}"
    return Outcome(SCHEMA.empty_table(), failures_of(item, reason))


def _check_disk(store: Store) -> None:
    free = shutil.disk_usage(store.folder).free
    if free < LEAST_FREE:
        raise StoreError(f"the disk of {store.folder} is full: {free // 2**20} MB free; make room and start again")
