"""The command ``lightbox stability``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_command(added: argparse._SubParsersAction) -> None:
    """Add ``lightbox stability`` to the commands of ``lightbox``."""
    about = "Measure how far one film can move before the model's answer does, and write one self-contained HTML file."
    command = added.add_parser(
        "stability", help="how stably a model answers at one film, as a report", description=about
    )
    command.add_argument("--film", required=True, metavar="FILM", help="a file, or collection/film-id")
    command.add_argument("--model", required=True, metavar="MODEL", help="a model of lightbox models")
    command.add_argument("--seed", type=int, default=0, help="of the noise and the random direction (default 0)")
    command.add_argument("--out", required=True, type=Path, metavar="REPORT.HTML", help="where to save the report")
    command.set_defaults(run=study_film)


def study_film(asked: argparse.Namespace) -> int:
    """Study one film and write the report.

    Raises:
        ValueError: there is no folder for the report, or the seed is below 0. LookupError: no such film or model.
    """
    from classifiers.registry import load_classifier
    from dashboard.stability.report import html_report
    from evaluation.cli.films import say_doubts
    from evaluation.stability import study
    from radiographs.registry import find_film

    if not asked.out.absolute().parent.is_dir():
        raise ValueError(f"--out: there is no folder for {asked.out.name}; make it first")
    if asked.seed < 0:
        raise ValueError(f"--seed: expected 0 or more, got {asked.seed}")
    radiograph, entry, collection = find_film(asked.film)
    say_doubts(radiograph)
    named = f"{collection.name}/{entry.film_id}" if collection is not None and entry is not None else "from a file"
    model = load_classifier(asked.model)
    report = _bar if sys.stderr.isatty() else None
    found = study(model, radiograph, seed=asked.seed, report=report)
    asked.out.write_text(html_report(found, model.card, named, radiograph), encoding="utf-8")
    return 0


def _bar(share: float) -> None:
    sys.stderr.write(f"\rstability {share:4.0%}" + ("\n" if share >= 1 else ""))
    sys.stderr.flush()
