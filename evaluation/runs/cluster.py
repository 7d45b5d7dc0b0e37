"""Who does the work: worker processes on this machine, or a Dask cluster that stands.

Local workers are started as programs of their own (``dask worker``), not as copies of the calling one: so a run may be
started from a notebook, a dashboard or an unguarded script, and no worker loads what the caller had loaded.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from distributed import Client, LocalCluster

from evaluation.runs.worker import versions
from radiographs.places import import_root

CONNECT_SECONDS = 15
"""How long a scheduler may take to answer."""
START_SECONDS = 120
"""How long the first worker may take to come up."""
ATTEMPTS = 2
"""Workers that may die over one film before it counts as failed."""
MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(2**28), "MALLOC_MMAP_THRESHOLD_": str(2**25)}
"""For glibc: hold on to freed memory for the next film. Dask's own setting gives it back at once, and a film costs near
twice the time for the page faults."""


class ClusterError(RuntimeError):
    """The workers cannot be had. The message says why and what to do."""


@dataclass(frozen=True)
class WorkerPool:
    """Workers ready to work: the client, how many there are, and the torch threads of each (0: their own choice)."""

    client: Client
    workers: int
    threads: int


def cores() -> int:
    """Cores that this process may use, which on a shared machine or a cluster can be fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_workers() -> int:
    """One worker a GPU, else one for two cores: torch uses two cores about as well as one, and films need memory."""
    return torch.cuda.device_count() or max(1, cores() // 2)


def threads_each(workers: int) -> int:
    """Torch threads of each of ``workers`` on this machine: ``OMP_NUM_THREADS`` where it is set, else an even share."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdigit() and int(given) else max(1, cores() // workers)


@contextlib.contextmanager
def worker_pool(scheduler: str | None = None, workers: int | None = None) -> Iterator[WorkerPool]:
    """Have workers for the time of a ``with`` block; local ones end with it, however it ends.

    Args:
        scheduler: address of a Dask scheduler, such as ``tcp://host:8786``; None starts workers on this machine.
        workers: how many to start here; by default one a GPU, or one for two cores.

    Raises:
        ClusterError: the scheduler does not answer, has no workers, or its workers have other versions.
    """
    if scheduler is None:
        with _local(workers or default_workers()) as ready:
            yield ready
    else:
        with _joined(scheduler) as ready:
            yield ready


@contextlib.contextmanager
def _joined(address: str) -> Iterator[WorkerPool]:
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ClusterError(
            f"the scheduler {address} does not answer ({reason}); start it with `dask scheduler` or correct --scheduler"
        ) from error
    try:
        number = len(client.scheduler_info(n_workers=-1)["workers"])
        if not number:
            raise ClusterError(f"the scheduler {address} has no workers; start some with `dask worker {address}`")
        _check_versions(client)
        yield WorkerPool(client, number, 0)
    finally:
        client.close()


def _check_versions(client: Client) -> None:
    try:
        found = client.run(versions, on_error="return")
    except OSError as error:
        raise ClusterError(f"the workers do not say their versions: {error}") from error
    for address, theirs in found.items():
        if isinstance(theirs, BaseException):
            raise ClusterError(
                f"the worker {address} cannot load XAI Lightbox ({type(theirs).__name__}: {theirs}); install the same "
                "version there"
            )
        if theirs != versions():
            raise ClusterError(
                f"the worker {address} has other versions than this program, and scores might differ: it has {theirs}; "
                f"here is {versions()}"
            )


@contextlib.contextmanager
def _local(workers: int) -> Iterator[WorkerPool]:
    threads = threads_each(workers)
    with tempfile.TemporaryDirectory(prefix="lightbox-") as scratch, contextlib.ExitStack() as stack:
        cluster = stack.enter_context(
            LocalCluster(
                n_workers=0, processes=True, host="127.0.0.1", dashboard_address=None, worker_dashboard_address=None,
                silence_logs=50,
                # Without an address Dask opens port 8787 to everybody, dashboard or not.
                scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
            )
        )  # fmt: skip
        client = stack.enter_context(Client(cluster, set_as_default=False))
        gpus = torch.cuda.device_count()
        for number in range(workers):
            gpu = str(number % gpus) if gpus else None
            stack.enter_context(_worker(cluster.scheduler_address, threads, scratch, gpu))
        try:
            client.wait_for_workers(1, timeout=START_SECONDS)
        except TimeoutError as error:
            raise ClusterError(f"no worker process came up within {START_SECONDS} s; see the lines above") from error
        yield WorkerPool(client, workers, threads)


@contextlib.contextmanager
def _worker(address: str, threads: int, scratch: str, gpu: str | None) -> Iterator[subprocess.Popen[bytes]]:
    command = [
        sys.executable, "-m", "distributed.cli.dask_worker", address, "--nworkers", "1", "--nthreads", "1",
        "--no-dashboard", "--local-directory", scratch, "--death-timeout", "30", "--memory-limit", "auto",
    ]  # fmt: skip
    given = os.environ.copy()
    given["PYTHONPATH"] = os.pathsep.join(p for p in (str(import_root()), given.get("PYTHONPATH")) if p)
    given["DASK_LOGGING__DISTRIBUTED"] = "error"
    given["OMP_NUM_THREADS"] = str(threads)
    given = MEMORY | given
    if gpu is not None:
        given["CUDA_VISIBLE_DEVICES"] = gpu
    process = subprocess.Popen(command, env=given, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
