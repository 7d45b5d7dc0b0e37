"""Pictures and files of a counterfactual series: films, changes, an animation, a strip for a slide, a report."""

from __future__ import annotations

import base64
import io
from html import escape

import matplotlib
import numpy as np
from PIL import Image

from classifiers import ModelCard
from dashboard.exports.html_page import html_page
from dashboard.shared.display import png
from evaluation.counterfactuals.exaggerated import Exaggerated, in_words
from radiographs.findings import display_name

CHANGES = "berlin"
FRAME_MS, LAST_MS = 160, 700


def grey(film: np.ndarray) -> np.ndarray:
    """(S, S) film in [0, 1] as (S, S, 3) uint8."""
    return np.repeat(np.round(255 * np.clip(film, 0, 1)).astype(np.uint8)[..., None], 3, axis=2)


def film_png(film: np.ndarray) -> bytes:
    """(S, S) film in [0, 1] as PNG."""
    return png(grey(film))


def changes(films: np.ndarray, film: np.ndarray) -> list[np.ndarray]:
    """What differs from ``film`` on each of (N, S, S) films, over the darkened film, on one scale: (S, S, 3) uint8."""
    differences = films - film
    top = float(np.percentile(np.abs(differences), 99.5)) or 1.0
    under = grey(film) * 0.6
    drawn = []
    for difference in differences:
        unit = np.clip(difference / top, -1, 1)
        colours = matplotlib.colormaps[CHANGES]((unit + 1) / 2, bytes=True)[..., :3]
        alpha = np.sqrt(np.abs(unit))[..., None]
        drawn.append(np.round(under * (1 - alpha) + colours * alpha).astype(np.uint8))
    return drawn


def animation(made: Exaggerated) -> bytes:
    """The series there and back as an endless GIF; it stays a moment at both ends."""
    frames = [Image.fromarray(grey(film)[..., 0]) for film in made.series.films]
    course = [*frames, *frames[-2:0:-1]]
    times = [FRAME_MS] * len(course)
    times[0] = times[len(frames) - 1] = LAST_MS
    buffer = io.BytesIO()
    course[0].save(buffer, "GIF", save_all=True, append_images=course[1:], duration=times, loop=0)
    return buffer.getvalue()


def strip(made: Exaggerated, steps: int = 5) -> bytes:
    """The film as it is, then ``steps`` steps from absent to present, above what changed, as one PNG."""
    series = made.series
    chosen = np.linspace(0, len(series.films) - 1, steps).round().astype(int)
    above = [grey(series.film), *(grey(series.films[i]) for i in chosen)]
    drawn = changes(series.films, series.film)
    below = [grey(series.film) // 3, *(drawn[i] for i in chosen)]
    return png(np.concatenate([np.concatenate(above, axis=1), np.concatenate(below, axis=1)], axis=0))


def html_report(made: Exaggerated, card: ModelCard, reference: str) -> str:
    """One self-contained HTML file: strip, animation, words, figures, and how it was made.

    Args:
        made: the series. card: of the explained model.
        reference: ``collection/film-id``, or words for a film of no collection; never a file's name.
    """
    series = made.series
    name = display_name(series.finding)
    rows = "".join(
        f"<tr><td>{asked:.0%}</td><td>{reached:.0%}</td><td>{_number(ratio)}</td><td>{_number(lung)}</td></tr>"
        for asked, reached, ratio, lung in zip(series.levels, series.reached, made.ratios, made.lungs)
    )
    refused = f"<p><b>Refused.</b> {escape(series.refusal)}</p>" if series.refusal else ""
    body = (
        f"{refused}<p>{escape(in_words(made))}</p>"
        f"{_picture(strip(made), 'png', 'The film, then from absent to present; below, what changed')}"
        f"{_picture(animation(made), 'gif', 'There and back')}"
        '<div class="scroll"><table><thead><tr><th>Asked</th><th>Reached</th><th>Heart to chest width</th>'
        f"<th>Lung, share of film</th></tr></thead><tbody>{rows}</tbody></table></div>"
        f"<p>Redrawn as it is, the film changes the answer by {series.cost.answer:.3f}; likeness (SSIM) "
        f"{series.cost.likeness:.3f}.</p>"
    )
    about = f"Film {reference}, model {card.title}, explainer {series.method}."
    return html_page("XAI Lightbox counterfactual report", f"{name}: from absent to present", about, body)


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3f}"


def _picture(data: bytes, kind: str, words: str) -> str:
    text = base64.b64encode(data).decode()
    return (
        f'<figure><img alt="{escape(words)}" src="data:image/{kind};base64,{text}"><p class="soft">{words}</p></figure>'
    )
