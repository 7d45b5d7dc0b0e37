"""Counterfactual films: what would have to look different for the classifier to answer otherwise."""

from xai_methods.counterfactual.ask import EXPLAINERS, exaggerate
from xai_methods.counterfactual.exaggeration import unserved
from xai_methods.counterfactual.series import LEVELS, Cost, CounterfactualRefusedError, Limits, Series

__all__ = [
    "EXPLAINERS",
    "LEVELS",
    "Cost",
    "CounterfactualRefusedError",
    "Limits",
    "Series",
    "exaggerate",
    "unserved",
]
