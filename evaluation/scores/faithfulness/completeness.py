"""Whether a map's values add up to the logit that its method promises to share out."""

from __future__ import annotations

import math

import numpy as np

from evaluation.scores.base import Case, Metric
from evaluation.scores.registry import register
from xai_methods import Explanation, methods


def promised_total(explanation: Explanation) -> float | None:
    """The logit that the map's method promises to share out; None where it does not declare that its values add up.

    A method names its starting point in its diagnostics as ``base_value`` (the logit of the hidden film, of the
    baseline, or the mean logit of the background); without one it shares out the whole logit.
    """
    method = methods().get(explanation.method)  # maps of other code name no method of ours
    if method is None or not method.additive:
        return None
    return explanation.logit - explanation.diagnostics.get("base_value", 0.0)


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


def _completeness(case: Case) -> float:
    promised = promised_total(case.explanation)
    return math.nan if promised is None else relative_residual(total(case.explanation), promised)


register(
    Metric(
        name="completeness_residual",
        title="Completeness residual",
        meaning="How far the map's sum is from the logit that the method promises to share out.",
        formula="|Σ map − promised| / |promised|; promised is f(x) − base value, for LRP f(x)",
        compute=_completeness,
        source="Sundararajan et al. 2017, arXiv:1703.01365; Bach et al. 2015, doi:10.1371/journal.pone.0130140",
        caveat="Only for methods whose values add up (Shapley values, gradients times a difference, LRP); what biases "
        "keep in LRP counts as missing. Input times gradient promises it for linear models only. Says nothing of "
        "where the evidence lies.",
        element="model transparency",
        direction="lower",
        needs=frozenset({"model"}),
        high=math.inf,
        unit="share",
        scorecard=True,
        rival=False,
    )
)
