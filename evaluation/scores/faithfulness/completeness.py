"""Whether a map's values add up to the logit that its method promises to share out."""

from __future__ import annotations

import numpy as np

from xai_methods import Explanation

FROM_NOTHING = frozenset({"lrp"})
"""Methods that share out the whole logit; the others share out what it exceeds their ``base_value`` by."""


def promised_total(explanation: Explanation) -> float | None:
    """The logit that the map's method promises to share out; None where it promises none.

    A method that promises names its starting point in its diagnostics as ``base_value``: the logit of the hidden film,
    of the baseline, or the mean logit of the background.
    """
    if explanation.method in FROM_NOTHING:
        return explanation.logit
    base = explanation.diagnostics.get("base_value")
    return None if base is None else explanation.logit - base


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
