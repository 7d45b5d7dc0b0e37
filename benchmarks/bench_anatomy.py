"""Lungs, heart and body of a film of 2.5 megapixels against the bare network's pass."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from scipy import ndimage

from benchmarks.agreement import the_film
from benchmarks.timing import TimingRow, compare
from classifiers.anatomy import segment, shipped_network
from radiographs import Radiograph

SIDE = 1600
"""Pixels along the film's shorter side, about what a digital film shown on a screen has."""


def rows(pairs: int) -> Iterator[TimingRow]:
    """Time the whole way from film to outlines, and the network alone on the same film, ready made."""
    small = the_film().pixels
    film = Radiograph(np.clip(ndimage.zoom(small, SIDE / min(small.shape), order=1), 0, 1).astype(np.float32))
    network, preprocessing = shipped_network()
    ready = preprocessing.prepare(film)

    def bare() -> torch.Tensor:
        with torch.inference_mode():
            return network(ready)

    size = " x ".join(map(str, film.shape))
    yield compare(f"lungs, heart and body of a film of {size}", "one pass of the network", lambda: segment(film), bare,
                  pairs=pairs)  # fmt: skip
