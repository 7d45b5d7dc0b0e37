"""Chest X-ray models: one adaptor, the model shelf, training."""

from classifiers.chest_classifier import ChestClassifier, ModelCard, UnknownFindingError
from classifiers.preprocessing import Preprocessing

__all__ = ["ChestClassifier", "ModelCard", "Preprocessing", "UnknownFindingError"]
