"""The command ``lightbox stability``."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from dashboard.cli.common import add_film_and_model, film_context
from evaluation.cli.outputs import check_file
from evaluation.cli.progress import ProgressLine
from radiographs.files import write_text


def add_command(added: argparse._SubParsersAction) -> None:
    """Add ``lightbox stability`` to the commands of ``lightbox``."""
    about = (
        "Measure how stable a model's answer is to small changes of one film, and write one self-contained HTML file."
    )
    command = added.add_parser(
        "stability", help="how stably a model answers at one film, as a report", description=about
    )
    add_film_and_model(command)
    command.add_argument("--seed", type=int, default=0, help="of the noise and the random direction (default 0)")
    command.add_argument("--out", required=True, type=Path, metavar="REPORT.HTML", help="where to save the report")
    command.set_defaults(run=study_film)


def study_film(arguments: argparse.Namespace) -> int:
    """Study one film and write the report.

    Raises:
        ValueError: there is no folder for the report, or the seed is below 0. LookupError: no such film or model.
    """
    from classifiers.registry import load_classifier
    from dashboard.stability.report import html_report
    from evaluation.stability import study

    check_file(arguments.out, ".html")
    if arguments.seed < 0:
        raise ValueError(f"--seed: expected 0 or more, got {arguments.seed}")
    model = load_classifier(arguments.model)
    film = film_context(arguments.film, model.card)
    found = study(model, film.radiograph, seed=arguments.seed, report=partial(ProgressLine().share, "stability"))
    write_text(arguments.out, html_report(found, model.card, film.reference, film.radiograph))
    return 0
