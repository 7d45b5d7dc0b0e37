"""The stability study of one film as one self-contained HTML file; it loads nothing from outside."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from classifiers import ModelCard
from dashboard.shared import display
from dashboard.stability import pictures, tables, words
from evaluation.html_pages import number, render
from evaluation.stability import Stability
from evaluation.stability.perturbations import USUAL
from radiographs import Radiograph
from radiographs.findings import display_name

TEMPLATES = Path(__file__).resolve().parent / "templates"
HEADINGS = {
    "finding": "Finding",
    "probability": "Probability",
    "threshold": "Decision threshold",
    "distance": "Distance (L2)",
    "distance_max": "Distance (L∞)",
    "radius": "Forecast holds to",
    "norm": "Response",
    "flip": "First decision flip",
}
PATTERNS = {
    "probability": ".1%",
    "threshold": ".0%",
    "distance": ".3f",
    "distance_max": ".3f",
    "radius": ".3f",
    "norm": ".2f",
}


def html_report(found: Stability, card: ModelCard, reference: str, film: Radiograph) -> str:
    """Write the report of one study.

    Args:
        found: the study. card: the model's card.
        reference: ``collection/film-id``, or words for a film of no collection; never a file's name. film: the film.

    Returns:
        An HTML document that holds its pictures and refers to nothing outside.
    """
    figures = {
        "probabilities": _probabilities,
        "lines": _lines,
        "perturbed": _perturbed,
        "spectrum": _spectrum,
        "curves": _curves,
    }
    return render(
        TEMPLATES,
        "report.html.j2",
        found=found,
        card=card,
        reference=reference,
        notes=film.notes,
        words=words,
        headings=HEADINGS,
        film=display.png(display.film_picture(film)),
        figures={name: _png(draw(found)) for name, draw in figures.items()},
        map=_map(found),
        findings=_findings(found),
        changes=_changes(found),
        made=_facts(found, card, reference),
    )


def _findings(found: Stability) -> pd.DataFrame:
    table = tables.findings_table(found)
    for name, pattern in PATTERNS.items():
        table[name] = [number(value, pattern) for value in table[name]]
    table["radius"] = ["> " * beyond + radius for radius, beyond in zip(table["radius"], table["beyond"])]
    return table[[*HEADINGS]].rename(columns=HEADINGS)


def _changes(found: Stability) -> pd.DataFrame:
    table = tables.changes_table(found).drop(columns=["level"])
    table["size"] = [number(value, ".2f") for value in table["size"]]
    table["error"] = [number(value, ".0%") for value in table["error"]]
    names = {"change": "Change", "words": "The film comes out", "size": "Size, grey levels", "error": "Forecast off by"}
    return table.rename(columns=names | {"flips": "Decisions flipped"})


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight")
    return buffer.getvalue()


def _map(found: Stability) -> dict[str, str | bytes] | None:
    """The row of the finding that answers most; None where it is all zero."""
    column = int(np.argmax(found.sensitivity.l2))
    rows = pictures.enlarged(found.sensitivity.per_grey_level[column])
    scale = display.scale_of(rows, "signed")
    if scale is None:
        return None
    return {
        "png": display.png(display.coloured(rows, scale)),
        "finding": display_name(found.findings[column]),
        "caption": f"{words.MAP} Colours run to {scale.high:.2g} logit per grey level of one input pixel.",
    }


def _axes(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height))
    return figure, figure.subplots()


def _probabilities(found: Stability) -> Figure:
    figure, axes = _axes(6.5, 4.5)
    for column, finding in enumerate(found.findings):
        axes.plot(found.strongest.steps, found.probabilities()[:, column], label=display_name(finding))
    axes.set(xlabel="Along the most sensitive direction, grey levels", ylabel="Probability", ylim=(0, 1))
    axes.legend(fontsize=7, ncols=2)
    return figure


def _lines(found: Stability) -> Figure:
    figure, axes = _axes(6.5, 4.5)
    for column, line in enumerate(found.own):
        if line is not None:
            shares = line.steps / line.steps.max()
            axes.plot(shares, 100 * line.error(column), marker="o", label=display_name(found.findings[column]))
    axes.axhline(10, color="grey", linestyle=":")
    axes.set(xlabel="Share of the way to the threshold", ylabel="Forecast off by, %")
    axes.legend(fontsize=7, ncols=2)
    return figure


def _perturbed(found: Stability) -> Figure:
    table = tables.perturbed_table(found, USUAL)
    findings = [display_name(finding) for finding in found.findings]
    changes, points, flips = (
        table[name].to_numpy().reshape(-1, len(findings)).T for name in ("change", "points", "flips")
    )
    top = max(1.0, float(np.abs(points).max()))
    figure, axes = _axes(8, 0.3 * len(findings) + 1.5)
    shown = axes.imshow(points, cmap="RdBu_r", vmin=-top, vmax=top, aspect="auto")
    axes.set_xticks(range(len(changes.T)), changes[0], rotation=35, ha="right")
    axes.set_yticks(range(len(findings)), findings)
    for down, across in np.argwhere(flips).tolist():
        axes.text(across, down, "✕", ha="center", va="center")
    figure.colorbar(shown, label="Percentage points")
    return figure


def _spectrum(found: Stability) -> Figure:
    table = tables.spectrum_table(found)
    figure, axes = _axes(6.5, 3.8)
    axes.bar(table["direction"], table["strength"], color="#2a9d8f")
    axes.set(xlabel="Direction", ylabel="Logit per grey level")
    return figure


def _curves(found: Stability) -> Figure:
    figure, axes = _axes(6.5, 3.8)
    for name, part in tables.curves_table(found).groupby("direction", sort=False):
        axes.loglog(part["step"], part["error"], marker="o", label=name)
    axes.set(xlabel="Step, grey levels", ylabel="Off by (relative)")
    if axes.lines:
        axes.legend(fontsize=8)
    return figure


def _facts(found: Stability, card: ModelCard, reference: str) -> dict[str, str]:
    return {
        "Film": reference,
        "Film digest (SHA-256 of shape and pixels)": found.film,
        "Model": f"{card.name}: {card.summary}",
        "Model digest": found.classifier,
        "Model limits": card.limits,
        "Method": "Jacobian of all logits by reverse mode; Abe & Asai 2025, arXiv 2502.14001",
        "Cost": f"{found.passes} passes, {found.seconds:.1f} s",
    }
