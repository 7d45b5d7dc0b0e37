"""Overlap after thresholding, as CheXlocalize (Saporta et al. 2022) and SHAMSUL (Ul Alam et al. 2023) published it.

The map is stretched to [0, 1], cut at Otsu's threshold, and its contours are filled. A map with positive and negative
values has its zero near the middle of that scale: a threshold there, filled, often marks the whole film.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from evaluation.scores.localisation import localisation_metric
from evaluation.scores.ranked_map import RankedMap

_SAPORTA = "Saporta et al. 2022, doi:10.1038/s42256-022-00536-x"
_SHAMSUL = "Ul Alam et al. 2023, doi:10.5617/nmi.10471, with the code of Saporta et al. 2022"


def binarise(values: np.ndarray) -> np.ndarray:
    """Cut a map at Otsu's threshold and fill the contours, as CheXlocalize does.

    Args:
        values: (H, W) in the film's own pixels, finite.

    Returns:
        (H, W) bool, where parts of a single pixel are lost, as published; all False for a constant map, which cannot
        be stretched.
    """
    lifted = values.astype(np.float32) - np.float32(values.min())
    top = lifted.max()
    if top == 0:
        return np.zeros(values.shape, dtype=bool)
    lifted /= top
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
