"""The command ``lightbox``: the library's own commands, and those that need what the pages share."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dashboard.cli.counterfactual import add_command as add_counterfactual
from dashboard.cli.stability import add_command as add_stability
from evaluation.cli.parser import build_parser, run

if TYPE_CHECKING:
    from dashboard.compare.question import Film
    from evaluation.one_film.compare import Comparison

APP = Path(__file__).resolve().parents[2] / "app.py"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; ``argv`` without the program's name. Returns the exit status."""
    parser, added = build_parser()
    about = "Explain one film with several methods, score the maps, and write one self-contained HTML file."
    command = added.add_parser("compare", help="compare methods on one film, as a report", description=about)
    command.add_argument("--film", required=True, metavar="FILM", help="a file, or collection/film-id")
    command.add_argument("--model", required=True, metavar="MODEL", help="a model of lightbox models")
    command.add_argument(
        "--finding", required=True, action="append", metavar="FINDING", help="may be repeated; one the model knows"
    )
    command.add_argument(
        "--mask",
        type=Path,
        metavar="FILE",
        help="outline of the one finding: an image, .npy, .npz, or a table of outlines",
    )
    command.add_argument(
        "--method",
        action="append",
        metavar="METHOD",
        help="may be repeated; the five main methods where it is left out",
    )
    command.add_argument("--seed", type=int, default=0, help="the same seed gives the same maps (default 0)")
    command.add_argument("--scorecard", action="store_true", help="also the five elements of interpretability (slower)")
    command.add_argument("--out", required=True, type=Path, metavar="REPORT.HTML", help="where to save the report")
    command.add_argument(
        "--dicom",
        type=Path,
        metavar="FOLDER",
        help="also write maps, regions, scores there, as nameless DICOM files",
    )
    command.set_defaults(run=compare_film)
    add_stability(added)
    add_counterfactual(added)
    pages = added.add_parser("run-dashboard", help="start the dashboard", description="Start the dashboard.")
    pages.add_argument("--port", type=int, default=8501, help="port on this computer (default 8501)")
    pages.set_defaults(run=run_dashboard)
    return run(parser, argv)


def compare_film(asked: argparse.Namespace) -> int:
    """Compare methods on one film and write the report.

    Raises:
        ValueError: the arguments do not fit each other. LookupError: there is no such film, model, finding or method.
    """
    from classifiers.registry import load_classifier
    from dashboard.compare.question import Film
    from dashboard.exports.report import html_report
    from dashboard.exports.reported import Reported
    from evaluation.cli.films import say_doubts
    from evaluation.one_film.compare import compare
    from evaluation.one_film.scorecard import scorecard
    from radiographs.registry import find_film
    from xai_methods import get_method, main_methods

    if asked.mask is not None and len(asked.finding) != 1:
        raise ValueError("--mask outlines one finding; name just one --finding with it")
    if not asked.out.absolute().parent.is_dir():
        raise ValueError(f"--out: there is no folder for {asked.out.name}; make it first")
    if asked.dicom is not None and not asked.dicom.absolute().parent.is_dir():
        raise ValueError(f"--dicom: there is no folder for {asked.dicom.name}; make it first")
    chosen = {name: get_method(name).parameters() for name in asked.method or main_methods()}
    radiograph, entry, collection = find_film(asked.film)
    annotations = collection.annotations(entry.film_id) if collection is not None and entry is not None else []
    say_doubts(radiograph)
    named = f"{collection.name}/{entry.film_id}" if collection is not None and entry is not None else "from a file"
    film = Film(named, radiograph, tuple(annotations))
    model = load_classifier(asked.model)
    for finding in asked.finding:
        model.column(finding)
    masks = _masks(asked, film)
    made = compare(
        model, radiograph, asked.finding, chosen, masks,
        seed=asked.seed, collection=collection, entry=entry, report=_bar() if sys.stderr.isatty() else None,
    )  # fmt: skip
    found = made.findings if asked.scorecard else {}
    cards = {name: scorecard(model, radiograph, result, seed=asked.seed) for name, result in found.items()}
    about = collection.card if collection is not None else None
    html = html_report(Reported(made, model.card, named, about), cards)
    asked.out.write_text(html, encoding="utf-8")
    if asked.dicom is not None:
        _write_dicom(asked.dicom, made)
    failed = [done.error for result in made.findings.values() for done in result.methods.values() if done.error]
    for words in failed:
        sys.stderr.write(f"lightbox: {words}\n")
    return 1 if failed else 0


def _write_dicom(folder: Path, made: Comparison) -> None:
    from dashboard.exports.dicom import dicom_files

    folder.mkdir(exist_ok=True)
    for name, content in dicom_files(made).items():
        (folder / name).write_bytes(content)


def _masks(asked: argparse.Namespace, film: Film) -> dict[str, np.ndarray]:
    from evaluation.one_film.map_files import read_outline

    if asked.mask is not None:
        return {asked.finding[0]: read_outline(asked.mask, asked.finding[0], film.radiograph, Path(asked.film).name)}
    found = {finding: film.mask(finding) for finding in asked.finding}
    return {finding: mask for finding, mask in found.items() if mask is not None}


def _bar() -> Callable[[str, str, float], None]:
    def show(finding: str, method: str, share: float) -> None:
        sys.stderr.write(f"\r{finding} {method} {share:4.0%}" + ("\n" if share >= 1 else ""))
        sys.stderr.flush()

    return show


def run_dashboard(asked: argparse.Namespace) -> int:
    """Start the dashboard on this computer and stay until it is stopped."""
    from streamlit.web import bootstrap

    from dashboard.cli.start import only_named_pages

    if not APP.is_file():
        raise FileNotFoundError(
            "the dashboard's app.py is not beside the package; run this from a clone of the project"
        )
    os.chdir(APP.parent)
    only_named_pages()
    options = {"server_port": asked.port}
    bootstrap.load_config_options(flag_options=options)
    sys.stdout.write(f"XAI Lightbox: http://127.0.0.1:{asked.port}\n")
    bootstrap.run(str(APP), False, [], options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
