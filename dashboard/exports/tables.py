"""The scores as tables: for people, and for other programs as CSV with every metric and LaTeX with the headlines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.csv_table import csv_text
from evaluation.html_pages import number
from evaluation.latex import NEEDS, escaped, latex_table
from evaluation.one_film.compare import Comparison, FindingResult
from evaluation.one_film.table import best_names, comparison_table, score_table
from evaluation.scores import headline_metrics
from radiographs.findings import display_name


@dataclass(frozen=True)
class ScoreCell:
    """One headline score of one map, NaN where undefined, and whether it is the best of the methods."""

    value: float
    best: bool


@dataclass(frozen=True)
class ScoreRow:
    """The headline scores of one map; ``grey`` says that they stand back."""

    title: str
    kind: str
    grey: bool
    cells: tuple[ScoreCell, ...]


def score_rows(result: FindingResult) -> list[ScoreRow]:
    """Methods, baselines and chance with their headline scores; empty where nobody outlined the finding.

    Where the pair of model and finding did not pass its gate, no score is best and every row stands back.
    """
    if result.mask is None:
        return []
    table, trusted = score_table(result), result.verdict.passed
    best = best_names(table) if trusted else {}
    return [
        ScoreRow(
            str(row["title"]),
            row["kind"],
            not trusted or row["kind"] != "method",
            tuple(ScoreCell(row[name], row["name"] in best.get(name, ())) for name in headline_metrics()),
        )
        for row in table.to_dict("records")
    ]


def table_csv(comparison: Comparison, film: str = "") -> str:
    """The score table of all findings as CSV; undefined scores are empty.

    Each row has the film (its reference), the model, both digests, the seed, and what is doubted of the film.
    """
    doubts = "|".join(comparison.radiograph.doubt_codes)
    return csv_text(comparison_table(comparison, film).assign(doubts=doubts))


def table_latex(comparison: Comparison) -> str:
    """The headline scores of all outlined findings as LaTeX tables; film, model and seed stand in a comment.

    The best method of each column is bold where the pair of model and finding passed its gate; undefined scores are
    dashes.
    """
    head = (
        f"% Film {comparison.radiograph.digest}\n% Model {escaped(comparison.classifier)} "
        f"{comparison.classifier_digest}\n% Seed {comparison.seed}\n% Needs {NEEDS}\n"
    ) + "".join(f"% Doubt: {escaped(note.words)}\n" for note in comparison.radiograph.doubts)
    return head + "\n".join(_table(result, comparison.classifier) for result in comparison.findings.values())


def _table(result: FindingResult, model: str) -> str:
    name, rows = display_name(result.finding), score_rows(result)
    if not rows:
        return f"% {escaped(name)}: {escaped(result.unscored[:1].lower() + result.unscored[1:])}\n"
    table = pd.DataFrame(
        [[row.title, *(number(cell.value) for cell in row.cells)] for row in rows],
        columns=["Map", *(metric.title for metric in headline_metrics().values())],
    )
    caution = "" if result.verdict.passed else f" {result.verdict.words}"
    return latex_table(
        table,
        f"{name}, one film; {model}; outlined by {result.whose}.{caution}",
        best=np.array([[False, *(cell.best for cell in row.cells)] for row in rows]),
        kinds=[row.kind for row in rows],
    )
