"""Film and maps side by side as one picture for slides, and as the panels of the PDF."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dashboard import NOTICE
from dashboard.shared import display
from dashboard.shared.display import Scale, View
from evaluation.one_film.compare import Comparison, FindingResult
from radiographs.findings import display_name

DPI = 200
"""Twice what a screen shows at the same size."""
TILE = 3.0
"""Width of one panel in inches."""
MOST_ACROSS = 6
GREY = "#5c6770"


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture with its title: (h, w, 3) uint8, the colour bar's ends (None without colours), words below it."""

    title: str
    pixels: np.ndarray
    scale: Scale | None = None
    words: str = ""


def panels_of(result: FindingResult, film: np.ndarray, view: View) -> list[Panel]:
    """The film, outlined where somebody outlined it, and one panel for each method that made a map.

    Args:
        result: one finding. film: (h, w, 3) uint8, from :func:`dashboard.shared.display.film_picture`.
        view: how maps are drawn.
    """
    words = result.unscored or f"Green: outlined by {result.whose}"
    outlined = film if result.mask is None else display.outlined(film, result.mask)
    found = [Panel("Film", outlined, words=words)]
    for done in result.methods.values():
        if done.on_film is not None:
            made = display.picture(film, done.on_film, view, result.mask)
            found.append(Panel(done.title, made.pixels, made.scale, made.words))
    return found


def draw_panel(axes: Axes, panel: Panel) -> None:
    """Draw one panel: picture, title, colour bar with raw ends, words."""
    axes.imshow(panel.pixels, interpolation="none")
    axes.set_axis_off()
    axes.set_title(panel.title, fontsize=11, fontweight="bold", loc="left", pad=4, parse_math=False)
    if panel.scale is not None:
        bar = axes.inset_axes((0.0, -0.055, 1.0, 0.03))
        bar.imshow(display.colour_bar(panel.scale, 256, 8), aspect="auto", interpolation="none")
        bar.set_axis_off()
        ends: dict[str, Any] = {"transform": axes.transAxes, "fontsize": 8, "color": GREY, "va": "top"}
        axes.text(0.0, -0.065, f"{panel.scale.low:.3g}", ha="left", **ends)
        axes.text(1.0, -0.065, f"{panel.scale.high:.3g}", ha="right", **ends)
    if panel.words:
        below = -0.065 if panel.scale is not None else -0.02
        axes.text(0.5, below, panel.words, transform=axes.transAxes, fontsize=8, color=GREY, ha="center", va="top")


def slide_png(comparison: Comparison, title: str, view: View | None = None) -> bytes:
    """Film and maps of all findings side by side as a PNG on white, at twice the resolution of a screen.

    Args:
        comparison: maps. title: the model's name for people. view: how maps are drawn.
    """
    film = display.film_picture(comparison.radiograph)
    tall = film.shape[0] / film.shape[1]
    rows: list[tuple[str, Sequence[Panel]]] = []
    for finding, result in comparison.findings.items():
        made = panels_of(result, film, view or View())
        heading = f"{display_name(finding)}: {result.probability:.0%} by {title}"
        for start in range(0, len(made), MOST_ACROSS):
            rows.append((heading if start == 0 else "", made[start : start + MOST_ACROSS]))
    across = max(len(made) for _, made in rows)
    heights = [(0.45 if heading else 0.1) + TILE * tall + 0.75 for heading, _ in rows]
    width, height = TILE * across + 0.4, sum(heights) + 0.35
    figure = Figure(figsize=(width, height), facecolor="white")
    top = height - 0.1
    for (heading, shown), tile_height in zip(rows, heights):
        if heading:
            figure.text(
                0.2 / width, (top - 0.05) / height, heading, fontsize=14, fontweight="bold", va="top", parse_math=False
            )
        bottom = (top - tile_height + 0.5) / height
        for place, panel in enumerate(shown):
            box = ((0.2 + TILE * place + 0.05) / width, bottom, (TILE - 0.1) / width, (TILE - 0.1) * tall / height)
            draw_panel(figure.add_axes(box), panel)
        top -= tile_height
    digest = comparison.radiograph.digest[:12]
    figure.text(0.2 / width, 0.12 / height, f"{NOTICE} Film {digest}, seed {comparison.seed}.", fontsize=8, color=GREY)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": "XAI Lightbox"})
    return buffer.getvalue()


def wrapped(text: str, width: int) -> list[str]:
    """Text in lines of at most ``width`` signs; long words, such as digests, are cut."""
    return textwrap.wrap(text, width, break_long_words=True, break_on_hyphens=False) or [""]
