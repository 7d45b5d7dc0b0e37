"""The benchmark page's first half: a new run, how far it is, stop and go on.

A run is a program of its own; the page knows of it only what stands in its folder, so that it outlives the page.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import streamlit as st

from classifiers import registry as model_registry
from dashboard.jobs import sentence
from dashboard.people import identity
from dashboard.people.roles import NotAllowedError, permit
from dashboard.shared.background import warning_when_not_allowed
from dashboard.shared.choosing import first_model
from evaluation.cli.runs import duration
from evaluation.runs.plan import Plan, PlanError, Variant, parse_plan
from evaluation.runs.run_progress import RunProgress
from evaluation.runs.store import Store
from evaluation.runs.template import plan_text
from evaluation.scores import headline_metrics, metrics
from radiographs.files import write_text
from radiographs.places import home_folder, import_root
from radiographs.registry import collections
from xai_methods import get_method, main_methods, methods

START_SECONDS = 90
"""How long a run may take from its start to its first word."""
NEW = "New run"


def runs_folder() -> Path:
    """Where the runs that are started here lie, one folder each."""
    return home_folder() / "benchmarks"


def folders() -> list[Path]:
    """The runs there are, the newest first."""
    found = [path for path in runs_folder().glob("*") if (path / "plan.toml").is_file()]
    return sorted(found, key=lambda path: (path / "plan.toml").stat().st_mtime, reverse=True)


def choose() -> Path | None:
    """Draw the choice of a run, and the form of a new one; returns the chosen run's folder."""
    names = [path.name for path in folders()]
    fresh = st.session_state.pop("fresh run", None)
    if fresh in names:
        st.session_state["benchmark run"] = fresh
    if st.session_state.get("benchmark run") not in [*names, NEW]:
        st.session_state.pop("benchmark run", None)
    chosen = st.selectbox("Run", [*names, NEW], key="benchmark run", persist_state="session") if names else NEW
    if chosen == NEW:
        _new_run()
        return None
    return runs_folder() / chosen


def _new_run() -> None:
    choose_tab, file_tab = st.tabs(["Choose", "Plan file"])
    with choose_tab:
        plan = _chosen_plan()
        if plan is not None:
            with st.expander("The same as a plan file"):
                st.caption("Save it as plan.toml for `lightbox run plan.toml --out FOLDER`.")
                st.code(plan_text(plan), language="toml")
            if st.button("Start", type="primary", icon=":material/play_arrow:", key="start chosen"):
                _start(plan)
    with file_tab:
        text = st.text_area("Plan (TOML)", height=320, key="plan text", placeholder='collections = ["known-truth"]')
        if st.button("Start", icon=":material/play_arrow:", key="start text", disabled=not text.strip()):
            try:
                _start(parse_plan(text))
            except PlanError as error:
                st.error(sentence(error), icon=":material/error:")


def _chosen_plan() -> Plan | None:
    available = {name: one.card.title for name, one in collections().items() if one.missing() is None}
    models = {entry.name: entry.title for entry in model_registry.list_models() if entry.available}
    if not available or not models:
        st.info("A benchmark needs films and an available model.")
        return None
    left, right = st.columns(2)
    with left:
        name = st.text_input("Name", "benchmark", max_chars=60, key="plan name")
        films = st.multiselect("Collections", list(available), list(available)[:1], format_func=available.__getitem__)
        first = first_model(list(models), f"{next(iter(films or available))}/")
        chosen = st.multiselect("Models", list(models), [first], format_func=models.__getitem__)
        number = st.number_input("Films for each finding (0: all)", 0, 100_000, 5)
    with right:
        known = methods()
        explained = st.multiselect(
            "Methods", list(known), list(main_methods()), format_func=lambda m: known[m].title, key="plan methods"
        )
        titles = {key: one.title for key, one in metrics().items()}
        scores = st.multiselect("Scores", list(titles), list(headline_metrics()), format_func=titles.__getitem__)
        seed = st.number_input("Seed", 0, 2**31 - 1, 0, key="plan seed")
    lacking = [word for word, given in (("films", films), ("a model", chosen), ("a score", scores)) if not given]
    if lacking:
        st.info(f"Choose {', '.join(lacking)} first.")
        return None
    variants = tuple(Variant(m, get_method(m).parameters().as_dict()) for m in explained)
    given = Plan(
        tuple(films), tuple(chosen), name, per_finding=int(number), methods=variants, seeds=(int(seed),),
        metrics=tuple(scores),
    )  # fmt: skip
    try:
        return parse_plan(plan_text(given))
    except PlanError as error:
        st.warning(sentence(error))
        return None


def _start(plan: Plan) -> None:
    slug = re.sub(r"[^a-z0-9]+", "-", plan.name.lower()).strip("-")[:40] or "benchmark"
    taken = {path.name for path in runs_folder().glob("*")}
    name = next(n for n in (slug, *(f"{slug}-{i}" for i in range(2, len(taken) + 3))) if n not in taken)
    folder = runs_folder() / name
    try:
        permit("run", name)
        if any(variant.maps for variant in plan.methods):
            permit("look into folder", name)  # the plan names a place on this machine
        folder.mkdir(parents=True)
        write_text(folder / "plan.toml", plan_text(plan))
        write_text(folder / "owner", identity.name())
        launch(folder)
    except NotAllowedError as error:
        st.error(sentence(error), icon=":material/lock:")
        return
    except OSError as error:
        if not isinstance(error, FileExistsError):
            shutil.rmtree(folder, ignore_errors=True)  # a run of nothing would stand in the list
        st.error(f"The run cannot be started: {error.strerror}.", icon=":material/error:")
        return
    st.session_state["fresh run"] = name
    st.rerun()


def launch(folder: Path) -> None:
    """Start the run of a folder, or go on with it, as a program of its own.

    Raises:
        OSError: it cannot be started.
    """
    (folder / "stop").unlink(missing_ok=True)
    (folder / "status.json").unlink(missing_ok=True)
    write_text(folder / "started", str(time.time()))
    command = [sys.executable, "-m", "evaluation.cli.parser", "run", str(folder / "plan.toml"), "--out", str(folder)]
    given = {**os.environ, "PYTHONPATH": os.pathsep.join([str(import_root()), os.environ.get("PYTHONPATH", "")])}
    with open(folder / "log.txt", "ab") as log:
        process = subprocess.Popen(
            [*command, "--quiet"], env=given, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    # Somebody must take note of its end, or it stays in the list of processes.
    threading.Thread(target=process.wait, daemon=True, name="benchmark").start()


def live(folder: Path) -> bool:
    """Whether a run works in the folder, or was started a moment ago."""
    if Store(folder).busy:
        return True
    if Store(folder).status():
        return False
    try:
        return time.time() - float((folder / "started").read_text(encoding="ascii")) < START_SECONDS
    except (OSError, ValueError):
        return False


def draw_status(folder: Path) -> None:
    """Draw how far the run is, with the buttons that stop it and let it go on."""
    store = Store(folder)
    said, busy = store.status(), live(folder)
    was = st.session_state.get(f"live {folder.name}")
    st.session_state[f"live {folder.name}"] = busy
    if was and not busy:
        st.rerun()
    if busy:
        st.progress(said.share if said else 0.0, text=_progress_words(said))
        if (folder / "stop").exists():
            st.caption("Stopping; films in hand are given up.")
        elif st.button("Stop", icon=":material/stop:", key="stop run"):
            with warning_when_not_allowed():
                permit("run", folder.name, owner=_owner(folder))
                (folder / "stop").touch()
                st.rerun(scope="fragment")
        return
    if said and said.state == "done":
        st.success(f"Done: {said.films or '?'} films.", icon=":material/check_circle:")
        return
    if said and said.state == "failed":
        st.error(f"{sentence(RuntimeError(said.error))}", icon=":material/error:")
    elif said and said.state == "stopped":
        st.info(f"Stopped after {said.done} of {said.films or '?'} films.", icon=":material/pause_circle:")
    else:
        st.warning(f"The run broke off. {_last_line(folder)}", icon=":material/warning:")
    if st.button("Go on", icon=":material/play_arrow:", key="go on"):
        with warning_when_not_allowed():
            permit("run", folder.name, owner=_owner(folder))
            launch(folder)
            st.rerun()


def _owner(folder: Path) -> str:
    """The name of the person who started a run; "" where that is not known."""
    try:
        return (folder / "owner").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _progress_words(said: RunProgress | None) -> str:
    if said is None or said.state != "running":
        return "Starting: loading models and workers"
    left = f", {duration(said.left)} left" if said.left is not None else ""
    failed = f", {said.failures} scores failed" if said.failures else ""
    return (
        f"{said.done} of {said.films} films, {said.per_minute:.1f} a minute on {said.workers} worker(s){left}{failed}"
    )


def _last_line(folder: Path) -> str:
    try:
        lines = (folder / "log.txt").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    words = next((line for line in reversed(lines) if line.startswith("lightbox: ")), "")
    return sentence(RuntimeError(words.removeprefix("lightbox: "))) if words else ""
