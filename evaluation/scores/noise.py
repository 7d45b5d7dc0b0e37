"""Whether a map stays as it is when nothing that matters changes: noise on the film, the seed, the model."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import torch
import torch.nn.functional as F

from classifiers import ChestClassifier
from evaluation.scores.similarity import spearman, ssim
from radiographs import Radiograph

RADIUS = 0.02
"""Most that noise changes a pixel, as a share of the grey range: five of 256 greys."""


def noisy(pixels: np.ndarray, rng: np.random.Generator, radius: float = RADIUS) -> Radiograph:
    """Add noise, uniform within ``radius``, to (S, S) pixels in [0, 1]; what leaves [0, 1] is clipped."""
    return Radiograph(np.clip(pixels + rng.uniform(-radius, radius, pixels.shape), 0, 1))


def relative_change(original: np.ndarray, other: np.ndarray) -> float:
    """‖other - original‖₂ / ‖original‖₂ of two (S, S) maps; NaN where the original is zero everywhere."""
    length = float(np.linalg.norm(original.astype(np.float64)))
    return float(np.linalg.norm(other.astype(np.float64) - original)) / length if length else float("nan")


def mean_pairwise(maps: list[np.ndarray]) -> tuple[float, float]:
    """Mean SSIM and mean Spearman correlation over all pairs of (S, S) maps; NaN where a pair has none."""
    pairs = list(combinations(maps, 2))
    return float(np.mean([ssim(*pair) for pair in pairs])), float(np.mean([spearman(*pair) for pair in pairs]))


def on_grid(classifier: ChestClassifier, values: np.ndarray, radiograph: Radiograph, side: int) -> np.ndarray:
    """Carry an (S, S) map into the film, then onto a grid common to all models: (h, w), the longer one ``side``.

    Models see films through different squares and sizes, so their maps can only be compared by way of the film.
    """
    film = torch.tensor(classifier.to_film(values, radiograph))[None, None]
    height, width = radiograph.shape
    scale = min(side / max(height, width), 1.0)
    size = (max(round(height * scale), 1), max(round(width * scale), 1))
    return F.interpolate(film, size, mode="bilinear", antialias=True, align_corners=False)[0, 0].numpy()
