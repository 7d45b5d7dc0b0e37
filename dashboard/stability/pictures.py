"""The stability page's pictures: the moved film, the direction it is moved in, sensitivity maps, stages."""

from __future__ import annotations

import numpy as np

from classifiers import ChestClassifier
from dashboard.shared import display
from dashboard.shared.display import Drawn, View
from evaluation.stability.study import Stability
from radiographs import Radiograph

SIGNED = View(mode="overlay", part="signed", opacity=0.8, outline=False)
SIDE = 448
"""Least side, in pixels, at which a picture on the input grid is drawn."""


def enlarged(values: np.ndarray, side: int = SIDE) -> np.ndarray:
    """Repeat the pixels of (h, w) values until the longer side has at least ``side``."""
    times = max(1, -(-side // max(values.shape)))
    return np.repeat(np.repeat(values, times, axis=0), times, axis=1)


def moved(found: Stability, index: int) -> np.ndarray:
    """The film as the model sees it, moved to one step of the slider: (h, w, 3) uint8, in the unmoved film's window."""
    low, high = np.percentile(found.prepared, (0.1, 99.9))
    film = found.moved_film(float(found.strongest.steps[index]))
    return display.grey_picture(enlarged(film), low, high)


def direction(found: Stability, index: int) -> np.ndarray:
    """What was added to the film at one step, in colours that run to the largest step's change: (h, w, 3) uint8."""
    step, largest = float(found.strongest.steps[index]), float(np.abs(found.strongest.steps).max())
    values = found.sensitivity.right[0]
    scale = display.scale_of(values, "signed")
    if scale is None:
        return np.zeros((*enlarged(values).shape, 3), dtype=np.uint8)
    return display.coloured(enlarged(values * step / largest), scale)


def sensitivity_map(found: Stability, column: int, film: Radiograph, classifier: ChestClassifier) -> Drawn:
    """One finding's row over the film, in logit per grey level of one input pixel."""
    on_film = classifier.to_film(found.sensitivity.per_grey_level[column], film)
    return display.drawn(display.picture(display.film_picture(film), on_film, SIGNED))


def stage_maps(found: Stability, column: int) -> list[tuple[str, bytes]]:
    """Caption and PNG of each stage's map for one finding, each scaled by itself; no PNG where it is even all over."""
    made = []
    for stage in found.sensitivity.stages:
        values = stage.maps[column]
        caption = f"{stage.name}: {stage.channels} maps of {values.shape[0]} × {values.shape[1]}"
        if values.max() > 0 and np.ptp(values) < 1e-4 * values.max():
            made.append((f"{caption}; the same everywhere, as the model averages them", b""))
            continue
        scale = display.scale_of(values, "positive")
        shown = enlarged(values, 224)
        pixels = display.coloured(shown, scale) if scale else np.zeros((*shown.shape, 3), dtype=np.uint8)
        made.append((caption, display.png(pixels)))
    return made
