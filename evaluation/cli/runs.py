"""The commands ``lightbox plan``, ``run``, ``report``, ``publish`` and ``diff``."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.cli.outputs import check_file
from evaluation.cli.progress import ProgressLine
from evaluation.cli.statuses import DONE, STOPPED, WITH_REMARKS
from radiographs.files import write_text

if TYPE_CHECKING:
    from evaluation.runs.estimate import Estimate
    from evaluation.runs.plan import Plan
    from evaluation.runs.run_progress import RunProgress


def add_commands(added: Any) -> None:
    """Add the commands to those of ``lightbox`` (an ``argparse`` subparsers action)."""
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
    about = (
        "Write leaderboard, tests, validity gate and cost of a run as HTML, CSV and LaTeX into its folder report/. "
        "Maps of several runs are set beside each other where films, outlines and scores are the same; else it is "
        "said why not."
    )
    report = added.add_parser("report", help="report one run or several", description=about)
    words = "what --out of lightbox run named, or a file of lightbox publish; may be repeated"
    report.add_argument("results", type=Path, nargs="+", metavar="RESULTS", help=words)
    words = "where the report goes; by default RESULTS/report, and report beside a file or several"
    report.add_argument("--out", type=Path, metavar="FOLDER", help=words)
    report.add_argument(
        "--metric", action="append", metavar="NAME", help="may be repeated; those in the run by default"
    )
    words = "also write what a paper needs: methods, tables, parameters, films, BibTeX, checklist"
    report.add_argument("--paper", type=Path, metavar="FOLDER", help=words)
    report.set_defaults(run=report_command)
    about = (
        "Write a run's result as one file that others can report: plan, digests, versions, verdicts and scores, "
        "without paths, names or identifiers."
    )
    publish = added.add_parser("publish", help="write a run's result as one file", description=about)
    publish.add_argument("folder", type=Path, metavar="FOLDER", help="what --out of lightbox run named")
    publish.add_argument("out", type=Path, metavar="FILE", help="ends in .json or .parquet")
    publish.set_defaults(run=publish_command)
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
    """Write the report of one run, or of several beside each other.

    Raises:
        StoreError, ValueError: there is nothing to report.
    """
    from evaluation.runs.paper import paper_texts
    from evaluation.runs.published import open_results
    from evaluation.runs.report import make_report
    from evaluation.runs.report_files import report_texts, write_texts
    from evaluation.runs.several import make_joint_report

    first = args.results[0]
    with ExitStack() as stack:
        labels = _labels(args.results)
        stores = [stack.enter_context(open_results(path)) for path in args.results]
        if len(stores) == 1:
            report = make_report(stores[0], args.metric)
        else:
            report = make_joint_report(dict(zip(labels, stores)), args.metric)
        texts = report_texts(report)
        if args.paper is not None and len(stores) > 1:
            raise ValueError("--paper is written of one run; name one")
        package = {} if args.paper is None else paper_texts(stores[0], report)
    inside = len(args.results) == 1 and not first.is_file()
    made = write_texts(texts, args.out or (first / "report" if inside else first.parent / "report"))
    made += write_texts(package, args.paper) if package else []
    sys.stderr.write("".join(f"{words}\n" for words in report.refused))
    sys.stdout.write("".join(f"{path}\n" for path in made))
    return 0


def _labels(paths: Sequence[Path]) -> list[str]:
    """A name for each result: that of its folder or file, and as many folders above it as tell it from the others."""
    parts = [path.absolute().with_suffix("").parts if path.is_file() else path.absolute().parts for path in paths]
    for depth in range(1, max(map(len, parts)) + 1):
        names = [" ".join(one[-depth:]) for one in parts]
        if len(set(names)) == len(names):
            return names
    raise ValueError("the same results are named twice; name each once")


def publish_command(args: argparse.Namespace) -> int:
    """Write a run's result as one file.

    Raises:
        StoreError, PublishedError: there is nothing to publish.
    """
    from evaluation.runs.published import publish
    from evaluation.runs.report import provenance_of
    from evaluation.runs.store import Store
    from evaluation.runs.tables import pairs_of

    store = Store(args.folder)
    said = {f"{pair.collection}/{pair.classifier}": list(provenance_of(store, pair)) for pair in pairs_of(store)}
    number = publish(store, args.out, said)
    sys.stdout.write(f"{args.out}: {number} scores\n")
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
