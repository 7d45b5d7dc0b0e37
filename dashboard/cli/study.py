"""The commands ``lightbox study plan``, ``open``, ``close`` and ``report``."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.cli.progress import ProgressLine
from evaluation.cli.statuses import DONE

if TYPE_CHECKING:
    from evaluation.reader_study.store import StudyStore


def add_command(added: argparse._SubParsersAction) -> None:
    """Add ``lightbox study`` to the commands of ``lightbox``."""
    about = "Plan, open, close and report a blinded reader study of explanations; docs/reader-study.md."
    study = added.add_parser("study", help="a reader study of explanations", description=about)
    steps = study.add_subparsers(title="steps", metavar="STEP", required=True, parser_class=type(study))
    plan = steps.add_parser("plan", help="check a study file; how many readers and cases it needs")
    plan.add_argument("file", type=Path, metavar="STUDY.TOML")
    plan.add_argument("--present", type=float, default=None, metavar="SHARE", help="of cases with the finding (half)")
    plan.add_argument("--auroc", type=float, default=None, metavar="AREA", help="of readers without a map (0.75)")
    plan.add_argument("--simulations", type=int, default=None, metavar="N", help="for each size (200)")
    plan.set_defaults(run=plan_study)
    opening = steps.add_parser("open", help="make what readers are shown, and print readers' codes")
    opening.add_argument("file", type=Path, metavar="STUDY.TOML")
    opening.add_argument("--readers", type=int, default=0, metavar="N", help="codes to print; again for more readers")
    opening.set_defaults(run=open_study)
    state = steps.add_parser("status", help="how far readers are; tells no arm")
    state.add_argument("name", nargs="?", metavar="STUDY", help="all studies where it is left out")
    state.add_argument("--csv", type=Path, metavar="FILE", help="also the answers so far, without arms and truth")
    state.set_defaults(run=show_status)
    closing = steps.add_parser("close", help="end a study: nobody answers any more, and the key may be seen")
    closing.add_argument("name", metavar="STUDY")
    closing.set_defaults(run=close_study)
    report = steps.add_parser("report", help="analyse a closed study")
    report.add_argument("name", metavar="STUDY")
    report.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="for report.html and the tables")
    report.set_defaults(run=report_study)


def plan_study(arguments: argparse.Namespace) -> int:
    """Check a study file and say how many readers and cases are needed.

    Raises:
        StudyError: something is wrong in the file. ValueError: an option is out of its bounds.
    """
    from evaluation.reader_study import planning
    from evaluation.reader_study.study_file import read_study

    study = read_study(arguments.file)
    known = [case.present for case in study.cases if case.present is not None]
    share = arguments.present if arguments.present is not None else sum(known) / len(known) if known else 0.5
    base = planning.BASE if arguments.auroc is None else arguments.auroc
    count = planning.SIMULATIONS if arguments.simulations is None else arguments.simulations
    if not 0.02 <= share <= 0.98 or not 0.5 < base < 1 or not 1 <= count <= 100_000:
        raise ValueError("expected --present from 0.02 to 0.98, --auroc between 0.5 and 1, --simulations from 1 on")
    sys.stdout.write(
        f"{study.name}: {len(study.cases)} cases, {len(study.practice)} for practice, {len(study.checks)} checks; "
        f"arms: {', '.join(arm.name for arm in study.arms)}; {study.design}. Nothing is wrong in the file.\n"
        f"Simulated: {share:.0%} of cases with the finding, readers' AUROC {base:g} and {base + study.effect:g}.\n"
    )
    table = planning.table_of_power(
        study, share, partial(ProgressLine().share, "simulating"), base=base, simulations=count
    )
    sys.stdout.write("readers  cases  power\n")
    for one in table:
        sys.stdout.write(f"{one.readers:7}  {one.cases:5}  {one.power:4.0%} ± {1.96 * one.error:.0%}\n")
    sys.stdout.write(planning.in_words(study, table) + "\n")
    return DONE


def open_study(arguments: argparse.Namespace) -> int:
    """Open a study, or let more readers into one that is open, and print their codes.

    Raises:
        StudyError: the file is wrong, or a film, model or map cannot be had. ValueError: --readers is out of bounds.
    """
    from evaluation.reader_study.store import StudyStore, studies
    from evaluation.reader_study.study_file import StudyError, read_study

    if not 0 <= arguments.readers <= 500:
        raise ValueError(f"--readers: expected 0 to 500, got {arguments.readers}")
    study = read_study(arguments.file)
    store = next((one for one in studies() if one.slug == study.slug), None) or StudyStore.create(
        study, ProgressLine().share
    )
    if store.closed:
        raise StudyError(f"the study {study.name!r} is closed; change its name to run it again")
    for case in store.material.cases.values():
        for words in case.doubts:
            sys.stderr.write(f"doubt: {words}\n")
    sys.stdout.write(f"{store.slug} is open, on the page /study?study={store.slug}\n")
    for number, code in store.add_readers(arguments.readers).items():
        sys.stdout.write(f"reader {number}: {code}\n")
    if arguments.readers:
        sys.stdout.write("These codes are written nowhere else.\n")
    return DONE


def show_status(arguments: argparse.Namespace) -> int:
    """Say how far readers are.

    Raises:
        StudyError: there is no such study.
    """
    from evaluation.csv_table import write_csv
    from evaluation.reader_study.readings import sealed_readings
    from evaluation.reader_study.store import StudyStore, studies

    chosen = [StudyStore.find(arguments.name)] if arguments.name else studies()
    for store in chosen:
        sys.stdout.write(f"{store.slug}: {'closed' if store.closed else 'open'}, {len(store.readers)} readers\n")
        for reader in store.readers:
            turn = store.turn(reader)
            sys.stdout.write(f"  reader {reader}: {turn.done} of {turn.whole}\n")
    if arguments.csv is not None:
        if len(chosen) != 1:
            raise ValueError("--csv: name the one study whose answers to write")
        write_csv(arguments.csv, sealed_readings(chosen[0]))
    return DONE


def close_study(arguments: argparse.Namespace) -> int:
    """End a study and print its key.

    Raises:
        StudyError: there is no such study.
    """
    from evaluation.reader_study.store import StudyStore

    store: StudyStore = StudyStore.find(arguments.name)
    store.close()
    sys.stdout.write(f"{store.slug} is closed. ")
    sys.stdout.write(", ".join(f"{letter}: {arm}" for letter, arm in sorted(store.key().items())) + "\n")
    return DONE


def report_study(arguments: argparse.Namespace) -> int:
    """Analyse a closed study and write the report.

    Raises:
        StudyError: there is no such study, or it is still open. OSError: a file cannot be written.
    """
    from evaluation.reader_study.report import in_words, write_report
    from evaluation.reader_study.store import StudyStore

    result = write_report(StudyStore.find(arguments.name), arguments.out)
    sys.stdout.writelines(f"{words}\n" for words in in_words(result))
    return DONE
