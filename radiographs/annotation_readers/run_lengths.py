"""Run-length masks: the relative form of SIIM and the two forms of COCO, all in column-major order."""

from __future__ import annotations

import numpy as np

from radiographs.annotation_readers.geometry import Runs
from radiographs.errors import AnnotationError
from radiographs.film_readers.codestreams import MAX_SIDE
from radiographs.film_readers.orientation import Shape


def decode_counts(text: str) -> np.ndarray:
    """Decode COCO's compressed counts.

    Each number is written in groups of five bits, least first, as characters from "0" on; a sixth bit says that more
    follow, and the highest bit of the last group is the sign. From the fourth number on, what is written is the
    difference to the number two before it (cocoapi, ``maskApi.c``, ``rleFrString``).

    Returns:
        (n,) int64 lengths of runs, outside first.

    Raises:
        ValueError: the text is not such a string.
    """
    codes = np.frombuffer(text.encode("ascii"), dtype=np.uint8).astype(np.int64) - 48
    if codes.size == 0:
        return np.zeros(0, dtype=np.int64)
    if codes.min() < 0 or codes.max() > 63 or codes[-1] & 0x20:
        raise ValueError("not a string of compressed counts")
    last = (codes & 0x20) == 0
    starts = np.concatenate(([0], np.flatnonzero(last)[:-1] + 1))
    place = np.arange(codes.size) - np.repeat(starts, np.diff(np.append(starts, codes.size)))
    if place.max() > 7:
        raise ValueError("a compressed count is too long")
    numbers = np.add.reduceat((codes & 0x1F) << (5 * place), starts)
    negative = (codes[last] & 0x10) != 0
    numbers[negative] -= np.int64(1) << (5 * (place[last][negative] + 1))
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return numbers


def runs(counts: np.ndarray, size: Shape, where: str) -> Runs:
    """Check lengths of runs against the image that they cover.

    Args:
        counts: (n,) integers, outside first; pixels after the last run are outside.
        size: (H, W) of the image.
        where: file and line or key, for messages.

    Raises:
        AnnotationError: a length is negative, or the runs are longer than the image, or its size is impossible.
    """
    height, width = size
    if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE):
        raise AnnotationError(f"{where}: a mask of {width} x {height} pixels cannot be read")
    if counts.size and (counts.min() < 0 or int(counts.sum()) > height * width):
        raise AnnotationError(f"{where}: the runs do not fit a mask of {width} x {height} pixels")
    return Runs(counts.astype(np.int64), (height, width))


def coco_runs(given: object, where: str) -> Runs:
    """Read COCO's ``{"size": [H, W], "counts": [...] or "..."}``.

    Raises:
        AnnotationError: it is not of that form.
    """
    if not isinstance(given, dict) or not isinstance(given.get("size"), list) or len(given["size"]) != 2:
        raise AnnotationError(f"{where}: expected a run-length mask with size and counts")
    counts = given.get("counts")
    try:
        size = int(given["size"][0]), int(given["size"][1])
        lengths = decode_counts(counts) if isinstance(counts, str) else np.array(counts, dtype=np.int64)
        if lengths.ndim != 1:
            raise ValueError("counts is not a list")
    except (TypeError, ValueError, OverflowError) as error:
        raise AnnotationError(f"{where}: the mask's size or counts cannot be decoded") from error
    return runs(lengths, size, where)


def is_empty(mask: Runs) -> bool:
    """Whether no pixel is inside."""
    return not mask.counts[1::2].any()
