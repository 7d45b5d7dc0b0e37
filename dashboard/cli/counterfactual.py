"""The command ``lightbox counterfactual``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dashboard.cli.common import add_film_and_model, film_context
from evaluation.cli.outputs import check_file
from evaluation.cli.statuses import DONE, WITH_REMARKS
from radiographs.files import write_bytes, write_text


def add_command(added: argparse._SubParsersAction) -> None:
    """Add ``lightbox counterfactual`` to the commands of ``lightbox``."""
    about = "Generate one film from a finding absent to present; write a GIF, a PNG strip or a report, by --out's end."
    command = added.add_parser("counterfactual", help="counterfactual images of one film", description=about)
    add_film_and_model(command)
    command.add_argument("--finding", required=True, metavar="FINDING", help="a finding the explainer serves")
    command.add_argument(
        "--explainer", default="progressive-exaggeration", help="progressive-exaggeration (default) or latent-shift"
    )
    command.add_argument("--out", required=True, type=Path, metavar="FILE", help="ends in .html, .gif or .png")
    command.set_defaults(run=exaggerate_film)


def exaggerate_film(arguments: argparse.Namespace) -> int:
    """Draw the series and write the file; 1 where the series is refused, which the file then says.

    Raises:
        ValueError: --out's end or folder. LookupError: no such film, model, finding or explainer.
    """
    from classifiers.registry import load_classifier
    from dashboard.counterfactual import files
    from evaluation.counterfactuals.exaggerated import exaggerated_film

    kind = arguments.out.suffix.lower()
    check_file(arguments.out, ".html", ".gif", ".png")
    model = load_classifier(arguments.model)
    film = film_context(arguments.film, model.card)
    made = exaggerated_film(model, film.radiograph, arguments.finding, arguments.explainer)
    if kind == ".html":
        write_text(arguments.out, files.html_report(made, model.card, film.reference, film.radiograph.notes))
    else:
        write_bytes(arguments.out, files.animation(made) if kind == ".gif" else files.strip(made))
    if made.series.refusal:
        sys.stderr.write(f"lightbox: refused: {made.series.refusal}\n")
        return WITH_REMARKS
    return DONE
