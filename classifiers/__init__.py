"""Chest X-ray models: one adaptor, the model registry, training."""

from classifiers.chest_classifier import ChestClassifier, ModelCard, Scope, UnknownFindingError
from classifiers.preprocessing import Preprocessing
from classifiers.registry import list_models, load_classifier, register_model
from classifiers.wrapping import wrap

__all__ = [
    "ChestClassifier",
    "ModelCard",
    "Preprocessing",
    "Scope",
    "UnknownFindingError",
    "list_models",
    "load_classifier",
    "register_model",
    "wrap",
]
