"""Class-activation maps against the grad-cam library."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.films import classifiers, film_for
from benchmarks.timing import TimingRow, compare
from classifiers import ChestClassifier
from xai_methods import get_method

LIBRARY = {
    "grad-cam": "GradCAM",
    "grad-cam-plus-plus": "GradCAMPlusPlus",
    "hires-cam": "HiResCAM",
    "layer-cam": "LayerCAM",
    "eigen-cam": "EigenCAM",
    "score-cam": "ScoreCAM",
}
"""Our names and the library's."""
WITHOUT_GRADIENTS = ("eigen-cam", "score-cam")
ASKED = 1.0


FEW_MAPS = {"nih14-localised": "layer1", "DenseNet-121": "features.pool0"}
"""Layers of 64 feature maps: Score-CAM takes a forward pass for each, and what counts is the time of a pass."""


def rows(pairs: int) -> Iterator[TimingRow]:
    """One row for each map and model."""
    for title, classifier in classifiers().items():
        for name in LIBRARY:
            if name == "score-cam":
                yield _row(f"64 maps, {title}", _reading(classifier, FEW_MAPS[title]), name, pairs)
            else:
                yield _row(title, classifier, name, pairs)


def _reading(classifier: ChestClassifier, layer: str) -> ChestClassifier:
    """The same model, its CAM methods reading another layer."""
    return ChestClassifier(
        classifier.network, classifier.findings, classifier.card, layer, classifier.preprocessing, classifier.columns
    )


def _row(title: str, classifier: ChestClassifier, name: str, pairs: int) -> TimingRow:
    import pytorch_grad_cam
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    film, method = film_for(classifier), get_method(name)
    finding = classifier.findings[1]
    kind = getattr(pytorch_grad_cam, LIBRARY[name])

    def ours() -> Any:
        return method.explain(classifier, film, finding)

    def theirs() -> np.ndarray:
        inputs = classifier.prepare(film).requires_grad_(name not in WITHOUT_GRADIENTS)
        # Score-CAM draws a progress bar there.
        with contextlib.redirect_stderr(io.StringIO()), kind(classifier, [classifier.cam_module]) as library:
            return library(inputs, [ClassifierOutputTarget(1)])

    return compare(f"{method.title}, {title}", "grad-cam", ours, theirs, pairs=pairs, target=ASKED)
