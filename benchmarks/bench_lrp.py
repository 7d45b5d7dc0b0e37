"""LRP against zennit, and, where zennit has no way to canonise the network, against a forward and a backward pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from benchmarks.films import classifiers, film_for
from benchmarks.timing import TimingRow, compare
from classifiers import ChestClassifier
from xai_methods import get_method


def rows(pairs: int) -> Iterator[TimingRow]:
    """Epsilon-plus-flat against zennit on the ResNet; against one forward and backward pass on both models."""
    for title, classifier in classifiers().items():
        if title == "nih14-localised":
            yield _against_zennit(title, classifier, pairs)
        yield _against_a_gradient(title, classifier, pairs)


def _against_zennit(title: str, classifier: ChestClassifier, pairs: int) -> TimingRow:
    from zennit.attribution import Gradient
    from zennit.composites import EpsilonPlusFlat
    from zennit.torchvision import ResNetCanonizer

    film, finding, method = film_for(classifier), classifier.findings[1], get_method("lrp")
    network = _of_torchvision(classifier)
    wanted = torch.eye(len(classifier.findings))[[1]]

    def theirs() -> Any:
        composite = EpsilonPlusFlat(canonizers=[ResNetCanonizer()])
        with Gradient(model=network, composite=composite) as attributor:
            return attributor(classifier.prepare(film), lambda output: output * wanted)

    def ours() -> Any:
        return method.explain(classifier, film, finding)

    return compare(f"LRP, epsilon-plus-flat, {title}", "zennit", ours, theirs, pairs=pairs, target=1.0)


def _of_torchvision(classifier: ChestClassifier) -> torch.nn.Module:
    """The same network as torchvision builds it: zennit knows the shortcuts of torchvision's blocks only."""
    from torchvision.models import resnet18

    network = resnet18(num_classes=len(classifier.findings))
    network.conv1 = torch.nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    network.layer4[0].conv1.stride = network.layer4[0].downsample[0].stride = (1, 1)
    network.load_state_dict(classifier.network.state_dict())
    return network.eval()


def _against_a_gradient(title: str, classifier: ChestClassifier, pairs: int) -> TimingRow:
    film, finding, method = film_for(classifier), classifier.findings[1], get_method("lrp")

    def theirs() -> Any:
        inputs = classifier.prepare(film).requires_grad_()
        return torch.autograd.grad(classifier(inputs)[0, 1], inputs)

    def ours() -> Any:
        return method.explain(classifier, film, finding)

    return compare(f"LRP, epsilon-plus-flat, {title}", "one forward and backward pass", ours, theirs, pairs=pairs)
