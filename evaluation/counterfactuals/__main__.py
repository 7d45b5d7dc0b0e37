"""Measure how good counterfactual films are: ``python -m evaluation.counterfactuals --help``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from classifiers.registry import load_classifier
from evaluation.counterfactuals.study import (
    boxed_films,
    device_films,
    device_row,
    evaluate,
    imagenet_features,
    labelled_films,
    summary,
)
from radiographs.files import write_text
from radiographs.places import data_folder
from xai_methods.counterfactual import EXPLAINERS, exaggerate


def main(argv: Sequence[str] | None = None) -> int:
    """Measure from the command line."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.counterfactuals", description=__doc__)
    parser.add_argument("--model", required=True, help="a registered model")
    parser.add_argument("--method", choices=sorted(EXPLAINERS), default=next(iter(EXPLAINERS)))
    parser.add_argument("--findings", nargs="+", default=["Cardiomegaly", "Effusion", "Atelectasis"])
    parser.add_argument("--films", type=int, default=240, help="at most so many films, drawn evenly from all")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    args = parser.parse_args(argv)
    data = data_folder()
    if data is None:
        parser.error("point XAI_LIGHTBOX_DATA at a folder laid out as docs/training.md says")
    classifier = load_classifier(args.model)
    films = [*boxed_films(), *labelled_films(data)]
    films = [films[k] for k in np.linspace(0, len(films) - 1, min(args.films, len(films))).round().astype(int)]
    features, devices, figures = imagenet_features(data), list(device_films()), {}
    for finding in args.findings:
        found, _ = evaluate(classifier, args.method, finding, films, features)
        rows = [
            device_row(film, exaggerate(classifier, film.radiograph, finding, method=args.method), classifier)
            for film in devices
        ]
        measured = pd.DataFrame([row for row in rows if row is not None])
        figures[finding] = found | {"devices": summary(measured) if len(measured) else {}}
        content = {"model": args.model, "method": args.method, "findings": figures}
        write_text(args.out, json.dumps(content, indent=1, default=float) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
