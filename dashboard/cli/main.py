"""The command ``lightbox``: the library's own commands, and those that need what the pages share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard.cli.common import add_film_and_model, film_context
from dashboard.cli.counterfactual import add_command as add_counterfactual
from dashboard.cli.serving import PORT, add_options, end_quietly, serve
from dashboard.cli.stability import add_command as add_stability
from dashboard.cli.study import add_command as add_study
from evaluation.cli.outputs import check_file, check_folder
from evaluation.cli.parser import build_parser, run
from evaluation.cli.progress import ProgressLine
from evaluation.cli.statuses import DONE, WITH_REMARKS
from radiographs.files import write_bytes, write_text

if TYPE_CHECKING:
    from dashboard.exports.content import ReportContent
    from evaluation.one_film.compare import Comparison
    from evaluation.one_film.scorecard import Scorecard


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; ``argv`` without the program's name. Returns the exit status."""
    parser, added = build_parser()
    about = "Explain one film with several methods, score the maps, and write one self-contained HTML file, or a PDF."
    command = added.add_parser("compare", help="compare methods on one film, as a report", description=about)
    add_film_and_model(command)
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
    command.add_argument("--out", required=True, type=Path, metavar="REPORT", help="ends in .html or .pdf")
    command.add_argument(
        "--dicom", type=Path, metavar="FOLDER", help="also write maps, regions, scores there, as nameless DICOM files"
    )
    command.set_defaults(run=compare_film)
    add_stability(added)
    add_counterfactual(added)
    add_study(added)
    pages = added.add_parser("run-dashboard", help="start the dashboard", description="Start the dashboard.")
    add_options(pages)
    pages.set_defaults(run=run_dashboard)
    return run(parser, argv)


def compare_film(arguments: argparse.Namespace) -> int:
    """Compare methods on one film and write the report.

    Raises:
        ValueError: the arguments do not fit each other. LookupError: there is no such film, model, finding or method.
    """
    from classifiers.registry import load_classifier
    from dashboard.exports.content import ReportContent
    from evaluation.one_film.compare import compare
    from evaluation.one_film.map_files import read_outline
    from evaluation.one_film.scorecard import scorecard
    from radiographs.annotation import annotations_of
    from xai_methods import main_methods

    if arguments.mask is not None and len(arguments.finding) != 1:
        raise ValueError("--mask outlines one finding; name just one --finding with it")
    _check_outputs(arguments)
    chosen = dict.fromkeys(arguments.method or main_methods())
    classifier = load_classifier(arguments.model)
    film = film_context(arguments.film, classifier.card)
    if arguments.mask is not None:
        finding = arguments.finding[0]
        outline = read_outline(arguments.mask, finding, film.radiograph, Path(arguments.film).name)
        film = replace(film, annotations=tuple(annotations_of({finding: outline})))
    context = film.scoring_context(classifier)

    line = ProgressLine()

    def progress(finding: str, method: str, share: float) -> None:
        line.share(f"{finding} {method}", share)

    made = compare(context, arguments.finding, chosen, seed=arguments.seed, progress=progress)
    found = made.findings if arguments.scorecard else {}
    cards = {name: scorecard(context, result, seed=arguments.seed) for name, result in found.items()}
    content = ReportContent(made, classifier.card, film.reference, film.card, annotations=film.annotations)
    _write_report(arguments.out, content, cards)
    if arguments.dicom is not None:
        _write_dicom(arguments.dicom, made)
    failed = [done.error for result in made.findings.values() for done in result.methods.values() if done.error]
    for words in failed:
        sys.stderr.write(f"lightbox: {words}\n")
    return WITH_REMARKS if failed else DONE


def _check_outputs(arguments: argparse.Namespace) -> None:
    check_file(arguments.out, ".html", ".pdf")
    if arguments.out.suffix.lower() == ".pdf" and arguments.scorecard:
        raise ValueError("--scorecard stands in the HTML report only; let --out end in .html, or leave it out")
    if arguments.dicom is not None:
        check_folder(arguments.dicom, "--dicom")


def _write_report(path: Path, content: ReportContent, cards: dict[str, Scorecard]) -> None:
    if path.suffix.lower() == ".pdf":
        from dashboard.exports.pdf import pdf_report

        write_bytes(path, pdf_report(content))
    else:
        from dashboard.exports.report import html_report

        write_text(path, html_report(content, cards))


def _write_dicom(folder: Path, made: Comparison) -> None:
    from dashboard.exports.dicom import dicom_files

    for name, content in dicom_files(made).items():
        write_bytes(folder / name, content)


def run_dashboard(arguments: argparse.Namespace) -> int:
    """Start the dashboard and stay until it is stopped."""
    end_quietly()
    return serve(arguments.address, arguments.port or PORT, arguments.open_to_network, arguments.lessons)


if __name__ == "__main__":
    sys.exit(main())
