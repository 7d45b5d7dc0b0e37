"""The stability study of one film as one self-contained HTML file; it loads nothing from outside."""

from __future__ import annotations

import base64
import io
from html import escape

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from classifiers import ModelCard
from dashboard.exports.html_page import html_page
from dashboard.shared import display
from dashboard.stability import pictures, tables, words
from evaluation.stability import Stability
from evaluation.stability.distances import sigmoid
from evaluation.stability.perturbations import USUAL
from radiographs import Radiograph
from radiographs.findings import display_name

STYLE = "td:last-child { text-align: left; }"
HEADINGS = {
    "finding": "Finding",
    "probability": "Probability",
    "threshold": "Called at",
    "distance": "Distance (L2)",
    "distance_max": "Distance (L∞)",
    "radius": "Forecast holds to",
    "norm": "Response",
    "flip": "First overturned on a film",
}


def html_report(found: Stability, card: ModelCard, reference: str, film: Radiograph) -> str:
    """Write the report of one study.

    Args:
        found: the study. card: the model's card.
        reference: ``collection/film-id``, or words for a film of no collection; never a file's name. film: the film.

    Returns:
        An HTML document that holds its pictures and refers to nothing outside.
    """
    flips = "".join(f"<li>{escape(text)}</li>" for text in words.flip_words(found))
    body = (
        f"<p>{escape(words.WHAT)}</p>"
        f"<h2>Verdict: {escape(found.availability.status)}</h2><p>{escape(found.availability.reason)}</p>"
        f"<p>{escape(words.reach_words(found))}</p><p class=soft>{escape(words.LEVEL)}</p>"
        f'<div class="row">{_film(film)}{_figure(_probabilities(found), "Probabilities", words.SLIDER)}</div>'
        f"<h2>Finding by finding</h2><p>{escape(words.REACH)}</p>{_table(_shown(found))}"
        f'<div class="row">{_figure(_lines(found), "Forecast and model", words.LINE)}{_map(found)}</div>'
        f"<h2>Changes that happen to real films</h2><p>{escape(words.SHAKEN)}</p>"
        f"<ul>{flips or '<li>None of the changes tried overturns a call.</li>'}</ul>"
        f"{_figure(_shaken(found), 'Change of the probabilities', words.SHAKEN)}{_table(_changes(found))}"
        f'<h2>What moves together, and can it be computed?</h2><div class="row">'
        f"{_figure(_spectrum(found), 'Spectrum', words.SPECTRUM)}"
        f"{_figure(_curves(found), 'Agreement', words.CURVE)}</div>"
        f"<p>{escape(words.precision_words(found))}</p><h2>How this was made</h2>{_facts(found, card, reference)}"
    )
    about = f"Film {reference}, model {card.title}."
    return html_page("XAI Lightbox stability report", words.TITLE, about, body, STYLE)


def _shown(found: Stability) -> pd.DataFrame:
    table = tables.findings_table(found)
    table["radius"] = [f"{'> ' if b else ''}{r:.3f}" for r, b in zip(table["radius"], table["beyond"])]
    for name, shape in {"probability": "{:.1%}", "threshold": "{:.0%}", "norm": "{:.2f}"}.items():
        table[name] = table[name].map(shape.format)
    for name in ("distance", "distance_max"):
        table[name] = table[name].map("{:.3f}".format)
    return table[[*HEADINGS]].rename(columns=HEADINGS)


def _changes(found: Stability) -> pd.DataFrame:
    table = tables.changes_table(found).drop(columns=["level"])
    table["size"], table["error"] = table["size"].map("{:.2f}".format), table["error"].map("{:.0%}".format)
    names = {"change": "Change", "words": "The film comes out", "size": "Size, grey levels", "error": "Forecast off by"}
    return table.rename(columns=names | {"flips": "Calls overturned"})


def _table(table: pd.DataFrame) -> str:
    heads = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in table.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell).replace('nan', '–'))}</td>" for cell in row) + "</tr>"
        for row in table.itertuples(index=False)
    )
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'


def _picture(png: bytes, title: str, caption: str) -> str:
    data = base64.b64encode(png).decode()
    return (
        f'<figure><figcaption><b>{escape(title)}</b></figcaption><img alt="{escape(title)}" '
        f'src="data:image/png;base64,{data}"><p class="soft">{escape(caption)}</p></figure>'
    )


def _figure(figure: Figure, title: str, caption: str) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight")
    return _picture(buffer.getvalue(), title, caption)


def _film(film: Radiograph) -> str:
    return _picture(display.png(display.film_picture(film)), "Film", "The film as it is.")


def _map(found: Stability) -> str:
    column = int(np.argmax(found.sensitivity.l2))
    rows = pictures.enlarged(found.sensitivity.per_grey_level[column])
    scale = display.scale_of(rows, "signed")
    if scale is None:
        return ""
    name = display_name(found.findings[column])
    caption = f"{words.MAP} Colours run to {scale.high:.2g} logit per grey level of one input pixel."
    return _picture(display.png(display.coloured(rows, scale)), f"Most sensitive finding: {name}", caption)


def _probabilities(found: Stability) -> Figure:
    figure = Figure(figsize=(6.5, 4.5))
    axes = figure.subplots()
    for column, finding in enumerate(found.findings):
        axes.plot(found.strongest.steps, found.probabilities()[:, column], label=display_name(finding))
    axes.set(xlabel="Along the most sensitive direction, grey levels", ylabel="Probability", ylim=(0, 1))
    axes.legend(fontsize=7, ncols=2)
    return figure


def _lines(found: Stability) -> Figure:
    figure = Figure(figsize=(6.5, 4.5))
    axes = figure.subplots()
    for column, line in enumerate(found.own):
        if line is not None:
            shares = line.steps / line.steps.max()
            axes.plot(shares, 100 * line.error(column), marker="o", label=display_name(found.findings[column]))
    axes.axhline(10, color="grey", linestyle=":")
    axes.set(xlabel="Share of the way to the threshold", ylabel="Forecast off by, %")
    axes.legend(fontsize=7, ncols=2)
    return figure


def _shaken(found: Stability) -> Figure:
    usual = [done for done in found.shaken if done.level == USUAL]
    before = sigmoid(found.sensitivity.logits)
    points = np.array([100 * (sigmoid(found.sensitivity.logits + d.true) - before) for d in usual]).T
    top = max(1.0, float(np.abs(points).max()))
    figure = Figure(figsize=(8, 0.3 * len(points) + 1.5))
    axes = figure.subplots()
    shown = axes.imshow(points, cmap="RdBu_r", vmin=-top, vmax=top, aspect="auto")
    axes.set_xticks(range(len(usual)), [d.title for d in usual], rotation=35, ha="right")
    axes.set_yticks(range(len(points)), [display_name(f) for f in found.findings])
    for across, done in enumerate(usual):
        for down in np.flatnonzero(done.flips).tolist():
            axes.text(across, down, "✕", ha="center", va="center")
    figure.colorbar(shown, label="Percentage points")
    return figure


def _spectrum(found: Stability) -> Figure:
    figure = Figure(figsize=(6.5, 3.8))
    table = tables.spectrum_table(found)
    axes = figure.subplots()
    axes.bar(table["direction"], table["strength"], color="#2a9d8f")
    axes.set(xlabel="Direction", ylabel="Logit per grey level")
    return figure


def _curves(found: Stability) -> Figure:
    figure = Figure(figsize=(6.5, 3.8))
    axes = figure.subplots()
    for name, part in tables.curves_table(found).groupby("direction", sort=False):
        axes.loglog(part["step"], part["error"], marker="o", label=name)
    axes.set(xlabel="Step, grey levels", ylabel="Off by (relative)")
    if axes.lines:
        axes.legend(fontsize=8)
    return figure


def _facts(found: Stability, card: ModelCard, reference: str) -> str:
    facts = {
        "Film": reference,
        "Film digest (SHA-256 of shape and pixels)": found.film,
        "Model": f"{card.name}: {card.summary}",
        "Model digest": found.classifier,
        "Model limits": card.limits,
        "Method": "Jacobian of all logits by reverse mode; Abe & Asai 2025, arXiv 2502.14001",
        "Cost": f"{found.passes} passes, {found.seconds:.1f} s",
    }
    return "<dl>" + "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts.items()) + "</dl>"
