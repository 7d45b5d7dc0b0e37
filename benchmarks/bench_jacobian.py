"""The Jacobian of all findings, and the stability page's numbers, against torch and against plain passes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from benchmarks.timing import Row, compare
from classifiers import ChestClassifier, ModelCard, Preprocessing
from classifiers.shelf import load_classifier
from classifiers.torchvision_guard import ensure_torchvision
from evaluation.stability import study
from radiographs import Radiograph
from xai_methods.jacobian import jacobian

SIDE, FINDINGS, PASSES = 224, 14, 60


def densenet121() -> ChestClassifier:
    """A randomly initialised DenseNet-121 for grey films of 224 x 224 pixels and 14 findings."""
    ensure_torchvision()
    from torch import nn
    from torchvision.models import densenet121 as build

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build(num_classes=FINDINGS)
        network.features.conv0 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    card = ModelCard("random", "DenseNet-121", "Random weights.", "nothing", "none needed", "", "For timing only.")
    names = tuple(f"Finding {number + 1}" for number in range(FINDINGS))
    return ChestClassifier(network, names, card, "features.norm5", Preprocessing(SIDE))


def a_film() -> Radiograph:
    """A smooth random film."""
    rough = np.random.default_rng(0).normal(size=(SIDE, SIDE)).cumsum(axis=0).cumsum(axis=1)
    return Radiograph(((rough - rough.min()) / np.ptp(rough)).astype(np.float32))


def forward_and_backward(classifier: ChestClassifier, films: torch.Tensor) -> torch.Tensor:
    """One forward and one backward pass of a batch, down to the pixels."""
    with torch.enable_grad():
        pixels = films.detach().clone().requires_grad_(True)
        (gradient,) = torch.autograd.grad(classifier(pixels)[:, 0].sum(), pixels)
    return gradient


def rows(pairs: int) -> Iterator[Row]:
    """Time both models, then the whole study of one film."""
    film = a_film()
    for classifier in (load_classifier("nih14-localised"), densenet121()):
        one = classifier.prepare(film)
        many = one.repeat(FINDINGS, 1, 1, 1)
        name = classifier.card.title
        yield compare(
            f"Jacobian of {FINDINGS} findings, {name}",
            "torch.autograd.functional.jacobian",
            lambda c=classifier, x=one: jacobian(c, x),
            lambda c=classifier, x=one: torch.autograd.functional.jacobian(lambda film: c(film)[0], x),
            pairs=pairs,
            asked=1 / 3,
        )
        yield compare(
            f"Jacobian of {FINDINGS} findings, {name}",
            f"one forward and backward pass of {FINDINGS} films",
            lambda c=classifier, x=one: jacobian(c, x),
            lambda c=classifier, x=many: forward_and_backward(c, x),
            pairs=pairs,
            asked=1.3,
        )
    classifier = load_classifier("nih14-localised")
    one = classifier.prepare(film)
    yield compare(
        f"stability page, all numbers of one film, {classifier.card.title}",
        f"{PASSES} forward and backward passes of the film",
        lambda: study(classifier, film),
        lambda: [forward_and_backward(classifier, one) for _ in range(PASSES)],
        pairs=min(pairs, 3),
        asked=1.0,
    )
