"""The models and the film on which speed is measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from classifiers import ChestClassifier, ModelCard, Preprocessing
from classifiers.registry import load_classifier
from classifiers.torchvision_guard import ensure_torchvision
from radiographs import Radiograph
from radiographs.collections.known_truth import KnownTruth
from radiographs.places import home_folder

# The libraries that are compared with import torchvision by themselves.
ensure_torchvision()
SIDE = 224
EVERY = 4
"""One of so many of the films that come along sets the random network's statistics."""


@cache
def densenet121(n_findings: int = 14, side: int = SIDE) -> ChestClassifier:
    """A DenseNet-121 for grey films with random weights (He initialisation), the same each time.

    Its normalisations know the statistics of real films, and so does its last layer: as in a trained network, logits
    differ between films by about 1. Without them a random network hardly answers to a film at all.
    """
    from torchvision.models import densenet121 as build

    with torch.device("meta"):
        network = build(num_classes=n_findings)
        network.features.conv0 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
    network = network.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                module.weight.normal_(0, (2 / module.weight[0].numel()) ** 0.5, generator=generator)
                if module.bias is not None:
                    module.bias.zero_()
            elif isinstance(module, nn.BatchNorm2d):
                module.weight.fill_(1.0)
                module.bias.zero_()
    preprocessing = Preprocessing(side, "pad", -1.0, 1.0)
    _get_to_know(network.requires_grad_(False), torch.cat([preprocessing.prepare(film) for film in real_films()]))
    card = ModelCard("densenet121", "DenseNet-121, random", "Knows nothing.", "nothing", "none", "", "For timing only.")
    findings = tuple(f"Finding {number + 1}" for number in range(n_findings))
    return ChestClassifier(network, findings, card, "features.norm5", preprocessing)


@cache
def distilled_densenet121() -> ChestClassifier:
    """The DenseNet-121 of ``python -m classifiers.training.distil_densenet``, from :func:`distilled_weights`."""
    from classifiers.training.distil_densenet import TEACHER, grey_densenet121
    from classifiers.training.loop import load_weights

    teacher = load_classifier(TEACHER)
    network = grey_densenet121(len(teacher.findings))
    load_weights(network, distilled_weights())
    card = ModelCard("densenet121-distilled", "DenseNet-121, distilled", "", "NIH", "none", "", "For measurement only.")
    network = network.eval().requires_grad_(False)
    return ChestClassifier(network, teacher.findings, card, "features.norm5", teacher.preprocessing)


def distilled_weights() -> Path:
    """Where the weights of :func:`distilled_densenet121` are looked for; without them it is left out."""
    return home_folder() / "benchmarks" / "densenet121.safetensors"


def real_films() -> list[Radiograph]:
    """Real films that come along, one of each few."""
    collection = KnownTruth()
    return [collection.read(entry.film_id) for entry in collection.entries()[::EVERY]]


def _get_to_know(network: nn.Module, films: torch.Tensor) -> None:
    """Set the normalisations to the statistics of ``films``, and the last layer to logits that spread by 1."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
            module.reset_running_stats()
    with torch.no_grad():
        network.train()(films)
        logits = network.eval()(films)
        head = network.classifier
        assert isinstance(head, nn.Linear)
        head.weight /= logits.std(dim=0)[:, None]
        head.bias -= logits.mean(dim=0) / logits.std(dim=0)


MODELS: dict[str, Callable[[], ChestClassifier]] = {
    "nih14-localised": partial(load_classifier, "nih14-localised"),
    "DenseNet-121": densenet121,
}
"""The models by what the table calls them."""
if distilled_weights().is_file():
    MODELS["DenseNet-121, distilled"] = distilled_densenet121
_limits: list[str] = []


def limit_to(titles: Sequence[str]) -> None:
    """Measure on these models only; on all where ``titles`` is empty."""
    _limits[:] = titles


def limited() -> bool:
    """Whether only some models are measured."""
    return bool(_limits)


def classifiers() -> dict[str, ChestClassifier]:
    """The models asked for, by what the table calls them."""
    return {title: build() for title, build in MODELS.items() if not _limits or title in _limits}


def film_for(classifier: ChestClassifier, seed: int = 0) -> Radiograph:
    """A smooth random film of the classifier's own size."""
    coarse = torch.tensor(np.random.default_rng(seed).random((1, 1, 12, 12)), dtype=torch.float32)
    fine = F.interpolate(coarse, (classifier.side, classifier.side), mode="bicubic")[0, 0]
    return Radiograph(fine.clamp(0, 1).numpy())
