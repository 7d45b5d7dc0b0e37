"""Stability over the films of a collection: ``python -m evaluation.stability --help``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from classifiers.registry import load_classifier
from evaluation.cli.progress import ProgressLine
from evaluation.csv_table import write_csv
from evaluation.stability.survey import as_markdown, chosen_films, survey
from radiographs.registry import get_collection


def main(argv: Sequence[str] | None = None) -> int:
    """Survey a collection, write the rows as CSV and the summary as Markdown; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.stability", description=__doc__)
    parser.add_argument("--model", required=True, help="a model of lightbox models")
    parser.add_argument("--collection", required=True, help="a collection of lightbox films")
    parser.add_argument("--films", type=int, default=100, help="how many held-out films to draw (default 100)")
    parser.add_argument("--seed", type=int, default=0, help="of the draw, the noise and the bootstrap (default 0)")
    parser.add_argument("--out", required=True, type=Path, metavar="ROWS.CSV", help="where to save the rows")
    args = parser.parse_args(argv)
    try:
        classifier, collection = load_classifier(args.model), get_collection(args.collection)
        missing = collection.missing()
        if missing or not args.out.absolute().parent.is_dir():
            raise ValueError(missing or f"--out: there is no folder for {args.out.name}; make it first")
        films = chosen_films(collection, args.films, classifier.card, args.seed)
        rows = survey(classifier, collection, films, args.seed, partial(ProgressLine().share, "stability"))
        write_csv(args.out, rows)
    except (ValueError, LookupError, OSError, RuntimeError) as error:
        sys.stderr.write(f"stability: {' '.join(str(error).split())}\n")
        return 2
    sys.stdout.write(as_markdown(rows, args.seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
