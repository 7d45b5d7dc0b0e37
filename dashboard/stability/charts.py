"""The stability page's charts, in Altair; each takes the tables of ``dashboard.stability_tables``."""

from __future__ import annotations

import altair as alt

from dashboard.stability import tables
from evaluation.stability.availability import FAIR, GOOD
from evaluation.stability.study import Stability

Layers = alt.LayerChart | alt.FacetChart
ROW, AXIS = 24, 60
"""Height of a row of bars, and of the axis below them, in pixels."""
OURS, OTHER = "#2a9d8f", "#e76f51"


def probabilities(found: Stability, index: int) -> Layers:
    """Bars of all findings' probabilities at one step of the slider, with ticks where they were."""
    table = tables.slider_table(found, index)
    y = alt.Y("finding:N", sort=None, title=None, axis=alt.Axis(labelLimit=220, labelOverlap=False))
    scale = alt.Scale(domain=[0, 1])
    tips = [alt.Tooltip("finding", title="Finding")] + [
        alt.Tooltip(name, title=title, format=".1%")
        for name, title in (("now", "Now"), ("before", "Film as it is"), ("threshold", "Threshold"))
    ]
    base = alt.Chart(table).encode(y=y, tooltip=tips)
    colour = alt.condition("datum.now > datum.threshold", alt.value(OTHER), alt.value(OURS))
    bars = base.mark_bar(height=ROW * 0.6).encode(
        x=alt.X("now:Q", scale=scale, title="Probability", axis=alt.Axis(format="%")), color=colour
    )
    before = base.mark_tick(thickness=3, height=ROW * 0.8, color="#8a949c").encode(x=alt.X("before:Q", scale=scale))
    limit = base.mark_tick(thickness=1, height=ROW, strokeDash=[2, 2], color="#8a949c").encode(x="threshold:Q")
    return alt.layer(bars, before, limit).properties(height=ROW * len(table) + AXIS)


def perturbed(found: Stability, level: int) -> Layers:
    """Findings against changes: percentage points moved, a cross where the call changes."""
    table = tables.perturbed_table(found, level)
    top = max(1.0, float(table["points"].abs().max()))
    base = alt.Chart(table).encode(
        x=alt.X("change:N", sort=None, title=None, axis=alt.Axis(labelAngle=-35, labelLimit=160, labelOverlap=False)),
        y=alt.Y("finding:N", sort=None, title=None, axis=alt.Axis(labelLimit=220, labelOverlap=False)),
        tooltip=[
            alt.Tooltip("finding", title="Finding"),
            alt.Tooltip("words", title="Film"),
            alt.Tooltip("points", title="Points", format="+.1f"),
            alt.Tooltip("probability", title="Probability then", format=".1%"),
        ],
    )
    scale = alt.Scale(scheme="redblue", reverse=True, domain=[-top, top], domainMid=0)
    cells = base.mark_rect().encode(color=alt.Color("points:Q", scale=scale, title="Points"))
    crosses = base.transform_filter("datum.flips").mark_text(text="✕", fontSize=15, fontWeight="bold", color="#111")
    return alt.layer(cells, crosses).properties(height=ROW * table["finding"].nunique() + 2 * AXIS)


def forecast(found: Stability) -> Layers:
    """Forecast against true change of the logits under every change."""
    table = tables.forecast_table(found)
    reach = float(table[["predicted", "true"]].abs().max().max()) or 1.0
    ends = alt.Data(values=[{"x": -reach, "y": -reach}, {"x": reach, "y": reach}])
    diagonal = alt.Chart(ends).mark_line(color="#8a949c", strokeDash=[4, 4]).encode(x="x:Q", y="y:Q")
    points = (
        alt.Chart(table)
        .mark_circle(size=45, opacity=0.7)
        .encode(
            x=alt.X("predicted:Q", title="Forecast change of the logit"),
            y=alt.Y("true:Q", title="True change of the logit"),
            color=alt.Color(
                "change:N", sort=None, title=None, legend=alt.Legend(orient="bottom", columns=2, labelLimit=200)
            ),
            tooltip=[
                alt.Tooltip("finding", title="Finding"),
                alt.Tooltip("words", title="Film"),
                alt.Tooltip("predicted", title="Forecast", format="+.2f"),
                alt.Tooltip("true", title="True", format="+.2f"),
            ],
        )
    )
    return alt.layer(diagonal, points).properties(height=440)


def line(found: Stability, column: int) -> Layers:
    """Forecast and truth along one finding's own row; the vertical rule is where they part by 10 %."""
    table = tables.line_table(found, column)
    lines = (
        alt.Chart(table)
        .mark_line(point=True)
        .encode(
            x=alt.X("step:Q", title="Change of the film (grey levels, root mean square)"),
            y=alt.Y("logit:Q", title="Logit", scale=alt.Scale(zero=False)),
            color=alt.Color(
                "kind:N",
                title=None,
                scale=alt.Scale(domain=["forecast", "model"], range=[OTHER, OURS]),
                legend=alt.Legend(orient="top"),
            ),
            tooltip=[
                alt.Tooltip("kind", title=" "),
                alt.Tooltip("step", format=".3g"),
                alt.Tooltip("logit", format=".3f"),
            ],
        )
    )
    layers = [lines]
    radius = found.radius(column)
    if 0 < radius < float("inf"):
        rule = alt.Chart(alt.Data(values=[{"x": radius}])).mark_rule(strokeDash=[2, 3], color="#8a949c", size=2)
        layers.append(rule.encode(x="x:Q"))
    return alt.layer(*layers).properties(height=300)


def spectrum(found: Stability) -> alt.Chart:
    """Strength of each independent direction."""
    table = tables.spectrum_table(found)
    return (
        alt.Chart(table)
        .mark_bar(color=OURS)
        .encode(
            x=alt.X("direction:O", title="Direction", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("strength:Q", title="Logit per grey level"),
            tooltip=[alt.Tooltip("direction"), alt.Tooltip("strength", format=".3g")],
        )
        .properties(height=300)
    )


def together(found: Stability) -> alt.Chart:
    """Which findings a small change moves alike."""
    table = tables.together_table(found)
    axis = alt.Axis(labelLimit=200, labelOverlap=False)
    return (
        alt.Chart(table)
        .mark_rect()
        .encode(
            x=alt.X(
                "other:N", sort=None, title=None, axis=alt.Axis(labelAngle=-45, labelLimit=160, labelOverlap=False)
            ),
            y=alt.Y("finding:N", sort=None, title=None, axis=axis),
            color=alt.Color(
                "cosine:Q",
                scale=alt.Scale(scheme="redblue", reverse=True, domain=[-1, 1], domainMid=0),
                title="Alike",
            ),
            tooltip=["finding", "other", alt.Tooltip("cosine", format="+.2f")],
        )
        .properties(height=max(300, ROW * len(found.findings) + 2 * AXIS))
    )


def curves(found: Stability) -> Layers:
    """The V-shaped curve: disagreement over the step, both logarithmic; rules where the verdict changes."""
    table = tables.curves_table(found)
    lines = (
        alt.Chart(table)
        .mark_line(point=True)
        .encode(
            x=alt.X("step:Q", scale=alt.Scale(type="log"), title="Step (grey levels, root mean square)"),
            y=alt.Y("error:Q", scale=alt.Scale(type="log"), title="Off by", axis=alt.Axis(format=".0e")),
            color=alt.Color("direction:N", title=None, legend=alt.Legend(orient="bottom", columns=1, labelLimit=400)),
            tooltip=["direction", alt.Tooltip("step", format=".1g"), alt.Tooltip("error", format=".2%")],
        )
    )
    limits = alt.Data(values=[{"y": GOOD}, {"y": FAIR}])
    rules = alt.Chart(limits).mark_rule(color="#8a949c", strokeDash=[2, 3]).encode(y="y:Q")
    return alt.layer(rules, lines).properties(height=340)
