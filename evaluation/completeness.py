"""Whether a map's values add up to the logit that its method promises to share out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from evaluation.assessment import Case
from xai_methods import Explanation
from xai_methods.masking import make_regions


def total(explanation: Explanation) -> float:
    """Sum of all that the map shares out: of its pixels, or of its superpixels where it works on them."""
    values = explanation.values.astype(np.float64).ravel()
    if explanation.regions is None:
        return float(values.sum())
    labels = explanation.regions.ravel()
    return float((np.bincount(labels, weights=values) / np.maximum(np.bincount(labels), 1)).sum())


def relative_residual(found: float, promised: float) -> float:
    """|found - promised| / |promised|; NaN where nothing is promised to share."""
    return abs(found - promised) / abs(promised) if promised else float("nan")


def _superpixels(case: Case) -> float | None:
    """f(film) - f(film with all superpixels hidden), as Kernel SHAP and Owen values promise."""
    explanation = case.explanation
    if explanation.regions is None or "hide" not in explanation.parameters:
        return None
    hidden = make_regions(case.classifier, case.film, explanation.regions, explanation.parameters["hide"]).hidden
    return float(case.ask(case.film)[0] - case.ask(hidden[None, None])[0])


PROMISES: dict[str, Callable[[Case], float | None]] = {
    "shap": _superpixels,
    "owen-values": _superpixels,
    "lrp": lambda case: float(case.ask(case.film)[0]),
}
"""Methods that promise that their map sums to a difference of logits, and what it is."""


def promised_total(case: Case) -> float | None:
    """The logit that the map's method promises to share out; None where it promises none."""
    promise = PROMISES.get(case.explanation.method)
    return None if promise is None else promise(case)
