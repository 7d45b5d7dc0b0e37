"""Overlap after thresholding, as CheXlocalize (Saporta et al. 2022) and SHAMSUL (Ul Alam et al. 2023) published it.

The map is stretched to [0, 1], cut at Otsu's threshold, and its contours are filled. A map with positive and negative
values has its zero near the middle of that scale: a threshold there, filled, often marks the whole film.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
import torch

from evaluation.scores.localisation import localisation_metric
from evaluation.scores.ranked_map import RankedMap

THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
"""The thresholds among which CheXlocalize chose one for each finding on its validation films."""
_SAPORTA = "Saporta et al. 2022, doi:10.1038/s42256-022-00536-x"
_SHAMSUL = "Ul Alam et al. 2023, doi:10.5617/nmi.10471, with the code of Saporta et al. 2022"


def upsample(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Enlarge (h, w) values bilinearly to ``shape`` (H, W), corners not aligned: float32, as CheXlocalize does."""
    tensor = torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))[None, None]
    enlarged = torch.nn.functional.interpolate(tensor, size=shape, mode="bilinear", align_corners=False)
    return enlarged[0, 0].numpy()


def binarise(values: np.ndarray, threshold: float | None = None) -> np.ndarray:
    """Cut a map as CheXlocalize does.

    Args:
        values: (H, W) in the film's own pixels, finite. threshold: in (0, 1) of the stretched map; None takes Otsu's
            and fills the contours, where parts of a single pixel are lost, as published.

    Returns:
        (H, W) bool; all False for a constant map, which cannot be stretched.

    Raises:
        ValueError: the threshold does not lie between 0 and 1.
    """
    if threshold is not None and not 0 < threshold < 1:
        raise ValueError(f"threshold: expected a number between 0 and 1, got {threshold!r}")
    lifted = values.astype(np.float32) - np.float32(values.min())
    top = lifted.max()
    if top == 0:
        return np.zeros(values.shape, dtype=bool)
    lifted /= top
    if threshold is not None:
        return lifted > np.float32(threshold)
    return fill_contours(cv2.threshold((255 * lifted).astype(np.uint8), 0, 1, cv2.THRESH_OTSU)[1])


def fill_contours(mask: np.ndarray) -> np.ndarray:
    """Fill what the 8-connected parts of (H, W) ``mask`` enclose, and drop parts of a single pixel: bool."""
    padded = np.pad(mask.astype(np.uint8), 1)
    # 2 marks the outside: what the corner reaches without crossing the parts, not even diagonally.
    cv2.floodFill(padded, None, (0, 0), (2.0,), flags=4)
    filled = (padded != 2).astype(np.uint8)
    neighbours = cv2.boxFilter(filled, cv2.CV_8U, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return ((filled == 1) & (neighbours > 1))[1:-1, 1:-1]


def iou(marked: np.ndarray, mask: np.ndarray) -> float:
    """Intersection over union of two (H, W) bool masks; NaN where one is empty (CheXlocalize's true positives)."""
    if not marked.any() or not mask.any():
        return math.nan
    both = np.count_nonzero(marked & mask)
    return both / (np.count_nonzero(marked) + np.count_nonzero(mask) - both)


def tune_threshold(
    films: Iterable[tuple[np.ndarray, np.ndarray]], thresholds: Sequence[float] = THRESHOLDS
) -> tuple[float, dict[float, float]]:
    """Choose the threshold of one finding on validation films, whose patients must not be those that are scored.

    Args:
        films: pairs of an (H, W) map, read as it will be scored, and its (H, W) bool mask.
        thresholds: to choose from.

    Returns:
        The threshold with the highest mean IoU (the lowest of equals), and the mean IoU of each; NaN and all NaN where
        no film has an IoU.
    """
    found: dict[float, list[float]] = {threshold: [] for threshold in thresholds}
    for values, mask in films:
        for threshold, ious in found.items():
            ious.append(iou(binarise(values, threshold), mask))
    means = {t: float(np.nanmean(ious)) if not np.isnan(ious).all() else math.nan for t, ious in found.items()}
    defined = [threshold for threshold, mean in means.items() if not math.isnan(mean)]
    return max(defined, key=lambda t: (means[t], -t), default=math.nan), means


def _read(ranked: RankedMap) -> np.ndarray:
    return binarise(ranked.values)


def _as_it_is(ranked: RankedMap) -> np.ndarray:
    return ranked.once(_read) if ranked.raw is ranked.values else binarise(ranked.raw)


def _coverage(marked: np.ndarray) -> float:
    return float(np.count_nonzero(marked) / marked.size) if marked.any() else math.nan


chexlocalize_iou = localisation_metric(
    name="chexlocalize_iou",
    title="CheXlocalize IoU",
    meaning="Overlap of the region and what Otsu's threshold marks of the map, contours filled.",
    formula="|M ∩ G| / |M ∪ G|, M = filled contours of {(a − min a) / (max a − min a) > Otsu's threshold}",
    compute=lambda ranked: iou(ranked.once(_read), ranked.region.mask),
    source=_SAPORTA,
    caveat="The threshold is the map's, so a method may win by its spread of values alone: read the coverage "
    "beside it. Its mean over films is the published mIoU; the published hit rate is the pointing game.",
    coverage="chexlocalize_coverage",
)

chexlocalize_coverage = localisation_metric(
    name="chexlocalize_coverage",
    title="CheXlocalize coverage",
    meaning="Share of the film that Otsu's threshold marks, contours filled.",
    formula="|M| / n",
    compute=lambda ranked: _coverage(ranked.once(_read)),
    source=_SAPORTA,
    caveat="Near 1 the overlap is the size of the region and says nothing of the map.",
    direction="neither",
)

shamsul_iou = localisation_metric(
    name="shamsul_iou",
    title="SHAMSUL IoU",
    meaning="As the CheXlocalize IoU, but of the map as it is, negative values included, as SHAMSUL scored LRP.",
    formula="|M ∩ G| / |M ∪ G|, M as for CheXlocalize, of the signed map",
    compute=lambda ranked: iou(ranked.once(_as_it_is), ranked.region.mask),
    source=_SHAMSUL,
    caveat="On signed maps it often marks the whole film; the overlap then is the region's share of the film.",
    coverage="shamsul_coverage",
)

shamsul_coverage = localisation_metric(
    name="shamsul_coverage",
    title="SHAMSUL coverage",
    meaning="Share of the film that SHAMSUL's protocol marks.",
    formula="|M| / n",
    compute=lambda ranked: _coverage(ranked.once(_as_it_is)),
    source=_SHAMSUL,
    caveat="Near 1 for signed maps, such as LRP and gradients: the protocol's fault, not the method's.",
    direction="neither",
)
