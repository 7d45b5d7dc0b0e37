"""The benchmark page's charts, in Altair."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from evaluation.runs.plots import grouped

MOST_POINTS = 4000
Layers = alt.LayerChart | alt.FacetChart
ROW, AXIS = 30, 60
GREEN, GREY = "#2a9d8f", "#8a949c"
SEVERAL = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#8a949c", "#b8a100"]
"""Colours that people who see red and green alike can tell apart (Okabe and Ito)."""


def leaderboard(board: pd.DataFrame, title: str) -> Layers:
    """Means with their intervals, methods in colour, baselines and chance in grey."""
    y = alt.Y("title:N", sort=None, title=None, axis=alt.Axis(labelLimit=260, labelOverlap=False))
    tips = [alt.Tooltip("title", title="Map"), alt.Tooltip("mean", title="Mean", format=".3f")]
    tips += [alt.Tooltip(name, title=words, format=".3f") for name, words in (("low", "From"), ("high", "To"))]
    tips.append(alt.Tooltip("n", title="n"))
    base = alt.Chart(board).encode(y=y, color=_by_kind(), tooltip=tips)
    bars = base.mark_rule(strokeWidth=3).encode(x=alt.X("low:Q", title=title), x2="high:Q")
    points = base.mark_point(filled=True, size=90).encode(x="mean:Q")
    return alt.layer(bars, points).properties(height=ROW * len(board) + AXIS)


def _by_kind() -> alt.Color:
    """Methods in colour, model-independent baselines in grey."""
    known = alt.Scale(domain=["method", "baseline", "chance"], range=[GREEN, GREY, GREY])
    return alt.Color("kind:N", scale=known, legend=None)


def distributions(table: pd.DataFrame, title: str) -> alt.Chart:
    """A box a map: middle half, median, and whiskers to the extremes."""
    return (
        alt.Chart(thinned(table))
        .mark_boxplot(extent="min-max", size=16, rule={"color": GREY}, median={"color": "white", "strokeWidth": 3})
        .encode(
            x=alt.X("value:Q", title=title),
            y=alt.Y("title:N", sort=None, title=None, axis=alt.Axis(labelLimit=260, labelOverlap=False)),
            color=_by_kind(),
        )
        .properties(height=ROW * table["title"].nunique() + AXIS)
    )


def against(table: pd.DataFrame, column: str, words: str, title: str, *, log: bool = False) -> Layers:
    """Score against a property of the film: a point a film and finding, a line through the means of equal groups."""
    scale = alt.Scale(type="log") if log else alt.Scale()
    x = alt.X(f"{column}:Q", title=words, scale=scale, axis=alt.Axis(format="%"))
    y = alt.Y("value:Q", title=title)
    legend = alt.Legend(labelLimit=260, orient="bottom", columns=5, symbolOpacity=1, symbolType="circle")
    maps = list(dict.fromkeys(table["title"]))
    scaled = alt.Scale(domain=maps, range=[SEVERAL[i % len(SEVERAL)] for i in range(len(maps))])
    colour = alt.Color("title:N", title=None, scale=scaled, legend=legend)
    tips = ["title", "finding", alt.Tooltip(column, format=".1%"), alt.Tooltip("value", format=".3f")]
    points = alt.Chart(thinned(table)).mark_circle(size=22, opacity=0.35).encode(x, y, colour, tooltip=tips)
    lines = alt.Chart(grouped(table, column)).mark_line(point=True, strokeWidth=2).encode(x, y, colour)
    return alt.layer(points, lines).properties(height=420)


def thinned(table: pd.DataFrame) -> pd.DataFrame:
    """At most ``MOST_POINTS`` rows, drawn evenly, in their order."""
    if len(table) <= MOST_POINTS:
        return table
    return table.iloc[np.linspace(0, len(table) - 1, MOST_POINTS).astype(int)]
