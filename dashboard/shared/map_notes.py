"""What a person should know of one map, in short plain phrases."""

from __future__ import annotations

import numpy as np

from xai_methods import Explanation
from xai_methods.explanation import EARLY

DIAGNOSTICS = {
    EARLY: "as it stands after {:.0f} films",
    "local_r2": "fits the model nearby, R² {:.2f}",
    "seed_agreement": "repeatability between seeds {:.2f}",
    "additivity_residual": "adds up to within {:.1g}",
    "conservation": "{:.0%} relevance conserved",
    "bias_share": "{:.0%} absorbed by biases",
    "unguided_activations": "{:.0f} activations are no ReLUs and were not guided",
}
"""Words for the diagnostics that are worth a place under a map."""


def notes_on(explanation: Explanation) -> list[str]:
    """The grid or regions that the map really has, and its diagnostics, a phrase each."""
    notes = []
    if explanation.cells is not None:
        notes.append(f"native resolution {explanation.cells[0]} × {explanation.cells[1]}")
    if explanation.regions is not None:
        notes.append(f"{len(np.unique(explanation.regions))} superpixels")
    shared = explanation.diagnostics.get("samples", 0) - explanation.evaluations
    if shared > 0:
        notes.append(f"{shared:.0f} films shared with another map")
    smoothing = explanation.parameters.get("smoothing", 0)
    if explanation.method == "lrp" and smoothing:
        notes.append(f"smoothed over {smoothing:g} input pixels: finer detail is not the model's")
    notes.extend(
        words.format(explanation.diagnostics[name])
        for name, words in DIAGNOSTICS.items()
        if name in explanation.diagnostics
    )
    return notes
