"""From a DICOM film's stored values to the values that it shows: lookup tables, rescaling, padding, windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from radiographs.errors import FilmError
from radiographs.film_readers.dicom_header import number, text_of, whole_number
from radiographs.radiograph import Note

if TYPE_CHECKING:
    from pydicom import Dataset

_LEAST_SHOWN = 1 / 1000


def rescaled(dataset: Dataset, stored: np.ndarray) -> tuple[np.ndarray, tuple[float, float] | None]:
    """Values after the modality LUT, or after rescale slope and intercept.

    Args:
        dataset: the film's. stored: (H, W) stored values.

    Returns:
        (H, W) float64, and (slope, intercept); None where a table takes their place.

    Raises:
        FilmError: the slope is zero, or the table is damaged.
    """
    if dataset.get("ModalityLUTSequence"):
        return _looked_up(dataset.ModalityLUTSequence[0], stored), None
    slope = number(dataset.get("RescaleSlope"), 1.0)
    intercept = number(dataset.get("RescaleIntercept"), 0.0)
    if slope == 0:
        raise FilmError("the DICOM film is damaged: its rescale slope is zero")
    values = stored.astype(np.float64)
    values *= slope
    values += intercept
    return values, (slope, intercept)


def _looked_up(item: Dataset, stored: np.ndarray) -> np.ndarray:
    """Values through a table of any depth; values before its first entry take that, those beyond its last the last."""
    descriptor = [int(part) for part in item.LUTDescriptor]
    entries, first = descriptor[0] or 65536, descriptor[1]
    if int(stored.min()) < 0 and first > 32767:
        first -= 65536
    data = item.LUTData
    if isinstance(data, bytes):
        table = np.frombuffer(data, np.uint8 if len(data) <= entries + entries % 2 else np.dtype("<u2"))
    else:
        table = np.asarray(data if hasattr(data, "__len__") else [data]).astype(np.int64) & 0xFFFF
    table = table[:entries].astype(np.float64)
    if not table.size:
        raise FilmError("the DICOM film is damaged: its modality LUT is empty")
    return table[np.clip(stored - first, 0, table.size - 1).astype(np.int64)]


def padding(dataset: Dataset, stored: np.ndarray, bits: int) -> np.ndarray:
    """(H, W) bool: True where the file says that there is no film, its value read modulo the word."""
    value, limit = dataset.get("PixelPaddingValue"), dataset.get("PixelPaddingRangeLimit")
    if not isinstance(value, int):
        return np.zeros(stored.shape, dtype=bool)
    modulus = 1 << max(bits, whole_number(dataset, "BitsAllocated"))
    low, high = sorted(_nearest(part, modulus, stored) for part in (value, limit if isinstance(limit, int) else value))
    return np.asarray((stored >= low) & (stored <= high))


def _nearest(value: int, modulus: int, stored: np.ndarray) -> int:
    """The number that equals ``value`` modulo the word and lies among the stored values, where there is one."""
    least, most = int(stored.min()), int(stored.max())
    return next((v for v in (value, value - modulus, value + modulus) if least <= v <= most), value)


def window_of(dataset: Dataset, values: np.ndarray) -> tuple[tuple[float, float] | None, list[Note]]:
    """The first display window of the file in which the film shows: (low, high) in units of ``values``.

    Args:
        dataset: the film's. values: those of the film itself, what is padding left out.

    Returns:
        The window, None where the file has none that shows the film, and a note where one was dropped.
    """
    offered = list(_windows(dataset))
    for low, high in offered:
        if np.count_nonzero((values > low) & (values < high)) >= _LEAST_SHOWN * values.size:
            return (low, high), []
    dropped = Note("window", "The window that the file asks for shows nothing of the film; it is not used.")
    return None, [dropped] if offered else []


def _windows(dataset: Dataset) -> list[tuple[float, float]]:
    found = []
    if dataset.get("VOILUTSequence"):
        entries, start, _ = (int(part) for part in dataset.VOILUTSequence[0].LUTDescriptor)
        found.append((float(start), start + (entries or 65536) - 1.0))
    centres, widths = _numbers(dataset, "WindowCenter"), _numbers(dataset, "WindowWidth")
    exact = text_of(dataset, "VOILUTFunction") in ("LINEAR_EXACT", "SIGMOID")
    for centre, width in zip(centres, widths, strict=False):
        if not exact:
            centre, width = centre - 0.5, width - 1.0
        found.append((centre - width / 2, centre + width / 2))
    return [(low, high) for low, high in found if low < high]


def _numbers(dataset: Dataset, keyword: str) -> list[float]:
    value = dataset.get(keyword)
    if value is None:
        return []
    several = not isinstance(value, str | int | float) and hasattr(value, "__len__")
    return [number(part) for part in (value if several else [value])]


def shown_inverted(dataset: Dataset) -> tuple[bool, list[Note]]:
    """Whether small values are white, by the photometric interpretation and the presentation LUT's shape.

    MONOCHROME1 and the shape INVERSE name the same thing (PS3.3 C.8.11.3), so that both together invert once.
    """
    photometric, shape = text_of(dataset, "PhotometricInterpretation"), text_of(dataset, "PresentationLUTShape")
    if photometric == "MONOCHROME1":
        notes = [Note("inverted", "The film was inverted: its file stores white as the smallest value (MONOCHROME1).")]
        if shape == "IDENTITY":
            words = "The file says of its greys both MONOCHROME1 and a presentation of the shape IDENTITY."
            notes.append(Note("polarity", words, True))
        return True, notes
    if shape == "INVERSE":
        words = "The film was inverted: its file says MONOCHROME2 and asks for an inverse presentation."
        return True, [Note("inverted", words, True)]
    return False, []
