"""The commands ``lightbox plan``, ``run``, ``report`` and ``diff``."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.cli.outputs import check_file
from evaluation.cli.progress import ProgressLine
from evaluation.cli.statuses import DONE, STOPPED, WITH_REMARKS
from radiographs.files import write_text

if TYPE_CHECKING:
    from evaluation.runs.engine import RunProgress
    from evaluation.runs.estimate import Estimate
    from evaluation.runs.plan import Plan


def add_commands(added: Any) -> None:
    """Add the four commands to those of ``lightbox`` (an ``argparse`` subparsers action)."""
    about = (
        "Write a commented plan where there is none, or check one: what it runs, how long it takes, how large it is."
    )
    plan = added.add_parser("plan", help="write or check a plan of a benchmark run", description=about)
    plan.add_argument("plan", type=Path, metavar="PLAN.TOML")
    plan.add_argument("--quick", action="store_true", help="count only, measure nothing")
    _add_workers(plan)
    plan.set_defaults(run=plan_command)
    about = "Run a plan; started again, it does what is missing. Ctrl-C stops it, what is finished is written."
    run = added.add_parser("run", help="run a plan, or go on with it", description=about)
    run.add_argument("plan", type=Path, metavar="PLAN.TOML")
    run.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="where results go")
    run.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster that stands, such as tcp://host:8786")
    run.add_argument("--retry", action="store_true", help="try again what failed before")
    run.add_argument("--quiet", action="store_true", help="show no progress")
    _add_workers(run)
    run.set_defaults(run=run_command)
    about = "Write leaderboard, tests, validity gate and cost of a run as HTML, CSV and LaTeX into its folder report/."
    report = added.add_parser("report", help="report a run", description=about)
    report.add_argument("folder", type=Path, metavar="FOLDER", help="what --out named")
    report.add_argument("--out", type=Path, metavar="FOLDER", help="where the report goes; FOLDER/report by default")
    report.add_argument(
        "--metric", action="append", metavar="NAME", help="may be repeated; those in the run by default"
    )
    report.set_defaults(run=report_command)
    about = "Compare two runs: what only one of them has, and how far the scores of both differ."
    diff = added.add_parser("diff", help="compare two runs", description=about)
    diff.add_argument("first", type=Path, metavar="FOLDER")
    diff.add_argument("second", type=Path, metavar="FOLDER")
    diff.add_argument("--csv", type=Path, metavar="FILE", help="save the table as CSV")
    diff.set_defaults(run=diff_command)


def _add_workers(command: argparse.ArgumentParser) -> None:
    words = "worker processes on this machine; by default one a GPU, or one for two cores"
    command.add_argument("--workers", type=_positive, metavar="N", help=words)


def _positive(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to 1024, got {text!r}")
    return int(text)


def plan_command(args: argparse.Namespace) -> int:
    """Write a plan, or check the one there is.

    Raises:
        PlanError: the plan cannot be run.
    """
    from evaluation.runs.estimate import FILMS, estimate
    from evaluation.runs.plan import parse_plan, read_plan
    from evaluation.runs.template import plan_text

    if not args.plan.exists():
        usual = parse_plan('collections = ["known-truth"]\nclassifiers = ["known-truth"]\nper_finding = 5')
        write_text(args.plan, plan_text(usual))
        sys.stdout.write(f"{args.plan} is written. Change it, then: lightbox plan {args.plan}\n")
        return 0
    plan = read_plan(args.plan)
    found = estimate(plan, workers=args.workers, films=0 if args.quick else FILMS)
    sys.stdout.write(estimate_words(found) + _provenance(plan))
    return 0


def _provenance(plan: Plan) -> str:
    """What is known of training and patients, a line a collection and model."""
    from classifiers.registry import list_models
    from evaluation.runs.provenance import provenance_words
    from evaluation.runs.selection import films_of, maps_there, open_plan
    from radiographs.registry import collections

    cards, lines = {entry.name: entry.card for entry in list_models()}, []
    for name in plan.collections:
        for model in open_plan(plan):
            films = [entry.film_id for entry, _ in films_of(plan, model, collections()[name])]
            if films:
                words = provenance_words(cards.get(model.name), collections()[name], films)
                there = maps_there(plan, model, collections()[name])
                words += [f"{method} has maps of {n} of {all_} pairs." for method, (n, all_) in there.items()]
                lines.append(f"{name} with {model.name}: {' '.join(words)}\n")
    return "".join(lines)


def estimate_words(found: Estimate) -> str:
    """What a plan will do and cost, in lines."""
    lines = []
    for share in found.shares:
        cost = f", {duration(share.seconds / found.workers)}, {size(share.bytes)}" if share.seconds else ""
        lines.append(
            f"{share.collection} with {share.classifier}: {share.films} films, {share.maps} maps, "
            f"{share.rows} scores{cost}"
        )
    if found.seconds:
        films = sum(share.films for share in found.shares)
        whole = sum(share.bytes for share in found.shares)
        lines.append(
            f"In all {films} films, about {duration(found.seconds)} with {found.workers} worker(s), {size(whole)}."
        )
        cut = f"; of {', '.join(found.cut)} the first seconds only" if found.cut else ""
        lines.append(f"Timed on {found.timed} film(s){cut}.")
        slow = sorted(found.by_method.items(), key=lambda pair: -pair[1])
        lines.append("Seconds a map: " + ", ".join(f"{name} {seconds:.2f}" for name, seconds in slow))
    lines += [f"Failed on the timed films: {reason}" for reason in found.failures]
    return "\n".join(lines) + "\n"


def duration(seconds: float) -> str:
    """A time for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def size(count: float) -> str:
    """A number of bytes for people."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def run_command(args: argparse.Namespace) -> int:
    """Run a plan; 0 where it is done, 130 where it was stopped, 1 where scores could not be had.

    Raises:
        PlanError, ClusterError, StoreError: it cannot be run.
    """
    from evaluation.runs.engine import run
    from evaluation.runs.plan import read_plan
    from evaluation.runs.store import Store

    plan = read_plan(args.plan)
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    store = Store(args.out)
    try:
        ended = run(
            plan, store, scheduler=args.scheduler, workers=args.workers, retry=args.retry,
            progress=None if args.quiet else partial(_show, ProgressLine()), stopped=stop.is_set,
        )  # fmt: skip
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    failed = len(store.failures())
    words = (
        f"{ended.done} of {ended.films} films, {ended.before} of them done before; {failed} scores could not be had."
    )
    if ended.state == "stopped":
        words += " Stopped; the same command goes on from here."
    sys.stdout.write(f"{words}\n")
    if ended.state == "stopped":
        return STOPPED
    return WITH_REMARKS if failed else DONE


def _show(line: ProgressLine, said: RunProgress) -> None:
    left = "" if said.left is None else f", {duration(said.left)} left"
    words = f"{said.done} of {said.films} films, {said.per_minute:.1f} a minute{left}, {said.failures} failed"
    if said.state in ("running", "done", "stopped"):
        line.show(words, ended=said.state != "running")


def report_command(args: argparse.Namespace) -> int:
    """Write the report of a run.

    Raises:
        StoreError, ValueError: there is nothing to report.
    """
    from evaluation.runs.report_files import write_report
    from evaluation.runs.store import Store

    made = write_report(Store(args.folder), args.out or args.folder / "report", args.metric)
    sys.stdout.write("".join(f"{path}\n" for path in made))
    return 0


def diff_command(args: argparse.Namespace) -> int:
    """Compare two runs; 0 where they are the same, 1 where not.

    Raises:
        StoreError, ValueError: there is nothing to compare.
    """
    from evaluation.csv_table import write_csv
    from evaluation.runs.diff import diff
    from evaluation.runs.store import Store

    if args.csv is not None:
        check_file(args.csv, ".csv", option="--csv")
    found = diff(Store(args.first), Store(args.second))
    sys.stdout.write(found.words())
    if args.csv is not None:
        write_csv(args.csv, found.table)
    return DONE if found.same else WITH_REMARKS
