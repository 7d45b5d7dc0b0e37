"""Films and maps as pictures: overlaid, outlined, with a colour bar; scaled by ``xai_methods.display``."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from PIL import Image
from scipy import ndimage

from radiographs import Radiograph
from xai_methods.display import ALL_ZERO, NO_EVIDENCE, Part, Scale, coloured, scale_of

Mode = Literal["overlay", "contour", "map"]
MODES: tuple[Mode, ...] = get_args(Mode)
PARTS: tuple[Part, ...] = get_args(Part)
CONTOUR_SHARE = 0.1
"""Share of the film's pixels that the contour encloses."""
LONG_SIDE = (512, 1024)
"""Least and greatest long side of a picture, in pixels."""
OUTLINE = (64, 255, 176)
CONTOUR = (255, 176, 64)


@dataclass(frozen=True)
class View:
    """How maps are drawn; changing it recomputes nothing.

    Attributes:
        mode: colours over the film, the outline of the map's top tenth, or the colours alone.
        part: what speaks for the finding, or that and what speaks against it.
        opacity: of the strongest colour, 0 to 1. outline: whether the expert's outline is drawn.
    """

    mode: Mode = "overlay"
    part: Part = "positive"
    opacity: float = 0.7
    outline: bool = True

    @classmethod
    def checked(cls, told: Mapping[str, Any]) -> View:
        """A view from what a browser told.

        Raises:
            KeyError, TypeError, ValueError: a value is missing or makes no sense.
        """
        view = cls(told["mode"], told["part"], float(told["opacity"]), bool(told["outline"]))
        if view.mode not in MODES or view.part not in PARTS or not 0 <= view.opacity <= 1:
            raise ValueError(f"no such view: {told}")
        return view


@dataclass(frozen=True, eq=False)
class Picture:
    """What is drawn for one map.

    Attributes:
        pixels: (h, w, 3) uint8. scale: the colour bar's ends, None where no colour is shown.
        words: what to say where the map shows nothing, else "".
    """

    pixels: np.ndarray
    scale: Scale | None
    words: str = ""


def picture_shape(shape: tuple[int, int], most: int = LONG_SIDE[1]) -> tuple[int, int]:
    """(h, w) at which a film of ``shape`` is drawn: the same aspect, its long side ``LONG_SIDE[0]`` to ``most``."""
    longest = max(shape)
    factor = float(np.clip(longest, LONG_SIDE[0], most)) / longest
    return max(1, round(shape[0] * factor)), max(1, round(shape[1] * factor))


def resized(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Resize a 2-D array bilinearly (averaging where it shrinks) to ``shape``, as float32."""
    if values.shape == shape:
        return values.astype(np.float32)
    image = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.BILINEAR), dtype=np.float32)


def film_picture(radiograph: Radiograph, most: int = LONG_SIDE[1]) -> np.ndarray:
    """Draw a film in grey, (h, w, 3) uint8, in the window its file asks for, else percentiles 0.1 to 99.9.

    Its long side is ``most`` pixels at most.
    """
    low, high = radiograph.window or tuple(np.percentile(radiograph.pixels, (0.1, 99.9)))
    return grey_picture(resized(radiograph.pixels, picture_shape(radiograph.shape, most)), low, high)


def grey_picture(values: np.ndarray, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """Grey of (h, w) ``values``, black at ``low`` and below, white at ``high`` and above: (h, w, 3) uint8."""
    grey = np.clip((values - low) / max(float(high - low), 1e-6), 0, 1)
    return np.repeat(np.round(grey * 255).astype(np.uint8)[..., None], 3, axis=2)


def overlaid(film: np.ndarray, values: np.ndarray, scale: Scale, opacity: float) -> np.ndarray:
    """Lay the map over the film; where it says little the film stays bare.

    Args:
        film: (h, w, 3) uint8. values: (h, w) raw. opacity: of the strongest colour, 0 to 1.
    """
    strength = np.clip((np.abs(values) if scale.low < 0 else values) / scale.high, 0, 1)
    alpha = (opacity * np.sqrt(strength))[..., None]
    return np.round(film * (1 - alpha) + coloured(values, scale) * alpha).astype(np.uint8)


def top_area(values: np.ndarray, share: float = CONTOUR_SHARE) -> np.ndarray:
    """Where the map is positive and among its top ``share`` of pixels: (h, w) bool."""
    return (values > 0) & (values >= np.quantile(values, 1 - share))


def outlined(film: np.ndarray, mask: np.ndarray, colour: tuple[int, int, int] = OUTLINE) -> np.ndarray:
    """Draw the border of ``mask`` (any shape with the film's aspect) on a picture, in ``colour`` with a dark halo."""
    inside = resized(mask, (film.shape[0], film.shape[1])) > 0.5
    width = max(1, round(max(film.shape[:2]) / 380))
    distance = np.where(
        inside,
        ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1],
        ndimage.distance_transform_edt(~inside) if inside.any() else np.inf,
    )
    drawn = film.copy()
    drawn[distance <= 2 * width] = 8
    drawn[distance <= width] = colour
    return drawn


def picture(film: np.ndarray, values: np.ndarray, view: View, mask: np.ndarray | None = None) -> Picture:
    """Draw one map over one film.

    Args:
        film: (h, w, 3) uint8, from :func:`film_picture`. values: raw map in the film's own pixels.
        view: how to draw it. mask: the expert's outline in the film's own pixels, None where there is none.
    """
    scale = scale_of(values, view.part)
    if scale is None:
        words = ALL_ZERO if view.part == "signed" else NO_EVIDENCE
        return Picture(_with_outline(film, mask, view), None, words)
    small = resized(values, (film.shape[0], film.shape[1]))
    if view.mode == "map":
        shown = coloured(small, scale)
    elif view.mode == "overlay":
        shown = overlaid(film, small, scale, view.opacity)
    else:
        shown = outlined(film, top_area(small), CONTOUR)
        return Picture(_with_outline(shown, mask, view), None)
    return Picture(_with_outline(shown, mask, view), scale)


def _with_outline(pixels: np.ndarray, mask: np.ndarray | None, view: View) -> np.ndarray:
    return outlined(pixels, mask) if mask is not None and view.outline else pixels


def colour_bar(scale: Scale, width: int = 512, height: int = 14) -> np.ndarray:
    """The colour bar of ``scale``, low to high from left to right: (height, width, 3) uint8."""
    return np.repeat(coloured(np.linspace(scale.low, scale.high, width)[None], scale), height, axis=0)


def png(pixels: np.ndarray) -> bytes:
    """Encode (h, w, 3) uint8 as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


@dataclass(frozen=True)
class Drawn:
    """A picture encoded: PNG of map and of colour bar (None without one), the bar's raw ends, words (see Picture)."""

    png: bytes
    bar: bytes | None
    low: float
    high: float
    words: str


def drawn(made: Picture) -> Drawn:
    """Encode a picture and its colour bar."""
    if made.scale is None:
        return Drawn(png(made.pixels), None, 0.0, 0.0, made.words)
    return Drawn(png(made.pixels), png(colour_bar(made.scale)), made.scale.low, made.scale.high, made.words)
