"""How many bits of its words a film makes use of: one rule for DICOM, PNG and JPEG."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radiographs.radiograph import Note

DEPTHS = (8, 10, 12, 14, 16)
"""Depths in which films are digitised; what is stored in 16 bits is rarely 16 bits deep."""
_DEAD = 1 / 5000
_BURNT_IN = 1 / 50
_GAP = 1.5
_BURNT_IN_GAP = 4
_LEAST_USED, _LEAST_USED_SIGNED = 1 / 8, 1 / 4


@dataclass(frozen=True)
class Depth:
    """The range of a film's stored values.

    Attributes:
        bits: the depth. low, high: the values that become black and white.
        outliers: pixels far beyond the film's own greys, shown as white or black.
        stretched: whether the film fills so little of its depth that its own darkest and brightest are taken.
    """

    bits: int
    low: float
    high: float
    outliers: int = 0
    stretched: bool = False


def depth_of(values: np.ndarray, declared: int = 16) -> Depth:
    """The depth of a film's stored values, whatever the file says that a word could hold.

    The depth is the smallest of 8, 10, 12, 14 and 16 bits that holds the brightest pixel, at most ``declared``. A few
    dead pixels far above all others, or one value burnt in far above the film, do not count. A film deeper than 8 bits
    that fills less than an eighth of its range is stretched between its own darkest and brightest pixel. So is a film
    with values below zero that fills less than a quarter of the symmetric range that its signed words declare.

    Args:
        values: stored values of any shape, not empty, what is padding left out.
        declared: bits that the file says a word has.
    """
    brightest, outliers = _brightest(values)
    darkest, below = _darkest(values, brightest)
    if darkest < 0:
        half = 2.0 ** (declared - 1)
        if darkest < brightest < darkest + _LEAST_USED_SIGNED * 2 * half:
            return Depth(declared, darkest, brightest, outliers + below, True)
        return Depth(declared, -half, half - 1)
    bits = min(next((b for b in DEPTHS if brightest < 2.0**b), 16), declared)
    low, high = 0.0, 2.0**bits - 1
    if bits > 8 and darkest < brightest < darkest + _LEAST_USED * (high - low):
        return Depth(bits, darkest, brightest, outliers, True)
    return Depth(bits, low, high, (outliers if float(values.max()) > high else 0) + below)


def depth_notes(depth: Depth, declared: int) -> list[Note]:
    """What is to be said of a film's depth.

    Args:
        depth: what was found. declared: bits that the file says a word has.
    """
    notes = []
    if depth.stretched:
        words = "The film fills little of its range; its own darkest and brightest pixel became black and white."
        notes.append(Note("stretched", words, True))
    elif depth.bits < declared:
        notes.append(Note("depth", f"The film uses {depth.bits} of {declared} bits, and was scaled over those."))
    if depth.outliers:
        number = "1 pixel" if depth.outliers == 1 else f"{depth.outliers} pixels"
        words = f"Shown as white or black for lying far beyond the film's own greys (dead, or burnt in): {number}."
        notes.append(Note("outliers", words))
    return notes


def _brightest(values: np.ndarray) -> tuple[float, int]:
    """The brightest value of the film itself, and how many pixels lie beyond it."""
    most = float(values.max())
    burnt_in = values == most
    count = int(burnt_in.sum())
    if count <= _BURNT_IN * values.size:
        rest = float(np.max(values, initial=values.min(), where=~burnt_in))
        if rest > 0 and most >= _BURNT_IN_GAP * rest:
            return rest, count
    few = _few(values)
    top = np.sort(np.partition(values.ravel(), -few - 1)[-few - 1 :]).astype(np.float64)
    gaps = np.flatnonzero((top[:-1] > 0) & (top[1:] >= _GAP * top[:-1]))
    if not gaps.size:
        return most, 0
    return float(top[gaps[0]]), few - int(gaps[0])


def _darkest(values: np.ndarray, brightest: float) -> tuple[float, int]:
    """The darkest value of the film itself, and how many pixels lie below it; dead ones lie below zero alone."""
    least = float(values.min())
    if least >= 0:
        return least, 0
    few = _few(values)
    bottom = np.sort(np.partition(values.ravel(), few)[: few + 1]).astype(np.float64)
    gaps = np.flatnonzero(np.diff(bottom) >= np.maximum(brightest - bottom[1:], 1))
    return (least, 0) if not gaps.size else (float(bottom[gaps[-1] + 1]), int(gaps[-1]) + 1)


def _few(values: np.ndarray) -> int:
    """How many pixels may be dead."""
    return min(max(4, int(_DEAD * values.size)), values.size - 1)
