"""Methods and baselines over the outlined films of a collection: ``python -m evaluation.survey --help``.

Only films of patients that the model was not trained on count. Every mean stands with its n and its interval over
patients, and every method is set against the best baseline on the same films.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from classifiers import ChestClassifier
from evaluation.baselines.location_prior import patient_of
from evaluation.one_film.compare import compare
from evaluation.one_film.table import comparison_table
from evaluation.scores import localisation_metrics, metrics
from evaluation.statistics.intervals import mean_interval
from radiographs.annotation import union_mask
from radiographs.collection import Collection, FilmEntry
from xai_methods import Parameters, get_method, main_methods


def cases(
    classifier: ChestClassifier, collection: Collection, per_finding: int | None, rng: np.random.Generator
) -> list[tuple[FilmEntry, str]]:
    """Pairs of an outlined film and a finding the classifier knows, films of training patients left out.

    Args:
        per_finding: how many films to draw for each finding; None takes all.
    """
    entries = [entry for entry in collection.entries() if entry.part in (None, "test")]
    chosen = []
    for finding in classifier.findings:
        outlined = [entry for entry in entries if finding in entry.annotated]
        if per_finding is not None and len(outlined) > per_finding:
            outlined = [outlined[i] for i in np.sort(rng.choice(len(outlined), per_finding, replace=False))]
        chosen += [(entry, finding) for entry in outlined]
    return chosen


def survey(
    classifier: ChestClassifier,
    collection: Collection,
    methods: Mapping[str, Parameters | None],
    *,
    per_finding: int | None = None,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> pd.DataFrame:
    """Score methods and baselines on the outlined films of ``collection``.

    Returns:
        One row a film, finding and method (or baseline, or chance): ``film``, ``patient``, and the columns of
        :func:`evaluation.one_film.table.comparison_table`.
    """
    chosen = cases(classifier, collection, per_finding, np.random.default_rng(seed))
    tables = []
    for number, (entry, finding) in enumerate(chosen):
        radiograph = collection.read(entry.film_id)
        mask = union_mask(collection.annotations(entry.film_id), finding)
        if mask is not None and mask.any():
            done = compare(
                classifier, radiograph, [finding], methods, {finding: mask},
                seed=seed, collection=collection, entry=entry,
            )  # fmt: skip
            table = comparison_table(done)
            table.insert(0, "patient", patient_of(entry))
            table.insert(0, "film", entry.film_id)
            tables.append(table)
        if progress is not None:
            progress((number + 1) / len(chosen))
    return pd.concat(tables, ignore_index=True)


def summary(rows: pd.DataFrame, names: Sequence[str] | None = None, seed: int = 0) -> pd.DataFrame:
    """Mean of each metric by method and baseline, with its 95 % interval over patients and n.

    Args:
        rows: as :func:`survey` returns them. names: metrics to take, all by default.

    Returns:
        One row a method, baseline or chance: ``title``, ``kind``, ``films``, ``seconds`` (median) and, for each metric,
        its mean, ``<metric>_low`` and ``<metric>_high``.
    """
    chosen = list(localisation_metrics()) if names is None else list(names)
    found = []
    for name, part in rows.groupby("name", sort=False):
        row: dict[str, object] = {"name": name, "title": part.title.iloc[0], "kind": part.kind.iloc[0]}
        row |= {"films": part.film.nunique(), "pairs": len(part), "seconds": float(part.seconds.median())}
        for metric in chosen:
            interval = mean_interval(part[metric].to_numpy(), part.patient.to_numpy(), np.random.default_rng(seed))
            row |= {metric: interval.value, f"{metric}_low": interval.low, f"{metric}_high": interval.high}
        found.append(row)
    return pd.DataFrame(found)


def as_markdown(table: pd.DataFrame, names: Sequence[str]) -> str:
    """The table of :func:`summary` in Markdown: mean and interval of each metric."""
    titles = [metrics()[name].title for name in names]
    lines = ["| | " + " | ".join(titles) + " | n | median seconds |", "|---" * (len(names) + 3) + "|"]
    for row in table.to_dict("records"):
        cells = [
            "–" if np.isnan(row[n]) else f"{row[n]:.2f} ({row[f'{n}_low']:.2f} to {row[f'{n}_high']:.2f})"
            for n in names
        ]
        seconds = "–" if np.isnan(row["seconds"]) else f"{row['seconds']:.1f}"
        lines.append(f"| {row['title']} | " + " | ".join(cells) + f" | {row['pairs']} | {seconds} |")
    return "\n".join(lines)


def _show(share: float) -> None:
    sys.stderr.write(f"\r{share:6.1%}")


def main(argv: Sequence[str] | None = None) -> int:
    """Survey one model on one collection; print the table, write the rows as CSV."""
    from classifiers.registry import load_classifier
    from radiographs.registry import get_collection

    parser = argparse.ArgumentParser(prog="python -m evaluation.survey", description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--collection", required=True)
    parser.add_argument("--method", action="append", help="a method's name; the five main ones by default")
    parser.add_argument("--samples", type=int, default=1000, help="films a perturbation method judges")
    parser.add_argument("--per-finding", type=int, help="films drawn for each finding; all by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="CSV file for the single scores")
    asked = parser.parse_args(argv)
    chosen: dict[str, Parameters | None] = {}
    for name in asked.method or main_methods():
        kind = get_method(name).parameters
        fields = {field for field, _, _ in kind().described()}
        chosen[name] = kind.parse({"samples": asked.samples}) if "samples" in fields else None
    rows = survey(
        load_classifier(asked.model), get_collection(asked.collection), chosen,
        per_finding=asked.per_finding, seed=asked.seed,
        progress=_show,
    )  # fmt: skip
    rows.to_csv(asked.out, index=False)
    shown = ("pointing_game", "pixel_auprc", "relevance_mass_accuracy", "relevance_rank_accuracy", "area_matched_iou")
    sys.stdout.write("\n" + as_markdown(summary(rows, shown), shown) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
