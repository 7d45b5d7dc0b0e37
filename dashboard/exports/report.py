"""One self-contained HTML file: film, maps, scores and what is needed to do it again; it loads nothing from outside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dashboard.exports.content import LINK, ReportContent, facts
from dashboard.exports.tables import score_rows
from dashboard.shared import display
from dashboard.shared.display import View
from dashboard.shared.map_notes import notes_on
from evaluation.html_pages import render
from evaluation.one_film.agreement import in_words
from evaluation.one_film.compare import FindingResult
from evaluation.one_film.evaluate import MethodResult
from evaluation.one_film.marks import marks_in_words, marks_on
from evaluation.one_film.scorecard import ELEMENTS, QUESTIONS, Scorecard, folded
from evaluation.one_film.scorecard import LEGEND as SCORECARD_LEGEND
from evaluation.one_film.table import LEGEND, reader_words
from evaluation.scores import headline_metrics
from radiographs.findings import display_name
from xai_methods import get_method

MOST_PIXELS = 4096
"""Longest side of a picture in the report: films up to this size are shown pixel for pixel."""
TEMPLATES = Path(__file__).resolve().parent / "templates"


def html_report(content: ReportContent, scorecards: Mapping[str, Scorecard] | None = None) -> str:
    """Write the report of one comparison.

    Args:
        content: what it is about. scorecards: by finding, those that were computed.

    Returns:
        An HTML document that holds its pictures and refers to nothing outside.
    """
    film = display.film_picture(content.comparison.radiograph, MOST_PIXELS)
    cards = scorecards or {}
    results = content.comparison.findings.items()
    marks = marks_on(content.comparison.radiograph, content.annotations) if results else {}
    return render(
        TEMPLATES,
        "report.html.j2",
        content=content,
        findings=[_finding(result, film, content.view, cards.get(name), marks) for name, result in results],
        metrics=list(headline_metrics().values()),
        legend=LEGEND,
        scorecard_legend=SCORECARD_LEGEND,
        questions={element.capitalize(): QUESTIONS[element] for element in ELEMENTS},
        made=facts(content),
        link=LINK,
    )


def _finding(
    result: FindingResult, film: np.ndarray, view: View, card: Scorecard | None, marks: dict[str, np.ndarray]
) -> dict[str, Any]:
    name, mask = display_name(result.finding), result.mask
    return {
        "name": name,
        "result": result,
        "film": display.png(film if mask is None else display.outlined(film, mask)),
        "caption": result.unscored or f"Green: {name.lower()}, outlined by {result.whose}.",
        "maps": [_map(done, film, view, mask) for done in result.methods.values()],
        "agreement": " ".join(filter(None, (in_words(result), marks_in_words(result, marks)))),
        "rows": score_rows(result),
        "readers": reader_words(result),
        "card": None if card is None else {"table": folded(card), "trusted": card.trusted},
    }


def _map(done: MethodResult, film: np.ndarray, view: View, mask: np.ndarray | None) -> dict[str, Any]:
    panel = {"title": done.title, "question": get_method(done.method).question, "error": done.error, "drawn": None}
    if done.explanation is None or done.on_film is None:
        return panel
    return panel | {
        "drawn": display.drawn(display.picture(film, done.on_film, view, mask)),
        "notes": ", ".join([f"{done.explanation.seconds:.2f} s", *notes_on(done.explanation)]),
    }
