"""Outlines as files that other programs read: PNG masks, and COCO's JSON with run lengths (Lin et al., ECCV 2014)."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence

import numpy as np
from PIL import Image

from radiographs.annotation import Annotation


def mask_png(mask: np.ndarray) -> bytes:
    """(H, W) bool as a grey PNG: 255 inside, 0 outside."""
    buffer = io.BytesIO()
    Image.fromarray(np.where(mask, np.uint8(255), np.uint8(0))).save(buffer, "PNG")
    return buffer.getvalue()


def run_lengths(mask: np.ndarray) -> list[int]:
    """COCO's uncompressed counts of an (H, W) bool mask: runs of 0 and 1 in turn, column by column, 0 first."""
    flat = np.asarray(mask, dtype=bool).ravel(order="F")
    changes = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff(np.concatenate([[0], changes, [flat.size]])).tolist()
    return [0, *counts] if flat.size and flat[0] else counts


def coco_json(film_name: str, annotations: Sequence[Annotation]) -> str:
    """The outlines of one film as a COCO instance file.

    Args:
        film_name: the film's file name, or any name that tells it. annotations: at least one, all of the same film.

    Raises:
        ValueError: there is no outline, or their masks have different shapes.
    """
    shapes = {annotation.mask.shape for annotation in annotations}
    if len(shapes) != 1:
        raise ValueError("COCO's file takes at least one outline, all of the same film")
    height, width = shapes.pop()
    names = sorted({annotation.finding for annotation in annotations})
    rows = []
    for number, annotation in enumerate(annotations, start=1):
        down, across = np.nonzero(annotation.mask)
        box = [int(across.min()), int(down.min()), int(np.ptp(across)) + 1, int(np.ptp(down)) + 1] if down.size else []
        rows.append(
            {
                "id": number,
                "image_id": 1,
                "category_id": names.index(annotation.finding) + 1,
                "segmentation": {"size": [height, width], "counts": run_lengths(annotation.mask)},
                "area": int(annotation.mask.sum()),
                "bbox": box,
                "iscrowd": 1,
                "attributes": {"reader": annotation.reader, "drawn_as": annotation.kind},
            }
        )
    content = {
        "images": [{"id": 1, "file_name": film_name, "height": height, "width": width}],
        "categories": [{"id": place, "name": name} for place, name in enumerate(names, start=1)],
        "annotations": rows,
    }
    return json.dumps(content)
