"""Whether acting on what is marked changes the answer: blur it, and the same shape elsewhere."""

from __future__ import annotations

import hashlib
import math

import numpy as np

from evaluation.scores.base import Case, Metric
from evaluation.scores.faithfulness.deletion import ranks
from evaluation.scores.registry import register
from evaluation.validity.blur_test import PLACES, blur_drops


def _excess(case: Case, mask: np.ndarray) -> float:
    """By how much more the logit drops when ``mask`` is blurred than when its shape is, elsewhere; NaN: no place."""
    rng = np.random.default_rng(case.seed)
    drops = blur_drops(case.classifier, case.radiograph, mask, case.explanation.finding, rng)
    case.report(1.0)
    return math.nan if drops is None else drops.region - float(np.mean(drops.elsewhere))


def _expert(case: Case) -> float:
    mask = case.mask
    if mask is None:
        return math.nan
    outline = hashlib.sha256(mask.tobytes()).hexdigest()
    return case.cached(f"blurred outline {outline}", lambda: _excess(case, mask), of="finding")


def strongest(case: Case) -> np.ndarray | None:
    """(H, W) bool: the map's strongest pixels, as many as the expert outlined; None where nothing is positive."""
    if case.mask is None or not (case.on_film > 0).any():
        return None
    chosen = ranks(case.on_film, np.random.default_rng(case.seed)) < int(case.mask.sum())
    return chosen & (case.on_film > 0)


def _map(case: Case) -> float:
    mask = strongest(case)
    return math.nan if mask is None else _excess(case, mask)


_FORMULA = f"(f(x) − f(x with {{}} blurred)) − mean over {PLACES} random places and the mirrored one of the same for"

register(
    Metric(
        name="expert_blur_drop",
        title="Blurring the outline",
        meaning="How much more the logit drops when the outlined region is blurred than the same shape elsewhere.",
        formula=_FORMULA.format("the outline") + " the outline moved there",
        compute=_expert,
        expected=lambda case: 0.0,
        chance_formula="0",
        source="after Fong and Vedaldi 2017, arXiv:1704.03296 (blur as deletion)",
        caveat="The same for every method: it says whether the model acts on the region at all. Undefined where the "
        "shape fits nowhere else.",
        element="actionability",
        needs=frozenset({"mask", "model"}),
        low=-math.inf,
        high=math.inf,
        unit="logits",
        slow=True,
    )
)

register(
    Metric(
        name="map_blur_drop",
        title="Blurring the map's peak",
        meaning="The same for the map's strongest pixels, as many as the expert outlined.",
        formula=_FORMULA.format("the map's top pixels") + " these pixels moved there",
        compute=_map,
        expected=lambda case: 0.0,
        chance_formula="0",
        source="after Fong and Vedaldi 2017, arXiv:1704.03296 (blur as deletion)",
        caveat="Undefined where the pixels are scattered so widely that their shape fits nowhere else, as with raw "
        "gradients, and where nothing is positive.",
        element="actionability",
        needs=frozenset({"mask", "model"}),
        low=-math.inf,
        high=math.inf,
        unit="logits",
        scorecard=True,
        slow=True,
    )
)
