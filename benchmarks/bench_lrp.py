"""LRP against zennit, and, where zennit has no way to canonise the network, against a forward and a backward pass."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import torch

from benchmarks.films import classifiers, film_for
from benchmarks.timing import Row, compare
from classifiers import ChestClassifier
from classifiers.torchvision_guard import ensure_torchvision
from xai_methods import get_method


def rows(pairs: int) -> Iterator[Row]:
    """Epsilon-plus-flat against zennit on the ResNet; against one forward and backward pass on both models."""
    for title, classifier in classifiers().items():
        if title == "nih14-localised":
            yield _against_zennit(title, classifier, pairs)
        yield _against_a_gradient(title, classifier, pairs)


def _against_zennit(title: str, classifier: ChestClassifier, pairs: int) -> Row:
    ensure_torchvision()
    from zennit.attribution import Gradient
    from zennit.composites import EpsilonPlusFlat
    from zennit.torchvision import ResNetCanonizer

    film, finding, method = film_for(classifier), classifier.findings[1], get_method("lrp")
    # zennit hooks the network it explains and folds its normalisations; the shared one stays as it is.
    network = copy.deepcopy(classifier.network).requires_grad_(True)
    wanted = torch.eye(len(classifier.findings))[[1]]

    def theirs() -> Any:
        composite = EpsilonPlusFlat(canonizers=[ResNetCanonizer()])
        with Gradient(model=network, composite=composite) as attributor:
            return attributor(classifier.prepare(film), lambda output: output * wanted)

    def ours() -> Any:
        return method.explain(classifier, film, finding)

    return compare(f"LRP, epsilon-plus-flat, {title}", "zennit", ours, theirs, pairs=pairs, asked=1.0)


def _against_a_gradient(title: str, classifier: ChestClassifier, pairs: int) -> Row:
    film, finding, method = film_for(classifier), classifier.findings[1], get_method("lrp")

    def theirs() -> Any:
        inputs = classifier.prepare(film).requires_grad_()
        return torch.autograd.grad(classifier(inputs)[0, 1], inputs)

    def ours() -> Any:
        return method.explain(classifier, film, finding)

    return compare(f"LRP, epsilon-plus-flat, {title}", "one forward and backward pass", ours, theirs, pairs=pairs)
