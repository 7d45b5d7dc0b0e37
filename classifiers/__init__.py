"""Chest X-ray models: one adaptor, the model registry, training."""

from classifiers.chest_classifier import ChestClassifier, ModelCard, Scope, UnknownFindingError
from classifiers.preprocessing import Preprocessing

__all__ = ["ChestClassifier", "ModelCard", "Preprocessing", "Scope", "UnknownFindingError"]
