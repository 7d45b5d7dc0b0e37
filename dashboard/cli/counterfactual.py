"""The command ``lightbox counterfactual``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_command(added: argparse._SubParsersAction) -> None:
    """Add ``lightbox counterfactual`` to the commands of ``lightbox``."""
    about = (
        "Redraw one film from a finding absent to present; write a GIF, a PNG strip or an HTML report, by --out's end."
    )
    command = added.add_parser("counterfactual", help="what would have to look different", description=about)
    command.add_argument("--film", required=True, metavar="FILM", help="a file, or collection/film-id")
    command.add_argument("--model", required=True, metavar="MODEL", help="a model of lightbox models")
    command.add_argument("--finding", required=True, metavar="FINDING", help="a finding the explainer serves")
    command.add_argument(
        "--explainer", default="progressive-exaggeration", help="progressive-exaggeration (default) or latent-shift"
    )
    command.add_argument("--out", required=True, type=Path, metavar="FILE", help="ends in .html, .gif or .png")
    command.set_defaults(run=exaggerate_film)


def exaggerate_film(asked: argparse.Namespace) -> int:
    """Draw the series and write the file; 1 where the series is refused, which the file then says.

    Raises:
        ValueError: --out's end or folder. LookupError: no such film, model, finding or explainer.
    """
    from classifiers.registry import load_classifier
    from dashboard.counterfactual import files
    from evaluation.cli.films import say_doubts
    from evaluation.counterfactuals.exaggerated import exaggerated_film
    from radiographs.registry import find_film

    kind = asked.out.suffix.lower()
    if kind not in (".html", ".gif", ".png"):
        raise ValueError(f"--out: {asked.out.name} should end in .html, .gif or .png")
    if not asked.out.absolute().parent.is_dir():
        raise ValueError(f"--out: there is no folder for {asked.out.name}; make it first")
    radiograph, entry, collection = find_film(asked.film)
    say_doubts(radiograph)
    named = f"{collection.name}/{entry.film_id}" if collection is not None and entry is not None else "from a file"
    model = load_classifier(asked.model)
    made = exaggerated_film(model, radiograph, asked.finding, asked.explainer)
    if kind == ".html":
        asked.out.write_text(files.html_report(made, model.card, named), encoding="utf-8")
    else:
        asked.out.write_bytes(files.animation(made) if kind == ".gif" else files.strip(made))
    if made.series.refusal:
        sys.stderr.write(f"lightbox: refused: {made.series.refusal}\n")
        return 1
    return 0
