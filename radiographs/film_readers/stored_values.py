"""What the words of a DICOM film mean: bits that are no film taken away, left-aligned values shifted, signs extended.

References: DICOM PS3.5 8.1.1 (Bits Allocated, Bits Stored, High Bit), PS3.3 C.9.2 (overlays in unused bits, retired).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radiographs.radiograph import Note

_MANY = 4
_SOME = 1 / 2000
_SAMPLE = 2**20


@dataclass(frozen=True)
class Layout:
    """Where the values lie in their words, as the header says.

    Attributes:
        container: bits a word. bits: bits stored. high: place of the highest of them. signed: two's complement.
    """

    container: int
    bits: int
    high: int
    signed: bool


def values_of(words: np.ndarray, layout: Layout) -> tuple[np.ndarray, int, list[Note]]:
    """The stored values of a film.

    What the header says is checked against the words. Two readings are told apart by how often neighbouring pixels
    leap over half the range: a film is smooth, and values cut off, wrapped or mixed with overlays are not.

    Args:
        words: (H, W) unsigned integers. layout: what the header says of them.

    Returns:
        (H, W) int32 values, the bits that they take up, and what was done.
    """
    words = words.astype(np.int32)
    notes: list[Note] = []
    bits = min(layout.bits, layout.container)
    words, bits = _aligned(words, layout, bits, notes)
    words, bits = _within(words, layout, bits, notes)
    return _signed(words, bits, layout.signed, notes), bits, notes


def _aligned(words: np.ndarray, layout: Layout, bits: int, notes: list[Note]) -> tuple[np.ndarray, int]:
    """Bring values that lie at the upper end of their words down."""
    shift = layout.container - bits
    if shift <= 0:
        return words, bits
    lower, most = int(np.bitwise_or.reduce(words, axis=None)) & ((1 << shift) - 1), int(words.max())
    said = layout.high - bits + 1
    smoother = most >> bits and _leaps(words >> shift, bits) <= _leaps(words & ((1 << bits) - 1), bits)
    if not lower and (said == shift or smoother):
        words = words >> shift
        if said != shift:
            said_otherwise = "The values lie at the upper end of their words, against what the file says."
            notes.append(Note("left-aligned", said_otherwise, True))
    elif 0 < said <= shift and most >> bits:
        words = words >> said
    elif said > 0:
        said_otherwise = "The values lie at the lower end of their words, against what the file says."
        notes.append(Note("right-aligned", said_otherwise, True))
    return words, bits


def _within(words: np.ndarray, layout: Layout, bits: int, notes: list[Note]) -> tuple[np.ndarray, int]:
    """Take away bits above those stored, unless the film itself goes on in them."""
    mask = (1 << bits) - 1
    above = words >> bits
    if not above.any():
        return words, bits
    masked = words & mask
    extended = _extended(masked, bits) & ((1 << layout.container) - 1)
    if layout.signed and ((words == extended) | (words == masked)).all():
        return masked, bits
    needed = int(words.max()).bit_length()
    if _leaps(masked, bits) > _MANY * _leaps(words, needed) + _SOME:
        beyond = f"Values go beyond the {bits} bits that the file says; all of them are used."
        notes.append(Note("bits-understated", beyond, True))
        return words, needed
    notes.append(Note("unused-bits", "Bits above those of the film (overlays, mostly) were taken away."))
    return masked, bits


def _signed(words: np.ndarray, bits: int, signed: bool, notes: list[Note]) -> np.ndarray:
    """Read words as signed or unsigned, by the label unless the other reading is far smoother."""
    if not (words >> (bits - 1)).any():
        return words
    readings = {True: _extended(words, bits), False: words}
    if _leaps(readings[signed], bits) > _MANY * _leaps(readings[not signed], bits) + _SOME:
        signed = not signed
        kind = "signed" if signed else "unsigned"
        notes.append(Note("signedness", f"The values were read as {kind} numbers, against what the file says.", True))
    return readings[signed]


def _extended(words: np.ndarray, bits: int) -> np.ndarray:
    """Two's complement of so many bits as numbers."""
    half = 1 << (bits - 1)
    return (words ^ half) - half


def _leaps(values: np.ndarray, bits: int) -> float:
    """The share of neighbouring pixels that differ by half the range of so many bits, or more; of some rows."""
    half, step = 1 << (bits - 1), max(1, values.size // _SAMPLE)
    rows, next_rows = values[:-1:step], values[1::step]
    across = np.count_nonzero(abs(np.diff(rows, axis=1)) >= half)
    down = np.count_nonzero(abs(next_rows - rows) >= half)
    return float(across + down) / (2 * rows.size)
