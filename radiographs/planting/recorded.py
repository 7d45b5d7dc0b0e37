"""The lungs of the known-truth films, recorded, so that each machine plants alike and no film waits for the regression.

``python -m radiographs.collections.known_truth`` finds and records them anew.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from radiographs.arrays import read_arrays, write_arrays
from radiographs.places import asset
from radiographs.radiograph import Radiograph

SIDE = 224
_FILE = "known_truth_lungs.npz"


def recorded_lungs(film_id: str) -> np.ndarray:
    """The lungs of one film of the known-truth collection, as ``find_lungs`` labels them: (224, 224) int64.

    Raises:
        KeyError: none were recorded for this film.
    """
    return _labels(_recorded()[film_id])


def record(films: dict[str, Radiograph], path: Path | None = None) -> None:
    """Find the lungs of films (224, 224), by the planted film's name, and write them to the file that ships."""
    from radiographs.planting.lungs import find_lungs

    found = {name: find_lungs(film) for name, film in films.items()}
    packed = {name: np.packbits(np.stack([lungs == 1, lungs == 2])) for name, lungs in found.items()}
    write_arrays(path or asset("splits", _FILE), packed)


@cache
def _recorded() -> dict[str, np.ndarray]:
    return read_arrays(asset("splits", _FILE))[0]


def _labels(packed: np.ndarray) -> np.ndarray:
    first, second = np.unpackbits(packed).reshape(2, SIDE, SIDE).astype(np.int64)
    return first + 2 * second
