"""Maps as files for other programs: 16-bit PNG or .npz, in the film's own pixels or on the model's input grid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from classifiers import ChestClassifier
from evaluation.one_film.map_files import PNG_NOTE, MapError, read_raw_map
from radiographs import Radiograph
from radiographs.arrays import plain, write_arrays
from radiographs.files import replacing
from xai_methods import Explanation

Grid = Literal["film", "input"]
FORMATS = ("npz", "png")
_LEVELS = 2**16 - 1


def map_name(film_id: str, finding: str, suffix: str) -> str:
    """The name under which a map is stored and found again: ``<film>_<finding>.npz``."""
    return f"{film_id}_{finding.replace('/', '_or_').replace(' ', '_')}.{suffix}"


def facts_of(explanation: Explanation, model: str, grid: Grid) -> dict[str, Any]:
    """What a file says of its map: film, finding, model, method, and on which grid it lies; no name of a person."""
    return {
        "method": explanation.method, "parameters": explanation.parameters, "seed": explanation.seed,
        "finding": explanation.finding, "logit": explanation.logit, "film": explanation.film,
        "classifier": explanation.classifier, "model": model, "grid": grid,
    }  # fmt: skip


def write_map(
    path: Path, explanation: Explanation, classifier: ChestClassifier, film: Radiograph, grid: Grid = "film"
) -> None:
    """Write a map as .npz or .png, by the path's suffix, whole or not at all.

    An .npz holds 16-bit floats (``on_film`` or ``values``, largest 1) and the ``scale`` that brings raw units back; a
    PNG holds 16-bit grey levels, and in its text how they become raw units: (level - zero) * scale.

    Args:
        grid: "film" for the film's own pixels as it hangs, "input" for the model's input grid.

    Raises:
        OSError: the file cannot be written.
    """
    values = classifier.to_film(explanation, film) if grid == "film" else explanation.values
    facts = facts_of(explanation, classifier.name, grid)
    if path.suffix.lower() == ".png":
        _write_png(path, values, facts)
        return
    scale = np.float32(np.abs(values).max() or 1.0)
    half = (values / scale).astype(np.float16)
    write_arrays(path, {"on_film" if grid == "film" else "values": half, "scale": np.asarray(scale)}, facts)


def _write_png(path: Path, values: np.ndarray, facts: dict[str, Any]) -> None:
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    scale = (high - low) / _LEVELS or 1.0
    zero = int(np.ceil(-low / scale)) if low < 0 else 0  # so that a level stands for 0 itself
    levels = np.clip(np.rint(values.astype(np.float64) / scale) + zero, 0, _LEVELS).astype(np.uint16)
    note = PngInfo()
    note.add_text(PNG_NOTE, json.dumps(plain(facts | {"scale": scale, "zero": zero}), allow_nan=False))
    with replacing(path) as fresh:
        Image.fromarray(levels).save(fresh, format="PNG", pnginfo=note)


def is_written(path: Path, explanation_facts: dict[str, Any]) -> bool:
    """Whether a map with these facts, which need not be all, lies at ``path`` already."""
    try:
        found = read_raw_map(path).facts if path.is_file() else {}
    except MapError:
        return False
    return bool(found) and all(found.get(name) == value for name, value in plain(explanation_facts).items())
