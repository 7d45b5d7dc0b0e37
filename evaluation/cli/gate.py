"""The command ``lightbox gate``: measure the validity gate of a model on a collection, and store what it found."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from evaluation.cli.progress import ProgressLine


def add_commands(added: Any) -> None:
    """Add ``gate`` to the commands of ``lightbox``."""
    about = (
        "Measure whether a model detects each finding of a collection and looks where experts outlined it. The "
        "verdicts are stored for these films and this model, and pages and runs use them."
    )
    command = added.add_parser("gate", help="measure whether scores of a model mean anything", description=about)
    command.add_argument("--model", required=True, metavar="MODEL", help="a model of lightbox models")
    command.add_argument("--collection", required=True, metavar="NAME", help="films with labels and outlines")
    command.add_argument("--seed", type=int, default=0, help="of the places blurred elsewhere (default 0)")
    command.add_argument("--card", type=Path, metavar="FILE", help="write the figures into this model card as well")
    command.add_argument("--json", action="store_true", help="print the figures as JSON")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, store, and print a line a finding; returns the exit status."""
    from classifiers.registry import load_classifier
    from evaluation.validity.gate import gate
    from evaluation.validity.measure import measure_validity
    from evaluation.validity.measured import record, store
    from radiographs.registry import get_collection

    classifier, collection = load_classifier(args.model), get_collection(args.collection)
    progress = partial(ProgressLine().share, "gate")
    figures = measure_validity(classifier, collection, seed=args.seed, progress=progress)
    store(classifier.digest, collection, figures)
    if args.card is not None:
        record(args.card, collection.name, figures)
    if args.json:
        sys.stdout.write(json.dumps(figures, indent=2, allow_nan=False) + "\n")
        return 0
    for finding in figures:
        found = gate({"validity": {collection.name: figures}}, finding, collection.name)
        sys.stdout.write(f"{finding}: {found.status}. {found.reason}\n")
    return 0
