"""What the browser gets: 16-bit values in the red and green bytes of a PNG, which every browser decodes exactly."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from functools import lru_cache

import matplotlib
import numpy as np
from PIL import Image

from dashboard.shared.display import resized
from radiographs import Radiograph
from xai_methods.display import POSITIVE_COLOURS, SIGNED_COLOURS, scale_of

LONGEST_FILM = 3072
"""Longest side of a film in the browser; larger ones are shown smaller."""
LONGEST_MAP = 512
LONGEST_MASK = 1024
FULL = 65535


@dataclass(frozen=True, eq=False)
class MapPicture:
    """A raw map for the browser.

    Attributes:
        png: 16-bit values as PNG. low, high: raw values that 0 and 65535 stand for.
        top, signed_top: raw value of the strongest colour, of the positive part and of the signed map; 0 where there is
            nothing to colour.
    """

    png: bytes
    low: float
    high: float
    top: float
    signed_top: float


def pack(values: np.ndarray) -> bytes:
    """(H, W) uint16 as an RGB PNG: high byte red, low byte green."""
    image = np.zeros((*values.shape, 3), dtype=np.uint8)
    image[..., 0], image[..., 1] = values >> 8, values & 255
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def unpack(png: bytes) -> np.ndarray:
    """(H, W) uint16 of a PNG that :func:`pack` made."""
    image = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(np.uint16)
    return (image[..., 0] << 8) | image[..., 1]


def within(shape: tuple[int, int], longest: int) -> tuple[int, int]:
    """(h, w) of the same aspect, its long side at most ``longest``."""
    factor = min(1.0, longest / max(shape))
    return max(1, round(shape[0] * factor)), max(1, round(shape[1] * factor))


def film_png(radiograph: Radiograph) -> bytes:
    """The film's own greys, 16 bits deep: 0 black, 65535 white."""
    pixels = resized(radiograph.pixels, within(radiograph.shape, LONGEST_FILM))
    return pack(np.round(np.clip(pixels, 0, 1) * FULL).astype(np.uint16))


def map_picture(on_film: np.ndarray) -> MapPicture:
    """A raw map in the film's own pixels, (H, W), made ready; its ends lie at its least and greatest value."""
    small = resized(on_film, within((on_film.shape[0], on_film.shape[1]), LONGEST_MAP)).astype(np.float64)
    low, high = float(small.min()), float(small.max())
    span = high - low or 1.0
    tops = [scale.high if (scale := scale_of(on_film, part)) else 0.0 for part in ("positive", "signed")]
    return MapPicture(pack(np.round((small - low) / span * FULL).astype(np.uint16)), low, low + span, *tops)


def mask_png(mask: np.ndarray) -> bytes:
    """(H, W) bool as 0 and 65535."""
    small = resized(mask, within((mask.shape[0], mask.shape[1]), LONGEST_MASK))
    return pack(np.where(small > 0.5, FULL, 0).astype(np.uint16))


def windows(radiograph: Radiograph) -> dict[str, tuple[float, float]]:
    """Lowest and highest grey that are told apart, by preset.

    ``film`` is what the film's file asks for, else its percentiles 0.1 to 99.9; ``lung`` its darker, ``bone`` its
    brighter part; ``whole`` the whole range.
    """
    least, dark, low_bone, bright, most = (float(v) for v in np.percentile(radiograph.pixels, (0.1, 60, 40, 99, 99.9)))
    own = radiograph.window or (least, most)
    presets = {"film": own, "lung": (least, dark), "bone": (low_bone, max(bright, most)), "whole": (0.0, 1.0)}
    return {name: (float(low), float(max(high, low + 1 / 256))) for name, (low, high) in presets.items()}


@lru_cache(maxsize=1)
def colours() -> dict[str, str]:
    """The colour maps as 256 x 3 bytes in base64, by part of the evidence."""
    names = {"positive": POSITIVE_COLOURS, "signed": SIGNED_COLOURS}
    steps = np.linspace(0, 1, 256)
    return {
        part: base64.b64encode(matplotlib.colormaps[name](steps, bytes=True)[:, :3].tobytes()).decode()
        for part, name in names.items()
    }


def region_mask(png_url: str, shape: tuple[int, int]) -> np.ndarray:
    """The mask that a person drew, from the browser's ``data:image/png;base64,...``, in the film's own pixels.

    Raises:
        ValueError: it is no such picture, or it is empty.
    """
    head, _, body = png_url.partition(",")
    if head != "data:image/png;base64" or len(body) > 4_000_000:
        raise ValueError("the drawn region did not arrive as a picture; draw it again")
    try:
        with Image.open(io.BytesIO(base64.b64decode(body, validate=True)), formats=["PNG"]) as image:
            large = max(image.size) > 4 * LONGEST_MASK
            drawn = None if large else image.convert("RGBA").resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    except Exception as error:  # Pillow notices damage at opening or at decoding, by errors of no common base
        raise ValueError("the drawn region could not be read; draw it again") from error
    if drawn is None:
        raise ValueError("the drawn region is too large; draw it again")
    mask = np.asarray(drawn)[..., 3] > 127
    if not mask.any():
        raise ValueError("the drawn region is empty; draw it larger")
    return mask
