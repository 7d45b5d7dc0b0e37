"""Explanation methods: one idea a file, one contract, one registry.

>>> from classifiers import load_classifier
>>> from radiographs.registry import find_film
>>> from xai_methods import get_method
>>> film, _, _ = find_film("known-truth/mass-01")
>>> model = load_classifier("known-truth", "cpu")
>>> explanation = get_method("grad-cam").explain(model, film, "Mass")
>>> explanation.values.shape, explanation.empty
((224, 224), False)
>>> model.to_film(explanation, film).shape == film.shape
True
"""

from xai_methods.explanation import Cancelled, Explanation, ExplanationFileError
from xai_methods.method import Attribution, Method, Request
from xai_methods.parameters import ParameterError, Parameters, parameter
from xai_methods.registry import baseline_methods, get_method, main_methods, methods, register

__all__ = [
    "Attribution",
    "Cancelled",
    "Explanation",
    "ExplanationFileError",
    "Method",
    "ParameterError",
    "Parameters",
    "Request",
    "baseline_methods",
    "get_method",
    "main_methods",
    "methods",
    "parameter",
    "register",
]
