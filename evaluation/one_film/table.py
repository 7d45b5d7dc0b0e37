"""Scores as a tidy table: methods, then baselines, then chance."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from evaluation.baselines.model_independent import READER, baseline_titles
from evaluation.one_film.compare import Comparison, FindingResult
from evaluation.scores import Score, get_metric, localisation_metrics
from xai_methods import baseline_methods

LEGEND = (
    "Bold: the best method. Grey: model-independent baselines and chance; a method that does not beat them "
    "has shown nothing. –: undefined here."
)
"""What stands under a table of scores."""
HUMAN_LINE = "area_matched_iou"
"""The score by which two readers of a film are compared in words."""


def score_table(result: FindingResult) -> pd.DataFrame:
    """The scores of one finding.

    Returns:
        One row a method, then one a baseline, then chance. Columns: ``name``, ``title``, ``kind`` (method, baseline
        or chance), ``seconds``, and one a metric by its registered name; NaN where a score is undefined.
    """
    rows = []
    for name, method in result.methods.items():
        seconds = math.nan if method.explanation is None else method.explanation.seconds
        if name not in baseline_methods():
            rows.append(_row(name, method.title, "method", seconds, method.scores))
    chosen = {n: m.scores for n, m in result.methods.items() if n in baseline_methods() and m.scores}
    for name, scores in {**chosen, **result.baselines}.items():
        title = baseline_titles()[name] if name in baseline_titles() else result.methods[name].title
        rows.append(_row(name, title, "baseline", math.nan, scores))
    if result.chance:
        rows.append(_row("chance", "Chance", "chance", math.nan, result.chance))
    return pd.DataFrame(rows, columns=["name", "title", "kind", "seconds", *localisation_metrics()])


def reader_words(result: FindingResult) -> str:
    """A sentence on how far two readers of the film agree; "" where only one outlined the finding."""
    score = result.baselines.get(READER, {}).get(HUMAN_LINE)
    if score is None or math.isnan(score.value):
        return ""
    title = get_metric(HUMAN_LINE).title
    return f"Two readers agree to {score.value:.2f} in {title.lower()} here; a map cannot be expected to do better."


def comparison_table(comparison: Comparison, film: str = "") -> pd.DataFrame:
    """The scores of all findings of a comparison: as :func:`score_table`, after columns that say what they are of.

    Args:
        comparison: the scores. film: the film's reference, ``collection/film-id``; never a file's name.

    Returns:
        The table with the first columns film, film_digest, model, model_digest, seed, finding and outlined_by.
    """
    tables = []
    for finding, result in comparison.findings.items():
        table = score_table(result)
        table.insert(0, "finding", finding)
        table.insert(1, "outlined_by", result.whose)
        tables.append(table)
    joined = pd.concat(tables, ignore_index=True)
    about = {
        "film": film, "film_digest": comparison.radiograph.digest, "model": comparison.classifier,
        "model_digest": comparison.classifier_digest, "seed": comparison.seed,
    }  # fmt: skip
    for place, (column, value) in enumerate(about.items()):
        joined.insert(place, column, value)
    return joined


def _row(name: str, title: str, kind: str, seconds: float, scores: Mapping[str, Score]) -> dict[str, object]:
    values = {metric: scores[metric].value if metric in scores else math.nan for metric in localisation_metrics()}
    return {"name": name, "title": title, "kind": kind, "seconds": seconds, **values}


def best_names(table: pd.DataFrame) -> dict[str, list[str]]:
    """For each metric, the names of the methods with the best score; empty where no method has one, or none is better.

    Args:
        table: as :func:`score_table` returns it.
    """
    methods = table[table.kind == "method"]
    best: dict[str, list[str]] = {}
    for name, metric in localisation_metrics().items():
        column = methods[name].dropna()
        if column.empty or metric.direction == "neither":
            best[name] = []
            continue
        top = column.max() if metric.direction == "higher" else column.min()
        best[name] = methods.loc[column.index[column == top], "name"].tolist()
    return best
