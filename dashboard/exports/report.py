"""One self-contained HTML file: film, maps, scores and what is needed to do it again; it loads nothing from outside."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from html import escape

import numpy as np
import pandas as pd

from dashboard.exports.html_page import html_page
from dashboard.exports.reported import LINK, Reported, facts
from dashboard.shared import display
from dashboard.shared.display import Drawn, View
from dashboard.shared.map_notes import notes_on
from evaluation.one_film.agreement import in_words
from evaluation.one_film.compare import FindingResult
from evaluation.one_film.evaluate import MethodResult
from evaluation.one_film.scorecard import ELEMENTS, LEGEND, QUESTIONS, Scorecard, folded
from evaluation.one_film.table import best_names, score_table
from evaluation.scores import headline_metrics
from radiographs.findings import display_name
from xai_methods import get_method

MOST_PIXELS = 4096
"""Longest side of a picture in the report: films up to this size are shown pixel for pixel."""
STYLE = """
@media (prefers-color-scheme: dark) {
  :root { color-scheme: dark; --ink: #e3e8eb; --paper: #0d1114; --soft: #9aa5ad; --line: #333c43; } }
.maps { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); }
figure img { width: 100%; } .bar { height: 12px; }
.ends { display: flex; justify-content: space-between; font-size: .8rem; color: var(--soft); }
tr.known td { color: var(--soft); }
"""


def html_report(about: Reported, scorecards: Mapping[str, Scorecard] | None = None) -> str:
    """Write the report of one comparison.

    Args:
        about: what it is about. scorecards: by finding, those that were worked out.

    Returns:
        An HTML document that holds its pictures and refers to nothing outside.
    """
    film = display.film_picture(about.comparison.radiograph, MOST_PIXELS)
    cards = scorecards or {}
    results = about.comparison.findings.items()
    body = "".join(_finding(result, film, about.view, cards.get(name)) for name, result in results)
    return html_page(
        "XAI Lightbox report",
        "Explanations of one chest film",
        f"Film {about.reference}, model {about.card.title}.",
        f"{body}<h2>How this was made</h2>{_settings(facts(about))}",
        STYLE,
    )


def _finding(result: FindingResult, film: np.ndarray, view: View, card: Scorecard | None) -> str:
    name = display_name(result.finding)
    outlined = film if result.mask is None else display.outlined(film, result.mask)
    words = f"The film; green: {name.lower()} as outlined" if result.mask is not None else "The film; nobody outlined"
    panels = [_figure(display.png(outlined), "Film", words)]
    panels += [_panel(done, film, view, result.mask) for done in result.methods.values()]
    return (
        f"<section><h2>{escape(name)}</h2><p>The model's probability: {result.probability:.0%}.</p>"
        f'<div class="maps">{"".join(panels)}</div><p>{escape(in_words(result))}</p>'
        f"{_scores(result)}{_scorecard(card) if card else ''}</section>"
    )


def _scorecard(card: Scorecard) -> str:
    heads = "".join(f"<th>{escape(element.capitalize())}</th>" for element in ELEMENTS)
    rows = "".join(
        f"<tr{'' if card.trusted else ' class=known'}>"
        + "".join(f"<td>{escape(str(value))}</td>" for value in row)
        + "</tr>"
        for row in folded(card).itertuples(index=False)
    )
    asked = "".join(f"<dt>{escape(e.capitalize())}</dt><dd>{escape(QUESTIONS[e])}</dd>" for e in ELEMENTS)
    return (
        "<h3>Scorecard: five elements of interpretability</h3>"
        f'<div class="scroll"><table><thead><tr><th>Map</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
        f'<p class="soft">{escape(LEGEND)}</p><dl>{asked}</dl>'
    )


def _panel(done: MethodResult, film: np.ndarray, view: View, mask: np.ndarray | None) -> str:
    if done.explanation is None or done.on_film is None:
        return (
            f"<figure><figcaption><b>{escape(done.title)}</b><br>{escape(done.error or 'No map')}</figcaption></figure>"
        )
    made: Drawn = display.drawn(display.picture(film, done.on_film, view, mask))
    notes = ", ".join([f"{done.explanation.seconds:.2f} s", *notes_on(done.explanation)])
    question = get_method(done.method).question
    words = (f"<b>{escape(made.words)}.</b> " if made.words else "") + f'<span class="soft">{escape(notes)}</span>'
    bar = ""
    if made.bar is not None:
        bar = (
            f'<img class="bar" alt="Colour bar" src="{_data(made.bar)}"><div class="ends">'
            f"<span>{made.low:.3g}</span><span>{made.high:.3g}</span></div>"
        )
    return (
        f'<figure><figcaption title="{escape(question)}"><b>{escape(done.title)}</b></figcaption>'
        f'<img alt="{escape(done.title)} map" src="{_data(made.png)}">{bar}<p>{words}</p></figure>'
    )


def _figure(picture: bytes, title: str, words: str) -> str:
    return (
        f'<figure><figcaption><b>{escape(title)}</b></figcaption><img alt="{escape(words)}" src="{_data(picture)}">'
        f'<p class="soft">{escape(words)}</p></figure>'
    )


def _data(picture: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(picture).decode()


def _scores(result: FindingResult) -> str:
    if result.mask is None:
        return "<p>Nobody outlined this finding on this film. Scores need an outline.</p>"
    table = score_table(result)
    best = best_names(table) if result.verdict.passed else {}
    known = headline_metrics()
    heads = "".join(f'<th scope="col" title="{escape(m.meaning)}">{escape(m.title)}</th>' for m in known.values())
    rows = "".join(_row(row, [*known], best, result.verdict.passed) for _, row in table.iterrows())
    verdict = ("" if result.verdict.passed else "Read these scores with care: ") + result.verdict.reason
    legend = (
        "Bold: the best method. Grey: maps that know nothing of the model, and chance; a method that does not beat "
        "them has shown nothing. –: undefined here."
    )
    return (
        f'<p>{escape(verdict)}</p><div class="scroll"><table><thead><tr><th scope="col">Map</th>{heads}</tr></thead>'
        f'<tbody>{rows}</tbody></table></div><p class="soft">{legend}</p>'
    )


def _row(row: pd.Series, names: list[str], best: dict[str, list[str]], trusted: bool) -> str:
    cells = []
    for name in names:
        text = "–" if math.isnan(row[name]) else f"{row[name]:.3f}"
        cells.append(f"<td><b>{text}</b></td>" if row["name"] in best.get(name, ()) else f"<td>{text}</td>")
    grey = "" if row["kind"] == "method" and trusted else ' class="known"'
    return f"<tr{grey}><td>{escape(str(row['title']))}</td>{''.join(cells)}</tr>"


def _settings(found: dict[str, str]) -> str:
    rows = [(heading, escape(words)) for heading, words in found.items()]
    rows = [(h, f'<a href="{words}" rel="noreferrer">{words}</a>' if h == LINK else words) for h, words in rows]
    return "<dl>" + "".join(f"<dt>{escape(heading)}</dt><dd>{words}</dd>" for heading, words in rows) + "</dl>"
