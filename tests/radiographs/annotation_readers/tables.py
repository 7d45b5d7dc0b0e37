"""What the tests of the annotation readers share: a written file, a table's outlines counted, a mask's box."""

from __future__ import annotations

import numpy as np

COUNTS = [5, 3, 2, 900, 1, 40, 1000, 49]


def write(folder, name, text):
    path = folder / name
    path.write_text(text)
    return path


def count(table):
    return sum(len(table.of(image)) for image in table.images())


def box_of(mask):
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def compress(counts):
    """COCO's own encoder (``rleToString``), written out."""
    text = ""
    for at, number in enumerate(counts):
        left = number - counts[at - 2] if at > 2 else number
        more = True
        while more:
            bits, left = left & 0x1F, left >> 5
            more = left != (-1 if bits & 0x10 else 0)
            text += chr((bits | (0x20 if more else 0)) + 48)
    return text


def column_major(counts, height, width):
    flat = np.repeat(np.arange(len(counts)) % 2, counts)
    return flat.reshape(width, height).T.astype(bool)
