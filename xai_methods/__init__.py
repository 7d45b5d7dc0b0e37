"""Explanation methods: one idea a file, one contract, one registry."""

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
