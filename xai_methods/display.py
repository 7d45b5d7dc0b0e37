"""The one rule by which maps are scaled for the eye, the same for every method.

A map without negative values runs from 0 to its 99.5th percentile, a signed one symmetrically about 0 to the 99.5th
percentile of its absolute values. Nothing here changes the raw values that are scored or saved.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import matplotlib
import numpy as np
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from radiographs import Annotation, Radiograph

Part = Literal["positive", "signed"]
PERCENTILE = 99.5
POSITIVE_COLOURS, SIGNED_COLOURS = "inferno", "berlin"
NO_EVIDENCE = "No positive evidence"
ALL_ZERO = "The map is zero everywhere"
_SIDE = 320


@dataclass(frozen=True)
class Scale:
    """Raw values at the ends of the colour bar, and its colour map's name."""

    low: float
    high: float
    colours: str


def scale_of(values: np.ndarray, part: Part) -> Scale | None:
    """Ends of the colour bar for a map of raw ``values``; None where there is nothing to colour.

    >>> scale_of(np.array([[-2.0, 2.0]]), "signed")
    Scale(low=-2.0, high=2.0, colours='berlin')
    >>> scale_of(np.array([[-2.0, 0.0]]), "positive") is None
    True
    """
    strength = np.abs(values) if part == "signed" else np.maximum(values, 0)
    top = float(np.percentile(strength, PERCENTILE)) or float(strength.max())
    if top <= 0:
        return None
    return Scale(-top, top, SIGNED_COLOURS) if part == "signed" else Scale(0.0, top, POSITIVE_COLOURS)


def coloured(values: np.ndarray, scale: Scale) -> np.ndarray:
    """Colours of raw ``values`` under ``scale``: (h, w, 3) uint8."""
    unit = np.clip((values - scale.low) / (scale.high - scale.low), 0, 1)
    return matplotlib.colormaps[scale.colours](unit, bytes=True)[..., :3]


def png_of(values: np.ndarray, signed: bool) -> bytes:
    """A map of raw (S, S) values as a PNG picture, at least ``_SIDE`` pixels a side: a signed one on both sides of 0.

    A map that is zero is no colour but words on grey.
    """
    scale = scale_of(values, "signed" if signed else "positive")
    if scale is None:
        image = Image.new("RGB", (_SIDE, _SIDE), (128, 128, 128))
        words = ALL_ZERO if signed else NO_EVIDENCE
        ImageDraw.Draw(image).text((_SIDE / 2, _SIDE / 2), words, fill=(255, 255, 255), anchor="mm")
    else:
        image = Image.fromarray(coloured(values, scale))
        times = -(-_SIDE // image.width)
        image = image.resize((times * image.width, times * image.height), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def plot_map(
    values: np.ndarray,
    signed: bool,
    title: str,
    radiograph: Radiograph | None = None,
    annotations: Sequence[Annotation] = (),
    axes: Axes | None = None,
) -> Axes:
    """Draw a map of raw (H, W) ``values`` with a colour bar, over a film of that shape where one is given.

    Args:
        values: raw. signed: whether negative values carry meaning. title: of the drawing.
        radiograph: the film below; weak values let it show. annotations: its outlines.
        axes: where to draw; a new figure where None.
    """
    from radiographs.notebook import axes_or_new, draw_film

    drawn = axes_or_new(axes)
    scale = scale_of(values, "signed" if signed else "positive")
    if radiograph is not None:
        draw_film(drawn, radiograph.pixels, annotations)
    if scale is None:
        drawn.set_title(f"{title}: {(ALL_ZERO if signed else NO_EVIDENCE).lower()}", fontsize=9)
    else:
        opacity = 1.0 if radiograph is None else np.clip(np.abs(values) / scale.high, 0, 1) * 0.8
        image = drawn.imshow(values, cmap=scale.colours, vmin=scale.low, vmax=scale.high, alpha=opacity)
        drawn.figure.colorbar(image, ax=drawn, shrink=0.8)
        drawn.set_title(title, fontsize=9)
    drawn.set_axis_off()
    return drawn
