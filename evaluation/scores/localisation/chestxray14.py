"""Boxes around what the map marks, against the expert's box, as ChestX-ray8 and 14 published it (Wang et al. 2017)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.scores.localisation import localisation_metric
from evaluation.scores.ranked_map import RankedMap, Region, boxes_around

LEVELS = (60, 180)
"""Of 255, at which the stretched map is cut."""
_SOURCE = "Wang et al. 2017, arXiv:1705.02315"
_CHUNK = 4096


@dataclass(frozen=True, eq=False)
class Detection:
    """The boxes of one map: (B, 4) int ``boxes``, and of each its best overlap with a box of the region.

    Attributes:
        iou: (B,) intersection over union. iobb: (B,) intersection over the detected box's own area.
    """

    boxes: np.ndarray
    iou: np.ndarray
    iobb: np.ndarray


def boxes_of(values: np.ndarray, levels: Sequence[float] = LEVELS) -> np.ndarray:
    """Boxes around the isolated parts of an (H, W) map above each level of 255, after stretching it to [0, 255].

    Returns:
        (B, 4) int: top, left, bottom, right (the last two exclusive), no box twice; none for a constant map.
    """
    low, high = float(values.min()), float(values.max())
    if low == high:
        return np.zeros((0, 4), dtype=np.int64)
    cuts = [low + level / 255 * (high - low) for level in levels]
    return np.unique(np.concatenate([boxes_around(values > cut) for cut in cuts]), axis=0).astype(np.int64)


def detect(values: np.ndarray, mask: np.ndarray | Region, levels: Sequence[float] = LEVELS) -> Detection:
    """Set the boxes of an (H, W) map beside the boxes around the parts of the (H, W) bool ``mask``."""
    boxes, truth = boxes_of(values, levels), Region.of(mask).boxes
    iou, iobb = np.zeros(len(boxes)), np.zeros(len(boxes))
    if len(truth) == 0:
        return Detection(boxes, iou, iobb)
    for start in range(0, len(boxes), _CHUNK):
        part = np.s_[start : start + _CHUNK]
        both = _intersection(boxes[part], truth)
        own, theirs = _areas(boxes[part])[:, None], _areas(truth)[None]
        iou[part], iobb[part] = (both / (own + theirs - both)).max(axis=1), (both / own).max(axis=1)
    return Detection(boxes, iou, iobb)


def _areas(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def _intersection(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    return np.prod(np.maximum(high - low, 0), axis=2)


def _covered(detection: Detection, shape: tuple[int, int]) -> float:
    inside = np.zeros(shape, dtype=bool)
    for top, left, bottom, right in detection.boxes.tolist():
        inside[top:bottom, left:right] = True
    return float(np.count_nonzero(inside) / inside.size)


def _detected(ranked: RankedMap) -> Detection:
    return detect(ranked.values, ranked.region)


def _best(overlaps: np.ndarray) -> float:
    return float(overlaps.max()) if len(overlaps) else math.nan


def _coverage(ranked: RankedMap) -> float:
    found = ranked.once(_detected)
    return _covered(found, ranked.region.mask.shape) if len(found.boxes) else math.nan


chestxray14_iou = localisation_metric(
    name="chestxray14_iou",
    title="ChestX-ray14 best IoU",
    meaning="Best overlap of the expert's box and a box around what the map marks at 60 or 180 of 255.",
    formula="max over D, B of |D ∩ B| / |D ∪ B|, D: detected boxes, B: boxes around the parts of G",
    compute=lambda ranked: _best(ranked.once(_detected).iou),
    source=_SOURCE,
    caveat="The film counts as right at T(IoU) where this lies above T. Many boxes make one good box likelier: "
    "read their number and coverage beside it. A map without a box is undefined here and a miss in the table.",
    coverage="chestxray14_coverage",
)

chestxray14_iobb = localisation_metric(
    name="chestxray14_iobb",
    title="ChestX-ray14 best IoBB",
    meaning="Largest share of a detected box that lies in the expert's box.",
    formula="max over D, B of |D ∩ B| / |D|",
    compute=lambda ranked: _best(ranked.once(_detected).iobb),
    source=_SOURCE,
    caveat="One tiny box inside the region scores 1: never read it without the IoU.",
    coverage="chestxray14_coverage",
)

chestxray14_boxes = localisation_metric(
    name="chestxray14_boxes",
    title="ChestX-ray14 boxes",
    meaning="How many boxes the map makes at 60 and 180 of 255; all but the right ones are false positives.",
    formula="#D",
    compute=lambda ranked: float(len(ranked.once(_detected).boxes)),
    source=_SOURCE,
    caveat="Maps of single pixels make thousands.",
    high=math.inf,
    direction="neither",
)

chestxray14_coverage = localisation_metric(
    name="chestxray14_coverage",
    title="ChestX-ray14 coverage",
    meaning="Share of the film that the detected boxes cover together.",
    formula="|∪ D| / n",
    compute=_coverage,
    source=_SOURCE,
    caveat="A box around a scattered map covers far more than the map marks.",
    direction="neither",
)
