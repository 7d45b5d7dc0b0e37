"""What the tests of assessments share: cases whose map is known, on models whose answers are known."""

from __future__ import annotations

from typing import Any

import numpy as np

from classifiers import ChestClassifier
from evaluation.scores import Case, Region
from radiographs import Radiograph
from tests.xai_methods.linear_classifier import linear_classifier, smooth_film
from xai_methods import Explanation

SIDE = 32


def explanation_of(
    classifier: ChestClassifier, radiograph: Radiograph, values: np.ndarray, method: str = "jacobian", **more: Any
) -> Explanation:
    """An explanation of the first finding with ``values``, as if ``method`` had made it."""
    return Explanation(
        np.array(values, dtype=np.float32), True, method, more.pop("parameters", {}), 0, classifier.findings[0],
        float(classifier.logits(radiograph)[0]), radiograph.digest, classifier.digest, 0.0, 1, **more,
    )  # fmt: skip


def case_of(
    classifier: ChestClassifier, radiograph: Radiograph, values: np.ndarray, method: str = "jacobian", **more: Any
) -> Case:
    """A case of the first finding with a map of one's own."""
    explanation = explanation_of(classifier, radiograph, values, method)
    mask = more.pop("mask", None)
    return Case(
        classifier=classifier, radiograph=radiograph, explanation=explanation,
        on_film=classifier.to_film(explanation, radiograph), region=None if mask is None else Region(mask), **more,
    )  # fmt: skip


def linear_case(values: np.ndarray | None = None, method: str = "jacobian", **more: Any) -> Case:
    """A case of a linear model; its map is the gradient unless ``values`` says otherwise."""
    classifier = linear_classifier(SIDE)
    gradient = classifier.network.weights[0].numpy()
    return case_of(classifier, smooth_film(SIDE), gradient if values is None else values, method, **more)
