"""By how much a logit drops where a region is blurred, and where the same shape is blurred elsewhere on the film."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy
import torch

from classifiers import ChestClassifier
from radiographs import Radiograph

PLACES = 8
"""Random places, beside the mirrored one, at which the shape is blurred."""
OVERLAP = 0.1
"""Share of the region that a place elsewhere may cover at most."""
_TRIES = 400
_BATCH = 32


@dataclass(frozen=True)
class BlurDrops:
    """By how much the logit of one finding drops on one film: in the region, mirrored (None: overlaps), elsewhere."""

    region: float
    mirrored: float | None
    elsewhere: tuple[float, ...]


def blur_sigma(region: np.ndarray) -> float:
    """Standard deviation of the blur in input pixels: half the root of the region's area, at least S/20."""
    return max(region.shape[0] / 20, 0.5 * math.sqrt(float(region.sum())))


def blurred_within(film: np.ndarray, blurred: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Replace (S, S) ``film`` by ``blurred`` where ``region`` (shares in [0, 1]) says so, with a soft edge of S/112."""
    soft = scipy.ndimage.gaussian_filter(region, region.shape[0] / 112)
    return film + soft * (blurred - film)


def places_elsewhere(region: np.ndarray, seen: np.ndarray, count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Move (S, S) ``region`` to at most ``count`` random places inside ``seen`` that cover little of where it was.

    Args:
        region: shares in [0, 1]. seen: (S, S) bool, the input pixels that show the film, a rectangle.
    """
    (top, bottom, left, right), (high, low, first, last) = _bounds(region > 0), _bounds(seen)
    patch = region[top:bottom, left:right]
    places: list[np.ndarray] = []
    if low - high < patch.shape[0] or last - first < patch.shape[1]:
        return places
    for _ in range(_TRIES):
        row = int(rng.integers(high, low - patch.shape[0] + 1))
        column = int(rng.integers(first, last - patch.shape[1] + 1))
        moved = np.zeros_like(region)
        moved[row : row + patch.shape[0], column : column + patch.shape[1]] = patch
        if overlap(region, moved) <= OVERLAP:
            places.append(moved)
            if len(places) == count:
                break
    return places


def overlap(region: np.ndarray, moved: np.ndarray) -> float:
    """Share of ``region`` that ``moved`` covers."""
    return float(np.minimum(region, moved).sum() / region.sum())


def _bounds(mask: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def blur_drops(
    classifier: ChestClassifier, radiograph: Radiograph, mask: np.ndarray, finding: str, rng: np.random.Generator
) -> BlurDrops | None:
    """Blur the outlined region of one film, and the same shape elsewhere.

    Args:
        mask: (H, W) bool, what an expert outlined. rng: chooses the places.

    Returns:
        The drops of the logit; None where the classifier does not see the region, or there is no place elsewhere.
    """
    region = classifier.preprocessing.prepare_mask(mask)
    if region.sum() < 0.5:
        return None
    seen = classifier.preprocessing.prepare_mask(np.ones(mask.shape, dtype=bool)) > 0.5
    mirror = np.ascontiguousarray(region[:, ::-1])
    with_mirror = overlap(region, mirror) <= OVERLAP
    places = ([mirror] if with_mirror else []) + places_elsewhere(region, seen, PLACES, rng)
    if not places:
        return None
    film = classifier.prepare(radiograph)[0, 0].float().cpu().numpy()
    blurred = scipy.ndimage.gaussian_filter(film, blur_sigma(region), mode="nearest")
    stack = np.stack([film, *(blurred_within(film, blurred, place) for place in (region, *places))])
    logits = logits_of(classifier, stack)[:, classifier.column(finding)]
    drops = tuple((logits[0] - logits[1:]).tolist())
    return BlurDrops(drops[0], drops[1] if with_mirror else None, drops[1:])


def logits_of(classifier: ChestClassifier, films: np.ndarray) -> np.ndarray:
    """(N, S, S) inputs to (N, C) float64 logits."""
    inputs = torch.tensor(films, dtype=torch.float32)[:, None].to(classifier.device)
    with torch.inference_mode():
        return torch.cat([classifier(part) for part in inputs.split(_BATCH)]).double().cpu().numpy()
