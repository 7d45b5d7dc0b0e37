"""Pictures and files of a counterfactual series: films, changes, an animation, a strip for a slide, a report."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from PIL import Image

from classifiers import ModelCard
from dashboard.shared.display import png
from evaluation.counterfactuals.exaggerated import Exaggerated, in_words, percent
from evaluation.html_pages import number, render
from radiographs.findings import display_name
from radiographs.radiograph import Note

CHANGES = "berlin"
FRAME_MS, LAST_MS = 160, 700
MISS = " ✕"
"""Beside a probability that misses its target by 10 points or more."""
TEMPLATES = Path(__file__).resolve().parent / "templates"


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


def html_report(made: Exaggerated, card: ModelCard, reference: str, notes: Sequence[Note] = ()) -> str:
    """One self-contained HTML file: strip, animation, words, figures, and how it was made.

    Args:
        made: the series. card: of the explained model.
        reference: ``collection/film-id``, or words for a film of no collection; never a file's name.
        notes: what the reader did to the film, or doubts.
    """
    rows = zip(made.targets, made.achieved, made.missed, made.ratios, made.lungs)
    as_it_is = ["film as it is", percent(made.own), number(made.own_ratio), number(made.own_lung)]
    return render(
        TEMPLATES,
        "report.html.j2",
        series=made.series,
        answer=made.answer,
        card=card,
        reference=reference,
        notes=notes,
        finding=display_name(made.series.finding),
        words=in_words(made),
        strip=strip(made),
        animation=animation(made),
        steps=pd.DataFrame(
            [
                as_it_is,
                *(
                    [percent(target), percent(achieved) + MISS * bool(missed), number(ratio), number(lung)]
                    for target, achieved, missed, ratio, lung in rows
                ),
            ],
            columns=["Target", "Achieved", "Cardiothoracic ratio", "Lung, share of film"],
        ),
    )
