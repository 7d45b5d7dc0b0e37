"""The numbers of a stability study as tables: one row a bar, a point or a finding."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluation.csv_table import csv_text
from evaluation.stability.distances import sigmoid
from evaluation.stability.study import Stability
from radiographs.findings import display_name


def findings_table(found: Stability) -> pd.DataFrame:
    """A row a finding, the nearest to its threshold first: probability, threshold, distances, radius, norms, flip."""
    sensitivity, flips = found.sensitivity, found.first_flips()
    rows = []
    for column, reach in enumerate(found.distances):
        first = flips[reach.finding]
        radius = found.radius(column)
        rows.append(
            {
                "finding": display_name(reach.finding),
                "probability": reach.probability,
                "threshold": reach.threshold,
                "distance": reach.l2,
                "distance_max": reach.linf,
                "radius": followed(found, column) if np.isinf(radius) else radius,
                "beyond": bool(np.isinf(radius)),
                "flip": first.words if first is not None else "none of those tried",
                "norm": sensitivity.l2[column] * found.side / 255,
                "l1": sensitivity.l1[column] / 255,
                "linf": sensitivity.linf[column] / 255,
                "per_deviation": sensitivity.l2[column] * sensitivity.deviation,
                "condition": found.availability.conditions[column],
            }
        )
    return pd.DataFrame(rows).sort_values("distance", ignore_index=True)


def numbers_csv(found: Stability, film: str, model: str) -> str:
    """The findings' table as CSV, each row with the film (its reference), the model's name, and both digests."""
    about = {"film": film, "film_digest": found.film, "model": model, "model_digest": found.classifier}
    table = findings_table(found)
    return csv_text(pd.DataFrame({**dict.fromkeys(about, ""), **table}).assign(**about))


def followed(found: Stability, column: int) -> float:
    """How far a finding was followed along its own row, in grey levels; NaN where it was not."""
    line = found.own[column]
    return float("nan") if line is None else float(line.steps.max())


def slider_table(found: Stability, index: int) -> pd.DataFrame:
    """A row a finding: probability on the moved film, on the film as it is, and the threshold."""
    now = found.probabilities()[index]
    return pd.DataFrame(
        [
            (display_name(reach.finding), float(now[column]), reach.probability, reach.threshold)
            for column, reach in enumerate(found.distances)
        ],
        columns=["finding", "now", "before", "threshold"],
    )


def perturbed_table(found: Stability, level: int) -> pd.DataFrame:
    """A row a finding and change at one level: change of probability in percentage points, and whether it flips."""
    before = sigmoid(found.sensitivity.logits)
    rows = []
    for done in (d for d in found.perturbed if d.level == level):
        after = sigmoid(found.sensitivity.logits + done.true)
        for column, finding in enumerate(found.findings):
            moved = 100 * float(after[column] - before[column])
            rows.append(
                (done.title, done.words, display_name(finding), moved, bool(done.flips[column]), float(after[column]))
            )
    return pd.DataFrame(rows, columns=["change", "words", "finding", "points", "flips", "probability"])


def changes_table(found: Stability) -> pd.DataFrame:
    """A row a change and level: its size, how far the forecast was off, and the decisions it flipped."""
    names = ("mild", "usual", "strong")
    return pd.DataFrame(
        [
            {
                "change": done.title,
                "level": names[done.level],
                "words": done.words,
                "size": done.size,
                "error": done.error,
                "flips": ", ".join(display_name(f) for f, flips in zip(found.findings, done.flips) if flips) or "none",
            }
            for done in found.perturbed
        ]
    )


def forecast_table(found: Stability) -> pd.DataFrame:
    """A row a finding and change at any level: forecast and true change of the logit."""
    return pd.DataFrame(
        [
            (done.title, done.words, display_name(finding), float(done.predicted[c]), float(done.true[c]))
            for done in found.perturbed
            for c, finding in enumerate(found.findings)
        ],
        columns=["change", "words", "finding", "predicted", "true"],
    )


def line_table(found: Stability, column: int) -> pd.DataFrame:
    """Forecast and truth along one finding's own row, from the film to its threshold; empty where there is no line."""
    line = found.own[column]
    if line is None:
        return pd.DataFrame(columns=["step", "kind", "logit"])
    start = found.sensitivity.logits[column]
    rows = [(0.0, kind, start) for kind in ("forecast", "model")]
    for step, predicted, true in zip(line.steps, line.predicted[:, column], line.true[:, column]):
        rows += [(step, "forecast", start + predicted), (step, "model", start + true)]
    return pd.DataFrame(rows, columns=["step", "kind", "logit"])


def spectrum_table(found: Stability) -> pd.DataFrame:
    """A row a direction: its number and its singular value in logit per grey level (root mean square)."""
    values = found.sensitivity.singular * found.side / 255
    return pd.DataFrame({"direction": np.arange(1, len(values) + 1), "strength": values})


def together_table(found: Stability) -> pd.DataFrame:
    """A row a pair of findings: cosine of their rows; NaN left out."""
    names = [display_name(f) for f in found.findings]
    cosines = found.sensitivity.together
    rows = [(a, b, cosines[i, j]) for i, a in enumerate(names) for j, b in enumerate(names)]
    return pd.DataFrame(rows, columns=["finding", "other", "cosine"]).dropna()


def curves_table(found: Stability) -> pd.DataFrame:
    """A row a direction and step: disagreement of the Jacobian with central differences; 0 and NaN left out."""
    rows = [
        (curve.direction + (", double precision" if curve.double else ""), step, error)
        for curve in found.availability.curves
        for step, error in zip(curve.steps, curve.errors)
        if error > 0
    ]
    return pd.DataFrame(rows, columns=["direction", "step", "error"])
