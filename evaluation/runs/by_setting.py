"""Scores of a run, a row for each method and setting, as tables of ``docs/results.md``."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import pandas as pd

from evaluation.markdown import markdown_table
from evaluation.runs.store import Store
from evaluation.runs.tables import ALL, PairContext, board_of, map_titles, metrics_of, pairs_of, values
from evaluation.scores import get_metric
from evaluation.validity.gate import Verdict
from radiographs.findings import display_name


def by_setting(store: Store, metrics: Sequence[str], finding_metric: str) -> str:
    """Means with interval and n of some scores, the films that a map took, and one score of each finding.

    Args:
        metrics: those that the run has stand in the table. finding_metric: one of them, also by finding.
    """
    pair, titles = pairs_of(store)[0], map_titles(store)
    there = metrics_of(store)
    chosen = [name for name in metrics if name in there]
    columns: dict[str, pd.Series] = {}
    evaluations: pd.Series | None = None
    for name in chosen:
        scores = values(store, name, pair)
        context = PairContext(pair, titles, dict.fromkeys(scores.finding.unique(), Verdict("not measured", "")))
        board = board_of(context, name, scores, scope=ALL).set_index("title")
        columns[get_metric(name).title] = board.apply(cell, axis=1)
        scores["title"] = scores["map"].map(titles)
        if evaluations is None:
            evaluations = scores[scores.kind.eq("method")].groupby("title").evaluations.median()
        if name == finding_metric:
            by_finding = scores.pivot_table(index="title", columns="finding", values="value", sort=True)
            for finding in by_finding:
                columns[display_name(str(finding))] = by_finding[finding].map("{:.2f}".format, na_action="ignore")
    table = pd.DataFrame(columns)
    assert evaluations is not None
    table.insert(0, "films judged", evaluations.map("{:.0f}".format))
    order = sorted(table.index, key=lambda title: (title not in evaluations.index, _numbered(title)))
    rows = [[title, *("–" if isinstance(v, float) else v for v in table.loc[title])] for title in order]
    return markdown_table(["", *table.columns], rows)


def cell(row: pd.Series) -> str:
    """A mean with its interval and n, as ``docs/results.md`` has them."""
    return bounded(row) + ("" if math.isnan(row["mean"]) or math.isnan(row["n"]) else f", {row['n']:.0f}")


def bounded(row: pd.Series) -> str:
    """A mean with its interval; a dash where it is undefined."""
    if math.isnan(row["mean"]):
        return "–"
    return f"{row['mean']:.2f}" + ("" if math.isnan(row["low"]) else f" ({row['low']:.2f} to {row['high']:.2f})")


def _numbered(title: str) -> list[object]:
    """Sorts "50" before "100"."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", title)]
