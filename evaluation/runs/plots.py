"""A run's scores as figures for reports: means with their intervals, and scores against the size of the outlines."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#b8a100")
"""Colours that people who see red and green alike can tell apart (Okabe and Ito)."""
GREY = "#8a949c"
SHARES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
MOST_POINTS = 400
"""Points of one map in a figure; of more, some are drawn evenly."""


def grouped(table: pd.DataFrame, column: str, groups: int = 5) -> pd.DataFrame:
    """Means of ``column`` and ``value`` in groups of about equally many films, by map: ``title``, both, ``n``."""
    parts = []
    for title, part in table.groupby("title", sort=False):
        part = part.sort_values(column)
        for chunk in np.array_split(part[[column, "value"]].to_numpy(), min(groups, len(part))):
            parts.append((title, *chunk.mean(axis=0), len(chunk)))
    return pd.DataFrame(parts, columns=["title", column, "value", "n"])


def means_figure(board: pd.DataFrame, title: str) -> Figure:
    """Means with their intervals, methods in colour, model-independent baselines in grey.

    Args:
        board: one scope and score of :func:`evaluation.runs.tables.leaderboard`. title: of the score.
    """
    board = board.dropna(subset=["mean"])
    figure = Figure(figsize=(8.0, 1.0 + 0.34 * len(board)), layout="constrained")
    axes = figure.add_subplot()
    for place, row in enumerate(board.itertuples()):
        colour = COLOURS[0] if row.kind == "method" else GREY
        if not math.isnan(row.low):
            axes.plot([row.low, row.high], [place, place], color=colour, linewidth=3, solid_capstyle="butt")
        axes.plot([row.mean], [place], "o" if row.kind != "chance" else "|", color=colour, markersize=8)
    axes.set_yticks(range(len(board)), list(board.title))
    axes.invert_yaxis()
    n, patients = board.n.max(), board.patients.max()
    counts = "" if math.isnan(n) else f"\n{n:.0f} pairs of film and finding, {patients:.0f} patients"
    axes.set_xlabel(f"{title}, mean and 95 % interval over patients{counts}")
    bare(axes)
    return figure


def size_figure(table: pd.DataFrame, titles: Mapping[str, str], title: str) -> Figure:
    """Score against the share of the film that is outlined: a point a film and finding, a line through groups' means.

    Args:
        table: :func:`evaluation.runs.tables.values` of one pair. titles: names for people of the maps to show, by key.
        title: of the score.
    """
    figure = Figure(figsize=(8.0, 4.4), layout="constrained")
    axes = figure.add_subplot()
    table = table.dropna(subset=["value", "area"]).assign(title=table["map"].map(dict(titles)))
    methods = list(dict.fromkeys(table[table.kind == "method"].title.dropna()))
    for name, part in sorted(table.groupby("title"), key=lambda item: list(titles.values()).index(item[0])):
        colour = COLOURS[methods.index(name) % len(COLOURS)] if name in methods else GREY
        drawn = part.iloc[np.linspace(0, len(part) - 1, min(len(part), MOST_POINTS)).astype(int)]
        if name in methods:
            axes.plot(drawn.area, drawn.value, "o", color=colour, markersize=3.5, alpha=0.3, markeredgewidth=0)
        means = grouped(part, "area")
        style = "-o" if name in methods else "--o"
        axes.plot(means.area, means.value, style, color=colour, linewidth=2, markersize=5, label=name)
    axes.set_xscale("log")
    axes.set_xticks(SHARES, [f"{share:.1%}" if share < 0.01 else f"{share:.0%}" for share in SHARES])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(0.8 * table.area.min(), min(1.0, 1.25 * table.area.max()))
    axes.set_xlabel("Share of the film that is outlined\nLines join the means of five groups of equally many films")
    axes.set_ylabel(title)
    axes.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 1), ncols=4)
    bare(axes)
    return figure


def svg_of(figure: Figure) -> str:
    """The figure as an SVG element, without a date, so that the same scores give the same text."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    text = file.getvalue()
    return text[text.index("<svg") :]


def bare(axes: Axes) -> None:
    """Leave out what is no data: two sides of the frame, and a grid that stands out."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e3e7ea", linewidth=0.8)
    axes.set_axisbelow(True)
