"""A run, disturbed in every way that can happen, ends with the table of an undisturbed one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import psutil
import pytest
from distributed import Client

from evaluation.runs import cluster
from evaluation.runs.cluster import ClusterError
from evaluation.runs.engine import run
from evaluation.runs.plan import Plan
from evaluation.runs.store import Store, StoreError
from evaluation.runs.template import plan_text
from radiographs.places import import_root
from tests.evaluation.runs.conftest import OUTLINED, SECONDS

pytestmark = pytest.mark.slow
ROWS = OUTLINED * (3 * 2 * 5 + 4 * 4)
"""Outlined films times (methods with sweeps x seeds x scores, and baselines x scores against an outline)."""


def table(store: Store) -> pd.DataFrame:
    """All rows without the times, in one order."""
    rows = store.query("SELECT * EXCLUDE (seconds) FROM scores").sort_values(["question", "metric"])
    return rows.reset_index(drop=True).astype({"kind": str, "metric": str})


def assert_same(store: Store, undisturbed: Store) -> None:
    found, wanted = table(store), table(undisturbed)
    assert not found.duplicated(["question", "metric"]).any()
    pd.testing.assert_frame_equal(found, wanted, check_exact=False, rtol=1e-9)


def workers_of(process: psutil.Process) -> list[psutil.Process]:
    """The processes that work on films, children of the nannies."""
    found = []
    for child in process.children(recursive=True):
        words = " ".join(child.cmdline())
        if "multiprocessing.spawn" in words or "multiprocessing-fork" in words:
            found.append(child)
    return found


def test_every_score_once(undisturbed: Store) -> None:
    rows = table(undisturbed)
    assert len(rows) == ROWS
    assert not rows.duplicated(["question", "metric"]).any()
    assert rows.patient.nunique() == 5
    assert rows[rows.metric == "peak_distance_mm"].value.isna().all()
    alone = rows.method == "other-reader"
    assert rows[alone].value.isna().all()
    assert rows[(rows.metric == "pointing_game") & ~alone].value.notna().all()


def test_two_worker_processes_over_tcp(plan: Plan, undisturbed: Store, scheduler: str, tmp_path: Path) -> None:
    store = Store(tmp_path / "run")
    ended = run(plan, store, scheduler=scheduler)
    assert (ended.state, ended.done, ended.before, ended.failures, ended.workers) == ("done", OUTLINED, 0, 0, 2)
    assert store.status().state == "done"
    assert not store.busy
    assert not list(store.folder.rglob("*.new"))
    assert_same(store, undisturbed)
    files = sorted(path.name for path in store.scores_folder.iterdir())
    again = run(plan, store, scheduler=scheduler)
    assert (again.state, again.before) == ("done", OUTLINED)
    assert sorted(path.name for path in store.scores_folder.iterdir()) == files


def test_a_killed_worker_loses_only_the_films_in_its_hands(plan: Plan, undisturbed: Store, tmp_path: Path) -> None:
    store, killed = Store(tmp_path), []

    def kill_one(said) -> None:
        if said.done >= 2 and not killed:
            victim = workers_of(psutil.Process())[0]
            victim.kill()
            killed.append(victim.pid)

    ended = run(plan, store, workers=2, progress=kill_one)
    assert killed
    assert not workers_of(psutil.Process())
    assert (ended.state, ended.done, ended.failures) == ("done", OUTLINED, 0)
    assert_same(store, undisturbed)


def start(plan: Plan, folder: Path, *more: str) -> subprocess.Popen[bytes]:
    path = folder.parent / f"{folder.name}.toml"
    path.write_text(plan_text(plan), encoding="utf-8")
    command = [sys.executable, "-m", "evaluation.cli.parser", "run", str(path), "--out", str(folder), *more]
    return subprocess.Popen(command, cwd=import_root(), start_new_session=True)


def wait_for_scores(store: Store, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + SECONDS
    while not list(store.scores_folder.glob("part-*.parquet")):
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_run_killed_in_the_middle_goes_on(plan: Plan, undisturbed: Store, scheduler: str, tmp_path: Path) -> None:
    store = Store(tmp_path / "run")
    process = start(plan, store.folder, "--workers", "1")
    wait_for_scores(store, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert 0 < len(table(store)) < ROWS
    ended = run(plan, store, scheduler=scheduler)
    assert ended.before > 0
    assert_same(store, undisturbed)


def test_a_run_told_to_stop_keeps_what_is_finished_and_goes_on(
    plan: Plan, undisturbed: Store, scheduler: str, tmp_path: Path
) -> None:
    store = Store(tmp_path / "run")
    process = start(plan, store.folder, "--scheduler", scheduler)
    wait_for_scores(store, process)
    # Held still, for on a fast machine it would be through before it is told to stop.
    process.send_signal(signal.SIGSTOP)
    assert store.busy
    with pytest.raises(StoreError, match="another run writes"):
        run(plan, store)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGCONT)
    assert process.wait(SECONDS) == 130
    said = store.status()
    assert said.state == "stopped"
    assert 0 < said.done < OUTLINED
    assert len(store.query("SELECT DISTINCT film_id FROM scores")) == said.done
    run(plan, store, scheduler=scheduler)
    assert_same(store, undisturbed)


def test_the_stop_file_stops_a_run(plan: Plan, scheduler: str, tmp_path: Path) -> None:
    store = Store(tmp_path)
    ended = run(plan, store, scheduler=scheduler, progress=lambda said: said.done and (tmp_path / "stop").touch())
    assert ended.state == "stopped"
    assert 0 < ended.done < OUTLINED


def test_a_plan_that_grew_does_only_what_is_new(plan: Plan, undisturbed: Store, scheduler: str, tmp_path: Path) -> None:
    store = Store(tmp_path)
    small = replace(plan, methods=plan.methods[:1], metrics=plan.metrics[:2])
    run(small, store, scheduler=scheduler)
    first = table(store)
    run(plan, store, scheduler=scheduler)
    assert len(first) == OUTLINED * (2 * 2 + 4 * 2)
    assert_same(store, undisturbed)


def test_workers_know_nothing_of_the_dashboard(undisturbed: Store, scheduler: str) -> None:
    with Client(scheduler, set_as_default=False) as client:
        seen = client.run(lambda: ("streamlit" in sys.modules, "evaluation.runs.worker" in sys.modules))
    assert list(seen.values()) == [(False, True)] * 2


def test_a_scheduler_that_is_not_there(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with pytest.raises(ClusterError, match=r"tcp://127\.0\.0\.1:9 does not answer"):
        run(plan, Store(tmp_path), scheduler="tcp://127.0.0.1:9")
    said = Store(tmp_path).status()
    assert said.state == "failed"
    assert "does not answer" in said.error
    assert not list(Store(tmp_path).scores_folder.iterdir())


def test_workers_of_another_version_are_refused(
    plan: Plan, scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "versions", versions_of_old)
    with pytest.raises(ClusterError, match="other versions"):
        run(plan, Store(tmp_path / "run"), scheduler=scheduler)


def versions_of_old() -> str:
    return f"old {os.getpid()}"
