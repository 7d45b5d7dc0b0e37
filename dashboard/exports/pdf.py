"""The report as a PDF of A4 pages: the maps of each finding, its scores, and how they were made."""

from __future__ import annotations

import io
import math
from typing import Any

import pandas as pd
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from dashboard.exports.figures import GREY, Panel, draw_panel, panels_of, wrapped
from dashboard.exports.html_page import NOTICE
from dashboard.exports.reported import SHOWN, Reported, facts
from dashboard.shared import display
from dashboard.shared.display import View
from evaluation.one_film.compare import FindingResult
from evaluation.one_film.table import best_names, score_table
from evaluation.scores import Metric, headline_metrics
from radiographs.findings import display_name

A4 = (11.69, 8.27)
MARGIN = 0.55
ACROSS, DOWN = 4, 2
ROWS_A_PAGE = 26
LINES_A_PAGE = 44


def pdf_report(about: Reported) -> bytes:
    """One comparison as a PDF."""
    film = display.film_picture(about.comparison.radiograph)
    pages: list[Figure] = []
    for result in about.comparison.findings.values():
        heading = f"{display_name(result.finding)}: {result.probability:.0%} by {about.card.title}"
        below = f"Film {about.reference}. {_drawn_as(about.view)}"
        made = panels_of(result, film, about.view)
        for start in range(0, len(made), ACROSS * DOWN):
            pages.append(_maps(heading, below, made[start : start + ACROSS * DOWN], film.shape[0] / film.shape[1]))
        pages.extend(_scores(result))
    pages.extend(_facts(facts(about)))
    buffer = io.BytesIO()
    named = {"Title": "Explanations of one chest film", "Creator": "XAI Lightbox", "Producer": "XAI Lightbox"}
    with PdfPages(buffer, metadata=named) as document:
        for number, page in enumerate(pages, start=1):
            foot = f"{NOTICE} Film {about.comparison.radiograph.digest[:12]}. Page {number} of {len(pages)}."
            page.text(MARGIN / A4[0], 0.3 / A4[1], foot, fontsize=8, color=GREY)
            document.savefig(page, dpi=200)
    return buffer.getvalue()


def _page(heading: str) -> Figure:
    figure = Figure(figsize=A4, facecolor="white")
    figure.text(MARGIN / A4[0], 1 - MARGIN / A4[1], heading, fontsize=15, fontweight="bold", va="top", parse_math=False)
    return figure


def _drawn_as(view: View) -> str:
    return "Lines: each map's strongest tenth." if view.mode == "contour" else f"Maps: {SHOWN[view.part]}."


def _maps(heading: str, below: str, panels: list[Panel], tall: float) -> Figure:
    figure = _page(heading)
    line = (A4[1] - MARGIN - 0.3) / A4[1]
    figure.text(MARGIN / A4[0], line, below, fontsize=9, color=GREY, va="top", parse_math=False)
    rows = math.ceil(len(panels) / ACROSS)
    room = (A4[0] - 2 * MARGIN, A4[1] - 2 * MARGIN - 0.65)
    across = min(ACROSS, len(panels))
    side = min(room[0] / across - 0.15, (room[1] / rows - 0.65) / tall)
    for place, panel in enumerate(panels):
        row, column = divmod(place, ACROSS)
        left = MARGIN + column * (side + 0.15)
        bottom = A4[1] - MARGIN - 0.75 - (row + 1) * side * tall - row * 0.65
        draw_panel(figure.add_axes((left / A4[0], bottom / A4[1], side / A4[0], side * tall / A4[1])), panel)
    return figure


def _scores(result: FindingResult) -> list[Figure]:
    heading = f"{display_name(result.finding)}: scores against the outline"
    if result.mask is None:
        return []
    table, known = score_table(result), headline_metrics()
    best = best_names(table) if result.verdict.passed else {}
    verdict = ("" if result.verdict.passed else "Read these scores with care: ") + result.verdict.reason
    pages = []
    for start in range(0, len(table), ROWS_A_PAGE):
        figure = _page(heading)
        top = A4[1] - MARGIN - 0.5
        for line in wrapped(verdict, 150) if start == 0 else []:
            figure.text(MARGIN / A4[0], top / A4[1], line, fontsize=9, va="top", parse_math=False)
            top -= 0.18
        _table(figure, top - 0.1, table.iloc[start : start + ROWS_A_PAGE], known, best, result.verdict.passed)
        pages.append(figure)
    return pages


def _table(
    figure: Figure, top: float, table: pd.DataFrame, known: dict[str, Metric], best: dict[str, list[str]], trusted: bool
) -> None:
    first, width = 2.6, (A4[0] - 2 * MARGIN - 2.6) / max(len(known), 1)
    heads = {name: wrapped(metric.title, max(8, int(width * 12))) for name, metric in known.items()}
    deepest = max(len(lines) for lines in heads.values())

    def write(words: str, right: float, at: float, **style: Any) -> None:
        figure.text(
            (MARGIN + right) / A4[0], at / A4[1], words, fontsize=8.5, va="top", ha="right", parse_math=False, **style
        )

    for place, lines in enumerate(heads.values(), start=1):
        write("\n".join(lines), first + place * width, top, fontweight="bold", linespacing=1.1)
    top -= 0.16 * deepest + 0.08
    for _, row in table.iterrows():
        colour = "black" if row["kind"] == "method" and trusted else GREY
        figure.text(MARGIN / A4[0], top / A4[1], str(row["title"]), fontsize=8.5, va="top", color=colour)
        for place, name in enumerate(known, start=1):
            text = "–" if math.isnan(row[name]) else f"{row[name]:.3f}"
            weight = "bold" if row["name"] in best.get(name, ()) else "normal"
            write(text, first + place * width, top, color=colour, fontweight=weight)
        top -= 0.2
    words = "Bold: the best method. Grey: maps that know nothing of the model, and chance. –: undefined here."
    figure.text(MARGIN / A4[0], (top - 0.1) / A4[1], words, fontsize=8, va="top", color=GREY)


def _facts(found: dict[str, str]) -> list[Figure]:
    lines: list[tuple[str, str]] = []
    for heading, words in found.items():
        parts = wrapped(words, 118)
        lines += [(heading if place == 0 else "", part) for place, part in enumerate(parts)]
    pages = []
    for start in range(0, len(lines), LINES_A_PAGE):
        figure = _page("How this was made")
        top = A4[1] - MARGIN - 0.5
        for heading, words in lines[start : start + LINES_A_PAGE]:
            for column, line in enumerate((heading, words)):
                weight = "normal" if column else "bold"
                left = (MARGIN + column * 2.7) / A4[0]
                figure.text(left, top / A4[1], line, fontsize=8, va="top", fontweight=weight, parse_math=False)
            top -= 0.157
        pages.append(figure)
    return pages
