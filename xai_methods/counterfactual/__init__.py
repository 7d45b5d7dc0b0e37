"""Counterfactual films: what would have to look different for the classifier to answer otherwise."""

from xai_methods.counterfactual.exaggeration import unserved
from xai_methods.counterfactual.generate import EXPLAINERS, exaggerate
from xai_methods.counterfactual.plane import Plane, exaggerate_two
from xai_methods.counterfactual.series import LEVELS, Cost, CounterfactualRefusedError, Limits, Series

__all__ = [
    "EXPLAINERS",
    "LEVELS",
    "Cost",
    "CounterfactualRefusedError",
    "Limits",
    "Plane",
    "Series",
    "exaggerate",
    "exaggerate_two",
    "unserved",
]
