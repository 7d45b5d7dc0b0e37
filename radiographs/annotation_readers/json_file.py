"""Annotation files in JSON, opened with care."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from radiographs.annotation_readers.geometry import FARTHEST, Polygon
from radiographs.annotation_readers.rows import read_text
from radiographs.errors import AnnotationError

_MOST_VALUES = 20_000_000
_MOST_CORNERS = 100_000


def read_json(path: Path) -> object:
    """Load a JSON file.

    Raises:
        AnnotationError: it is none.
    """
    text = read_text(path)
    if text.count(",") > _MOST_VALUES:
        raise AnnotationError(f"{path.name} holds more than {_MOST_VALUES:,} values; split it")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is a ValueError of another kind
        at = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise AnnotationError(f"{path.name}{at}: this is not JSON") from error


def read_object(path: Path) -> dict[str, object]:
    """Load a JSON file whose outermost value is an object.

    Raises:
        AnnotationError: it is not such a file.
    """
    loaded = read_json(path)
    if not isinstance(loaded, dict):
        raise AnnotationError(f"{path.name}: expected a JSON object at the outside")
    return loaded


def read_list(path: Path) -> list[object]:
    """Load a JSON file whose outermost value is a list.

    Raises:
        AnnotationError: it is not such a file.
    """
    loaded = read_json(path)
    if not isinstance(loaded, list):
        raise AnnotationError(f"{path.name}: expected a JSON list at the outside")
    return loaded


def polygon(rings: object, where: str) -> Polygon:
    """Read rings of three corners or more, each ``[x, y, x, y, ...]`` or ``[[x, y], ...]``.

    Raises:
        AnnotationError: it is not of that form.
    """
    try:
        if not isinstance(rings, list) or not rings:
            raise ValueError("no rings")
        corners = tuple(np.array(ring, dtype=np.float64).reshape(-1, 2) for ring in rings)
    except (TypeError, ValueError, OverflowError) as error:
        raise AnnotationError(f"{where}: expected a polygon as lists of x and y") from error
    if any(len(ring) < 3 or not np.isfinite(ring).all() for ring in corners):
        raise AnnotationError(f"{where}: a polygon needs three corners or more, all of them numbers")
    if sum(len(ring) for ring in corners) > _MOST_CORNERS:
        raise AnnotationError(f"{where}: a polygon of more than {_MOST_CORNERS:,} corners; give a mask instead")
    if any(np.abs(ring).max() > FARTHEST for ring in corners):
        raise AnnotationError(f"{where}: the polygon lies outside any film")
    return Polygon(corners)
