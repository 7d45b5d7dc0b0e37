"""The report as a PDF of A4 pages: the maps of each finding, its scores, and how they were made."""

from __future__ import annotations

import io
import math
from typing import Any

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from dashboard import NOTICE
from dashboard.exports.content import SHOWN, ReportContent, facts
from dashboard.exports.figures import GREY, Panel, draw_panel, panels_of, wrapped
from dashboard.exports.tables import ScoreRow, score_rows
from dashboard.shared import display
from dashboard.shared.display import View
from evaluation.html_pages import number
from evaluation.one_film.compare import FindingResult
from evaluation.one_film.table import LEGEND
from evaluation.scores import headline_metrics
from radiographs.findings import display_name

A4 = (11.69, 8.27)
MARGIN = 0.55
MOST_PANELS = 8
"""Panels on one page; fewer are drawn larger."""
ROWS_A_PAGE = 26
LINES_A_PAGE = 44


def pdf_report(content: ReportContent) -> bytes:
    """One comparison as a PDF."""
    film = display.film_picture(content.comparison.radiograph)
    pages: list[Figure] = []
    for result in content.comparison.findings.values():
        heading = f"{display_name(result.finding)}: {result.probability:.0%} by {content.card.title}"
        below = f"Film {content.reference}. {_drawn_as(content.view)}"
        made = panels_of(result, film, content.view)
        for start in range(0, len(made), MOST_PANELS):
            pages.append(_maps(heading, below, made[start : start + MOST_PANELS], film.shape[0] / film.shape[1]))
        pages.extend(_scores(result))
    pages.extend(_facts(facts(content)))
    buffer = io.BytesIO()
    metadata = {"Title": "Explanations of one chest film", "Creator": "XAI Lightbox", "Producer": "XAI Lightbox"}
    with PdfPages(buffer, metadata=metadata) as document:
        for number, page in enumerate(pages, start=1):
            foot = f"{NOTICE} Film {content.comparison.radiograph.digest[:12]}. Page {number} of {len(pages)}."
            page.text(MARGIN / A4[0], 0.3 / A4[1], foot, fontsize=8, color=GREY)
            document.savefig(page, dpi=200)
    return buffer.getvalue()


def _page(heading: str) -> Figure:
    figure = Figure(figsize=A4, facecolor="white")
    figure.text(MARGIN / A4[0], 1 - MARGIN / A4[1], heading, fontsize=15, fontweight="bold", va="top", parse_math=False)
    return figure


def _drawn_as(view: View) -> str:
    return "Lines: each map's top 10 % of pixels." if view.mode == "contour" else f"Maps: {SHOWN[view.part]}."


def _maps(heading: str, below: str, panels: list[Panel], tall: float) -> Figure:
    figure = _page(heading)
    line = (A4[1] - MARGIN - 0.3) / A4[1]
    figure.text(MARGIN / A4[0], line, below, fontsize=9, color=GREY, va="top", parse_math=False)
    side, across = largest(len(panels), tall)
    for place, panel in enumerate(panels):
        row, column = divmod(place, across)
        left = MARGIN + column * (side + 0.15)
        bottom = A4[1] - MARGIN - 0.75 - (row + 1) * side * tall - row * 0.65
        draw_panel(figure.add_axes((left / A4[0], bottom / A4[1], side / A4[0], side * tall / A4[1])), panel)
    return figure


def largest(count: int, tall: float) -> tuple[float, int]:
    """Width of each of ``count`` panels, in inches, where they are as large as a page allows, and how many go in a row.

    Args:
        tall: height of a panel over its width.
    """
    room = (A4[0] - 2 * MARGIN, A4[1] - 2 * MARGIN - 0.65)
    return max(
        (min(room[0] / across - 0.15, (room[1] / math.ceil(count / across) - 0.65) / tall), across)
        for across in range(1, count + 1)
    )


def _scores(result: FindingResult) -> list[Figure]:
    rows, pages = score_rows(result), []
    for start in range(0, len(rows), ROWS_A_PAGE):
        figure = _page(f"{display_name(result.finding)}: scores against the outline by {result.whose}")
        top = A4[1] - MARGIN - 0.5
        for line in wrapped(result.verdict.words, 150) if start == 0 else []:
            figure.text(MARGIN / A4[0], top / A4[1], line, fontsize=9, va="top", parse_math=False)
            top -= 0.18
        _table(figure, top - 0.1, rows[start : start + ROWS_A_PAGE])
        pages.append(figure)
    return pages


def _table(figure: Figure, top: float, rows: list[ScoreRow]) -> None:
    titles = [metric.title for metric in headline_metrics().values()]
    first, width = 2.6, (A4[0] - 2 * MARGIN - 2.6) / max(len(titles), 1)
    heads = [wrapped(title, max(8, int(width * 12))) for title in titles]
    deepest = max(len(lines) for lines in heads)

    def write(words: str, right: float, at: float, **style: Any) -> None:
        figure.text(
            (MARGIN + right) / A4[0], at / A4[1], words, fontsize=8.5, va="top", ha="right", parse_math=False, **style
        )

    for place, lines in enumerate(heads, start=1):
        write("\n".join(lines), first + place * width, top, fontweight="bold", linespacing=1.1)
    top -= 0.16 * deepest + 0.08
    for row in rows:
        colour = GREY if row.grey else "black"
        figure.text(MARGIN / A4[0], top / A4[1], row.title, fontsize=8.5, va="top", color=colour, parse_math=False)
        for place, cell in enumerate(row.cells, start=1):
            weight = "bold" if cell.best else "normal"
            write(number(cell.value), first + place * width, top, color=colour, fontweight=weight)
        top -= 0.2
    figure.text(MARGIN / A4[0], (top - 0.1) / A4[1], LEGEND, fontsize=8, va="top", color=GREY)


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
                left = (MARGIN + column * 3.0) / A4[0]
                figure.text(left, top / A4[1], line, fontsize=8, va="top", fontweight=weight, parse_math=False)
            top -= 0.157
        pages.append(figure)
    return pages
